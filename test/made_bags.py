"""Bags of the made clip in every form that is read: as rosbag2 writes them, with their frames 1/30 s apart."""

import cv2
import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from dfer_ros.bags.types import create_typestore

TYPES = create_typestore()
RAW, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"
IMAGE_TOPIC = "/camera/image_raw"
PERIOD, START, RECEIVED_LATER = 1 / 30, 1_700_000_000, 0.002
FORMS = {
    "sqlite3": ("sqlite3", "NONE"),
    "sqlite3, file zstd": ("sqlite3", "FILE"),
    "sqlite3, message zstd": ("sqlite3", "MESSAGE"),
    "mcap": ("mcap", "NONE"),
    "mcap, chunk zstd": ("mcap", "STORAGE"),
    "mcap, file zstd": ("mcap", "FILE"),
    "mcap, message zstd": ("mcap", "MESSAGE"),
}
"""Storage and compression by a name."""

FOREVER = QosTime(9223372036, 854775807)


def offered(reliability=QosReliability.RELIABLE, durability=QosDurability.VOLATILE):
    """Return a profile as rosbag2 records it."""
    history, liveliness = QosHistory.UNKNOWN, QosLiveliness.AUTOMATIC
    return Qos(history, 0, reliability, durability, FOREVER, FOREVER, liveliness, FOREVER, False)


def header(nanoseconds):
    stamp = TYPES.types["builtin_interfaces/msg/Time"](*divmod(nanoseconds, 10**9))
    return TYPES.types["std_msgs/msg/Header"](stamp, "camera")


def raw_image(frame, nanoseconds):
    height, width = frame.shape[:2]
    return TYPES.types[RAW](
        header(nanoseconds), height, width, "bgr8", 0, 3 * width, np.ascontiguousarray(frame).ravel()
    )


def compressed_image(frame, nanoseconds):
    return TYPES.types[COMPRESSED](header(nanoseconds), "png", cv2.imencode(".png", frame)[1].ravel())


def stamp_of(index):
    """Return the stamp of a frame, nanoseconds."""
    return START * 10**9 + round(index * PERIOD * 1e9)


def write_clip(
    path, frames, form="mcap", compressed=False, profiles=None, version=9, stamps=None, texts=0, topic=IMAGE_TOPIC
):
    """Write the frames, and beside them so many messages /chatter, with the first frames."""
    storage, mode = FORMS[form]
    writer = Writer(path, version=version, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[mode], CompressionFormat.ZSTD)
    kind, make = (COMPRESSED, compressed_image) if compressed else (RAW, raw_image)
    topic = f"{topic}/compressed" if compressed else topic
    with writer:
        images = writer.add_connection(
            topic, kind, typestore=TYPES, offered_qos_profiles=[offered()] if profiles is None else profiles
        )
        chatter = writer.add_connection("/chatter", TEXT, typestore=TYPES) if texts else None
        for index, frame in enumerate(frames):
            received = stamp_of(index) + round(RECEIVED_LATER * 1e9)
            stamp = stamp_of(index) if stamps is None else round(stamps[index] * 1e9)
            writer.write(images, received, TYPES.serialize_cdr(make(frame, stamp), kind))
            if index < texts:
                writer.write(chatter, received, TYPES.serialize_cdr(TYPES.types[TEXT](str(index)), TEXT))
    return path
