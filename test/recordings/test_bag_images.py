import itertools
import subprocess
import sys

import cv2
import mcap.writer
import numpy as np
import pytest
import yaml
from made_bags import FORMS, write_clip
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from dfer_ros.bags.reader import METADATA_FILE, is_bag
from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.bag_images import BagImages

TYPES = get_typestore(Stores.ROS2_HUMBLE)
RAW, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"
FRAMES, PERIOD, START = 5, 0.1, 1700000000
STORAGES = [StoragePlugin.SQLITE3, StoragePlugin.MCAP]


def picture(index):
    """Return a picture [24, 32, 3] of its own for every index."""
    return np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def header(nanoseconds):
    stamp = TYPES.types["builtin_interfaces/msg/Time"](*divmod(nanoseconds, 10**9))
    return TYPES.types["std_msgs/msg/Header"](stamp, "camera")


def raw_message(image, nanoseconds, encoding="bgr8"):
    height, width = image.shape[:2]
    return TYPES.types[RAW](header(nanoseconds), height, width, encoding, 0, 3 * width, image.ravel())


def compressed_message(image, nanoseconds, suffix=".png"):
    return TYPES.types[COMPRESSED](header(nanoseconds), suffix[1:], cv2.imencode(suffix, image)[1].ravel())


def text_message(*_):
    return TYPES.types[TEXT]("hello")


MAKERS = {RAW: raw_message, COMPRESSED: compressed_message, TEXT: text_message}


def write_bag(path, topics, storage=StoragePlugin.MCAP, frames=FRAMES, stamped=True, make=None):
    """Write a bag whose topics (type by name) carry a message every tenth of a second, received 20 ms later."""
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connections = {name: writer.add_connection(name, kind, typestore=TYPES) for name, kind in topics.items()}
        for index, (name, kind) in itertools.product(range(frames), topics.items()):
            nanoseconds = START * 10**9 + round(index * PERIOD * 1e9)
            message = (make or MAKERS[kind])(picture(index), nanoseconds if stamped else 0)
            data = TYPES.serialize_cdr(message, kind)
            writer.write(connections[name], nanoseconds + 20_000_000, data)
    return path


def data_file(bag):
    return next(file for file in bag.iterdir() if file.name != METADATA_FILE)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_bag_is_read(tmp_path, form, compressed):
    pictures = [picture(index) for index in range(FRAMES)]
    frames = list(BagImages(write_clip(tmp_path / "bag", pictures, form, compressed, texts=2), "").frames())
    assert all((frame.image == pictures[frame.index]).all() for frame in frames)
    assert len(frames) == FRAMES


@pytest.mark.parametrize("version", [8, 9])
def test_every_version_of_the_metadata_is_read(tmp_path, version):
    bag = write_clip(tmp_path / "bag", [picture(0)], version=version)
    assert f"version: {version}" in (bag / METADATA_FILE).read_text()
    assert len(list(BagImages(bag, "").frames())) == 1


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_profiles_that_were_changed_in_the_metadata_change_nothing(tmp_path, form):
    bag = write_clip(tmp_path / "bag", [picture(index) for index in range(FRAMES)], form)
    metadata = (bag / METADATA_FILE).read_text()
    assert "reliability: reliable" in metadata
    (bag / METADATA_FILE).write_text(metadata.replace("reliability: reliable", "reliability: best_effort"))
    assert len(list(BagImages(bag, "").frames())) == FRAMES


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_a_storage_file_alone_is_read(tmp_path, form):
    file = data_file(write_clip(tmp_path / "bag", [picture(0)], form))
    assert len(list(BagImages(file.rename(tmp_path / file.name), "").frames())) == 1


@pytest.mark.parametrize("form", ["mcap", "sqlite3, file zstd"])
def test_a_bag_in_several_files_is_read_in_their_order(tmp_path, form):
    bag = write_clip(tmp_path / "bag", [picture(index) for index in range(3)], form)
    rest = data_file(write_clip(tmp_path / "rest", [picture(index) for index in range(3, 5)], form))
    rest.rename(bag / rest.name)
    metadata = yaml.safe_load((bag / METADATA_FILE).read_text())
    metadata["rosbag2_bagfile_information"]["relative_file_paths"].append(rest.name)
    (bag / METADATA_FILE).write_text(yaml.safe_dump(metadata))
    images = [frame.image for frame in BagImages(bag, "").frames()]
    assert [(image == picture(index)).all() for index, image in enumerate(images)] == [True] * 5


