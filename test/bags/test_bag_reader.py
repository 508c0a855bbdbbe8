"""Bags as recorders, converters and people leave them: what is in the files counts, and a refusal says what helps."""

import shutil
import sqlite3
import struct

import numpy as np
import pytest
import yaml
from made_bags import FORMS, IMAGE_TOPIC, PERIOD, RAW, TYPES, raw_image, write_clip
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import StoragePlugin, Writer

from dfer_ros.bags.reader import METADATA_FILE, is_bag, open_reader, read_messages
from dfer_ros.bags.repair import repair_bag
from dfer_ros.bags.selection import BagPart, select
from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.bag_images import BagImages
from dfer_ros.recordings.find_recordings import find_recordings

FRAMES = 12


@pytest.fixture(scope="module")
def frames():
    return [np.full((24, 32, 3), 10 * index, np.uint8) for index in range(FRAMES)]


def told(path):
    return yaml.safe_load((path / METADATA_FILE).read_text())["rosbag2_bagfile_information"]


def tell(path, **changes):
    """Change what the metadata of a bag say."""
    (path / METADATA_FILE).write_text(yaml.safe_dump({"rosbag2_bagfile_information": told(path) | changes}))
    return path


def write_split(path, frames, form):
    """Write a bag in three files whose metadata has the duration and counts of the first, as Humble does."""
    suffix = "mcap" if form.startswith("mcap") else "db3"
    path.mkdir()
    stamps = [1_700_000_000 + index * PERIOD for index in range(len(frames))]
    size = len(frames) // 3
    for part in range(3):
        chosen = slice(part * size, (part + 1) * size)
        name = path.parent / f"part{part}"
        with Writer(
            name, version=8, storage_plugin=StoragePlugin[{"mcap": "MCAP", "db3": "SQLITE3"}[suffix]]
        ) as writer:
            topic = writer.add_connection(IMAGE_TOPIC, RAW, typestore=TYPES)
            for frame, stamp in zip(frames[chosen], stamps[chosen]):
                message = TYPES.serialize_cdr(raw_image(frame, round(stamp * 1e9)), RAW)
                writer.write(topic, round(stamp * 1e9), message)
        shutil.move(name / f"{name.name}.{suffix}", path / f"{path.name}_{part}.{suffix}")
        if part == 0:
            shutil.copy(name / METADATA_FILE, path / METADATA_FILE)
    return tell(path, relative_file_paths=[f"{path.name}_{part}.{suffix}" for part in range(3)])


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_begin_duration_and_counts_come_from_the_messages(frames, tmp_path, form):
    bag = write_split(tmp_path / "split", frames, form)
    assert told(bag)["message_count"] == FRAMES // 3
    with open_reader(bag) as reader:
        assert reader.message_count == FRAMES
        assert reader.duration * 1e-9 == pytest.approx((FRAMES - 1) * PERIOD, abs=1e-6)
        selection = select(reader, bag, [], BagPart(start=PERIOD * (FRAMES - 2.5)))
        assert len(list(selection.messages())) == 2
        assert len(list(select(reader, bag, [], BagPart()).messages())) == FRAMES
    images = BagImages(bag, "")
    assert (images.frame_count, images.fps) == (FRAMES, pytest.approx(1 / PERIOD))


@pytest.mark.parametrize("form", FORMS)
def test_counts_of_zero_in_the_metadata_do_not_matter(frames, tmp_path, form):
    bag = write_clip(tmp_path / "bag", frames, form)
    topics = [topic | {"message_count": 0} for topic in told(bag)["topics_with_message_count"]]
    tell(bag, message_count=0, duration={"nanoseconds": 0}, topics_with_message_count=topics)
    assert len(list(BagImages(bag, "").frames())) == FRAMES
    with open_reader(bag) as reader:
        assert (reader.message_count, reader.connections[0].msgcount) == (FRAMES, FRAMES)


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
@pytest.mark.parametrize("storage", ["", None])
def test_a_bag_whose_metadata_names_no_storage_is_read(frames, tmp_path, form, storage):
    bag = tell(write_clip(tmp_path / "bag", frames, form, version=8), storage_identifier=storage)
    assert len(list(BagImages(bag, "").frames())) == FRAMES


def without_profile(content, profile=b""):
    """Return an MCAP file with another profile; the name of the library takes up the bytes."""
    assert content[21:25] == b"ros2"
    (size,) = struct.unpack_from("<I", content, 25)
    library = bytes(4 - len(profile)) + content[29 : 29 + size]
    header = struct.pack("<I", len(profile)) + profile + struct.pack("<I", len(library)) + library
    return content[:17] + header + content[29 + size :]


@pytest.fixture
def mcap(frames, tmp_path):
    """The content of an MCAP file."""
    return (write_clip(tmp_path / "whole", frames) / "whole.mcap").read_bytes()


def test_an_mcap_file_without_profile_is_read_and_repaired(mcap, tmp_path):
    file = tmp_path / "alone.mcap"
    file.write_bytes(without_profile(mcap))
    images = list(BagImages(file, "").frames())
    assert [int(frame.image[0, 0, 0]) for frame in images] == [10 * index for index in range(FRAMES)]
    assert repair_bag(file, tmp_path / "new", "mcap").messages == FRAMES


