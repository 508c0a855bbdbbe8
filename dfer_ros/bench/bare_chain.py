"""The least that could do the work, to compare with: two plain nodes without tracking, windows or diagnostics.

    python -m dfer_ros.bench.bare_chain detector --ros-args -r __ns:=/bench
    python -m dfer_ros.bench.bare_chain recognizer --ros-args -r __ns:=/bench

Every image is looked at as a whole, every crop is encoded and answered by itself, in the executor's own thread.
"""

from __future__ import annotations

import contextlib
import sys

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

from dfer_msgs.msg import EmotionArray, FaceArray
from dfer_ros.core.alignment import align_face
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.emotion import PHASE_UNKNOWN, Emotion
from dfer_ros.core.faces import Face
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.model.emotion_model import EmotionModelConfig
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import encoder_file, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.ros.image_conversion import to_bgr
from dfer_ros.ros.messages import emotion_array, face_array
from dfer_ros.ros.topics import OUTPUT, latest_only

_PRECISION = "int8"


def _detector() -> Node:
    node = rclpy.create_node("bare_detector")
    detector = create_detector(DetectorConfig())
    publisher = node.create_publisher(FaceArray, "faces", OUTPUT)

    def answer(message: Image) -> None:
        image = to_bgr(message)
        found = [(str(number), one) for number, one in enumerate(detector.detect(image))]
        faces = [Face(name, one, one.confidence, align_face(image, one.landmarks)) for name, one in found]
        publisher.publish(face_array(message.header, image.shape, faces))

    node.create_subscription(Image, "image", answer, latest_only())
    return node


def _recognizer() -> Node:
    node = rclpy.create_node("bare_recognizer")
    folder = open_model_folder(EmotionModelConfig.model)
    session = create_session(folder.verified(encoder_file(_PRECISION)), SessionConfig())
    publisher = node.create_publisher(EmotionArray, "emotions", OUTPUT)

    def answer(message: FaceArray) -> None:
        crops = [to_bgr(face.aligned) for face in message.faces]
        if not crops:
            publisher.publish(emotion_array(message.header, []))
            return
        scores = np.exp(session.run(["logits"], {"image": preprocess(crops, folder.description)})[0])
        emotions = []
        for face, row in zip(message.faces, scores / scores.sum(axis=-1, keepdims=True)):
            best = int(row.argmax())
            name, share = EXPRESSIONS[best], float(row[best])
            emotions.append(Emotion(face.id, name, share, row.astype(np.float32), 0.0, 0.0, 0.0, PHASE_UNKNOWN, 0.0, 1))
        publisher.publish(emotion_array(message.header, emotions))

    node.create_subscription(FaceArray, "faces", answer, latest_only())
    return node


def main() -> None:
    """Run one of the two."""
    cv2.setNumThreads(1)
    rclpy.init()
    node = {"detector": _detector, "recognizer": _recognizer}[sys.argv[1]]()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main()