@pytest.mark.parametrize("chunks", [True, False])
@pytest.mark.parametrize("compression", list(mcap.writer.CompressionType))
def test_a_file_of_the_mcap_library_is_read(tmp_path, compression, chunks):
    with (tmp_path / "talk.mcap").open("wb") as file:
        writer = mcap.writer.Writer(file, compression=compression, use_chunking=chunks)
        writer.start(profile="ros2", library="test")
        text, _ = TYPES.generate_msgdef(RAW, ros_version=2)
        schema = writer.register_schema(RAW, "ros2msg", text.encode())
        channel = writer.register_channel("/camera", "cdr", schema)
        for index in range(FRAMES):
            at = START * 10**9 + index
            data = bytes(TYPES.serialize_cdr(raw_message(picture(index), at), RAW))
            writer.add_message(channel, at, data, at)
        writer.finish()
    frames = list(BagImages(tmp_path / "talk.mcap", "").frames())
    assert [(frame.image == picture(frame.index)).all() for frame in frames] == [True] * FRAMES


def test_what_a_bag_defines_besides_its_images_need_not_be_understood(tmp_path):
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        images = writer.add_connection("/camera", RAW, typestore=TYPES)
        writer.add_connection("/odd", "odd_msgs/msg/Odd", msgdef="wstring<=5[<=2] $%&", rihs01="RIHS01_" + 64 * "0")
        writer.write(images, START * 10**9, TYPES.serialize_cdr(raw_message(picture(0), START * 10**9), RAW))
    assert len(list(BagImages(tmp_path / "bag", "").frames())) == 1


def test_images_whose_stamps_are_late_or_jump_back_come_as_they_are(tmp_path):
    stamps = [10.0, 10.1, 10.05, 10.2, 2.0, 2.1, 1.0]
    bag = BagImages(write_clip(tmp_path / "bag", [picture(0)] * len(stamps), stamps=stamps), "")
    for _ in range(2):
        assert [frame.stamp for frame in bag.frames()] == pytest.approx(stamps)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kind", [RAW, COMPRESSED])
def test_the_images_of_a_bag_come_in_order_with_their_own_stamps(tmp_path, storage, kind):
    bag = BagImages(write_bag(tmp_path / "bag", {"/camera": kind}, storage), "/camera")
    frames = list(bag.frames())
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert [frame.stamp - START for frame in frames] == pytest.approx(np.arange(FRAMES) * PERIOD, abs=1e-6)
    assert all((frame.image == picture(frame.index)).all() for frame in frames)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_bag_knows_its_number_of_frames_and_its_rate(tmp_path, storage):
    bag = BagImages(write_bag(tmp_path / "bag", {"/camera": RAW}, storage), "")
    assert bag.frame_count == FRAMES
    assert bag.fps == pytest.approx(1 / PERIOD, rel=1e-3)
    assert not bag.live


def test_a_bag_of_one_image_has_the_default_rate(tmp_path):
    bag = BagImages(write_bag(tmp_path / "bag", {"/camera": RAW}, frames=1), "")
    assert (bag.fps, bag.frame_count, len(list(bag.frames()))) == (30.0, 1, 1)


def test_the_only_image_topic_needs_no_name(tmp_path):
    path = write_bag(tmp_path / "bag", {"/chatter": TEXT, "/camera": RAW})
    assert len(list(BagImages(path, "").frames())) == FRAMES


@pytest.mark.parametrize("topic", ["/left", "/right/compressed"])
def test_only_the_images_of_the_topic_named_are_given(tmp_path, topic):
    path = write_bag(tmp_path / "bag", {"/left": RAW, "/right/compressed": COMPRESSED, "/chatter": TEXT})
    frames = list(BagImages(path, topic).frames())
    assert len(frames) == FRAMES
    assert all((frame.image == picture(frame.index)).all() for frame in frames)