def test_an_mcap_file_of_ros1_is_said_to_be_one(mcap, tmp_path):
    file = tmp_path / "old.mcap"
    file.write_bytes(without_profile(mcap, b"ros1"))
    with pytest.raises(SourceError, match=r"holds messages of ROS 1: 'rosbags-convert --src .*old.mcap"):
        BagImages(file, "")
    with pytest.raises(SourceError, match="holds messages of ROS 1"):
        repair_bag(file, tmp_path / "new", "mcap")


def test_an_mcap_file_of_something_else_is_said_to_be_none_of_ros(mcap, tmp_path):
    file = tmp_path / "car.mcap"
    file.write_bytes(without_profile(mcap, b"car"))
    with pytest.raises(SourceError, match="holds no messages of ROS 2: its profile is 'car'") as error:
        BagImages(file, "")
    assert "--repair" not in str(error.value)


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_a_type_without_msg_is_read(frames, tmp_path, form):
    bag = write_clip(tmp_path / "bag", frames, form)
    (file,) = (path for path in bag.iterdir() if path.suffix in (".mcap", ".db3"))
    old, new = b"sensor_msgs/msg/Image", b"sensor_msgs/Image"
    if form == "mcap":
        rewrite_mcap(file, old.decode(), new.decode())
    else:
        with sqlite3.connect(file) as database:
            database.execute("UPDATE topics SET type = ?", (new.decode(),))
        database.close()
    metadata = (bag / METADATA_FILE).read_text()
    (bag / METADATA_FILE).write_text(metadata.replace(old.decode(), new.decode()))
    for path in (bag, file):
        assert len(list(BagImages(path, "").frames())) == FRAMES


def rewrite_mcap(file, old, new):
    with file.open("rb") as source:
        messages = list(make_reader(source).iter_messages())
    with file.open("wb") as target:
        writer = McapWriter(target)
        writer.start(profile="ros2")
        ids = {}
        for schema, channel, message in messages:
            if channel.id not in ids:
                kind = writer.register_schema(schema.name.replace(old, new), schema.encoding, schema.data)
                ids[channel.id] = writer.register_channel(channel.topic, "cdr", kind, channel.metadata)
            writer.add_message(ids[channel.id], message.log_time, message.data, message.publish_time)
        writer.finish()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 23}, r"its metadata.yaml is of version 23, which is newer than is known here\. Update rosbags"),
        (
            {"storage_identifier": "tape"},
            r"its messages are in the storage 'tape', which is not known here\. 'ros2 bag",
        ),
    ],
)
def test_what_is_not_known_is_named_with_what_helps(frames, tmp_path, changes, sentence):
    bag = tell(write_clip(tmp_path / "bag", frames), **changes)
    with pytest.raises(SourceError, match=sentence) as error:
        BagImages(bag, "")
    assert "report issue" not in str(error.value)


def test_a_bag_of_ros1_is_said_to_be_one(tmp_path):
    bag = tmp_path / "talk.bag"
    bag.write_bytes(b"#ROSBAG V2.0\n" + bytes(5000))
    for use in (lambda: open_reader(bag).__enter__(), lambda: repair_bag(bag, tmp_path / "new", "mcap")):
        with pytest.raises(SourceError, match=r"talk.bag is a bag of ROS 1: 'rosbags-convert --src .*talk.bag"):
            use()


@pytest.fixture
def two_recordings(mcap, tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("monday.mcap", "tuesday.mcap"):
        (folder / name).write_bytes(mcap)
    return folder


def test_two_recordings_in_one_folder_are_two(two_recordings):
    assert not is_bag(two_recordings)
    names = [path.name for path in find_recordings([str(two_recordings)]).recordings]
    assert names == ["monday.mcap", "tuesday.mcap"]


def test_two_recordings_in_one_folder_are_never_mixed(two_recordings, tmp_path):
    sentence = r"recordings holds 2 recordings \(monday.mcap, tuesday.mcap\): name one file of them"
    with pytest.raises(SourceError, match=sentence):
        repair_bag(two_recordings, tmp_path / "new", "mcap")
    with pytest.raises(SourceError, match=sentence):
        open_reader(two_recordings).__enter__()
    assert not (tmp_path / "new").exists()


def test_the_parts_of_one_recording_are_one(mcap, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    for name in ("talk_0.mcap", "talk_1.mcap"):
        (folder / name).write_bytes(mcap)
    assert is_bag(folder)
    assert repair_bag(folder, tmp_path / "new", "mcap").messages == 2 * FRAMES


def test_hidden_files_are_no_part_of_a_bag(mcap, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "talk_0.mcap").write_bytes(mcap)
    (folder / "._talk_0.mcap").write_bytes(b"\x00\x05\x16\x07")
    assert repair_bag(folder, tmp_path / "new", "mcap").messages == FRAMES


@pytest.mark.parametrize("form", ["mcap, file zstd", "sqlite3, file zstd"])
def test_a_packed_storage_file_is_read_without_its_folder(frames, tmp_path, form):
    bag = write_clip(tmp_path / "bag", frames, form)
    (file,) = bag.glob("*.zstd")
    assert len(list(BagImages(file, "").frames())) == FRAMES


@pytest.mark.parametrize("name", ["100%d?#", "12:30:05", "caf\udce9"])
@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_a_bag_is_read_whatever_its_name(frames, tmp_path, form, name):
    bag = write_clip(tmp_path / "bag", frames, form)
    bag.rename(tmp_path / name)
    assert len(list(BagImages(tmp_path / name, "").frames())) == FRAMES
    with open_reader(tmp_path / name) as reader:
        assert len(list(read_messages(reader, tmp_path / name, reader.connections))) == FRAMES