def test_several_image_topics_are_an_error_that_lists_them(tmp_path):
    path = write_bag(tmp_path / "bag", {"/right": RAW, "/left": COMPRESSED, "/chatter": TEXT})
    with pytest.raises(SourceError, match="has several image topics: choose one of /left, /right with --topic"):
        BagImages(path, "")


@pytest.mark.parametrize("topic", ["/left", "left"])
def test_the_slash_before_a_topic_may_be_left_out(tmp_path, topic):
    path = write_bag(tmp_path / "bag", {"/right": RAW, "/left": COMPRESSED})
    assert len(list(BagImages(path, topic).frames())) == FRAMES


@pytest.mark.parametrize("topic", ["/camera", "camera", "/chatter"])
def test_a_wrong_topic_is_an_error_that_lists_those_with_images(tmp_path, topic):
    path = write_bag(tmp_path / "bag", {"/right": RAW, "/left": COMPRESSED, "/chatter": TEXT})
    with pytest.raises(SourceError, match=f"has no image topic {topic}: choose one of /left, /right with --topic"):
        BagImages(path, topic)


def test_a_bag_without_images_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"There are no images in the bag .*/chatter \(std_msgs/msg/String\)"):
        BagImages(write_bag(tmp_path / "bag", {"/chatter": TEXT}), "")


def test_images_without_stamps_are_stamped_by_the_recorder(tmp_path):
    bag = BagImages(write_bag(tmp_path / "bag", {"/camera": RAW}, stamped=False), "")
    expected = 0.02 + np.arange(FRAMES) * PERIOD
    assert [frame.stamp - START for frame in bag.frames()] == pytest.approx(expected, abs=1e-6)


def test_jpeg_images_are_read(tmp_path):
    def make(_, nanoseconds):
        return compressed_message(np.full((24, 32, 3), 77, np.uint8), nanoseconds, ".jpg")

    path = write_bag(tmp_path / "bag", {"/camera": COMPRESSED}, make=make)
    assert all(np.abs(frame.image.astype(int) - 77).max() <= 2 for frame in BagImages(path, "").frames())


def test_raw_images_of_other_encodings_are_converted(tmp_path):
    def make(image, nanoseconds):
        return raw_message(np.ascontiguousarray(image[..., ::-1]), nanoseconds, "rgb8")

    path = write_bag(tmp_path / "bag", {"/camera": RAW}, make=make)
    assert all((frame.image == picture(frame.index)).all() for frame in BagImages(path, "").frames())


def test_images_of_an_encoding_that_is_not_known_are_passed_over_and_named(tmp_path):
    path = write_bag(tmp_path / "bag", {"/camera": RAW}, make=lambda image, at: raw_message(image, at, "64FC1"))
    bag = BagImages(path, "")
    assert list(bag.frames()) == []
    assert len(bag.unreadable) == bag.frame_count
    assert "'64FC1' is not supported" in bag.unreadable[0]


def test_a_bag_can_be_walked_again(tmp_path):
    bag = BagImages(write_bag(tmp_path / "bag", {"/camera": RAW}), "")
    assert [frame.stamp for frame in bag.frames()] == [frame.stamp for frame in bag.frames()]


def test_a_folder_is_a_bag_by_its_metadata(tmp_path):
    assert is_bag(write_bag(tmp_path / "bag", {"/camera": RAW}))
    assert not is_bag(tmp_path)
    assert not is_bag(tmp_path / "absent")


@pytest.mark.parametrize("form", ["mcap", "sqlite3, file zstd"])
def test_a_bag_without_metadata_is_an_error_that_says_what_to_do(tmp_path, form):
    path = write_clip(tmp_path / "bag", [picture(0)], form)
    (path / METADATA_FILE).unlink()
    assert is_bag(path)
    with pytest.raises(SourceError, match=f"The bag {path} has no metadata.yaml: .*'dfer record --repair {path} --out"):
        BagImages(path, "")


@pytest.mark.parametrize("other", ["0.png", "talk.MP4"])
def test_a_folder_of_images_or_videos_and_storage_files_is_no_bag(tmp_path, other):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "other.mcap").touch()
    (tmp_path / "folder" / other).touch()
    assert not is_bag(tmp_path / "folder")


@pytest.mark.parametrize("form", ["mcap", "sqlite3, file zstd"])
def test_a_bag_without_metadata_is_known_under_another_name(tmp_path, form):
    path = write_clip(tmp_path / "bag", [picture(0)], form).rename(tmp_path / "renamed")
    (path / METADATA_FILE).unlink()
    assert is_bag(path)
    with pytest.raises(SourceError, match=f"The bag {path} has no metadata.yaml: .*'dfer record --repair {path} --out"):
        BagImages(path, "")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("absent", "There is no bag .*absent"),
        ("empty", "The folder .*empty is no bag: it holds no metadata.yaml"),
        ("talk.mp4", "talk.mp4 is no bag: give a folder"),
        ("cut.mcap", "cut.mcap has no end: its recorder was killed"),
    ],
)
def test_what_is_no_bag_is_named_so(tmp_path, name, sentence):
    (tmp_path / "empty").mkdir()
    for file in ("talk.mp4", "cut.mcap"):
        (tmp_path / file).write_bytes(b"\x89MCAP0\r\nand so on")
    with pytest.raises(SourceError, match=sentence):
        BagImages(tmp_path / name, "")


def test_no_room_to_unpack_a_bag_is_said(tmp_path):
    bag = write_clip(tmp_path / "bag", [picture(index) for index in range(100)], "mcap, file zstd")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from dfer_ros.recordings.bag_images import BagImages\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"BagImages(Path({str(bag)!r}), '')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"SourceError: There is no room to unpack {bag} in " in done.stderr


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_truncated_bag_is_an_error_that_names_it(tmp_path, storage, kept):
    path = write_bag(tmp_path / "bag", {"/camera": RAW}, storage)
    data = data_file(path).read_bytes()
    data_file(path).write_bytes(data[: int(kept * len(data))])
    remedy = rf"'dfer record --repair {path} --output NEW' makes a whole bag of what is there\.$"
    with pytest.raises(SourceError, match=rf"{path} cannot be read as a bag: .*[^.]\. {remedy}"):
        BagImages(path, "")


@pytest.mark.parametrize("content", ["", "- 1", "a: [", "rosbag2_bagfile_information: {}"])
def test_damaged_metadata_are_an_error_in_one_line(tmp_path, content):
    path = write_bag(tmp_path / "bag", {"/camera": RAW})
    (path / METADATA_FILE).write_text(content)
    remedy = f"'dfer record --repair {path} --output NEW'"
    with pytest.raises(
        SourceError, match=f"{path} cannot be read as a bag: its metadata.yaml is damaged. {remedy}"
    ) as error:
        BagImages(path, "")
    assert "\n" not in str(error.value)


def test_a_bag_without_its_storage_file_is_an_error_without_a_remedy(tmp_path):
    path = write_bag(tmp_path / "bag", {"/camera": RAW})
    data_file(path).unlink()
    with pytest.raises(SourceError, match=f"{path} cannot be read as a bag: Some database files are missing") as error:
        BagImages(path, "")
    assert "--repair" not in str(error.value)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_damaged_message_is_passed_over_and_named(tmp_path, storage):
    whole = TYPES.serialize_cdr(raw_message(picture(0), START * 10**9), RAW)
    with Writer(tmp_path / "bag", version=9, storage_plugin=storage) as writer:
        connection = writer.add_connection("/camera", RAW, typestore=TYPES)
        for index, data in enumerate((whole, whole[: len(whole) // 2], whole)):
            writer.write(connection, (START + index) * 10**9, data)
    bag = BagImages(tmp_path / "bag", "")
    frames = list(bag.frames())
    assert [frame.index for frame in frames] == [0, 2]
    assert all((frame.image == picture(0)).all() for frame in frames)
    assert bag.unreadable == [f"Message 1 of /camera in the bag {tmp_path / 'bag'} is damaged."]


def test_what_goes_wrong_with_the_reader_of_the_frames_is_not_blamed_on_the_bag(tmp_path):
    path = write_bag(tmp_path / "bag", {"/camera": RAW})
    with pytest.raises(ZeroDivisionError):
        [1 / frame.index for frame in BagImages(path, "").frames()]
