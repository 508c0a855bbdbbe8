import contextlib
import sqlite3
import subprocess
import sys

import pytest
import yaml
from made_bags import IMAGE_TOPIC, RAW, START, TEXT, TYPES, offered, raw_image, stamp_of
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosReliability

from dfer_ros.bags.message_definitions import define_type
from dfer_ros.bags.writer import STORAGES, BagWriter
from dfer_ros.core.errors import SourceError

MESSAGES = 5
OFFERED = [offered(), offered(QosReliability.BEST_EFFORT)]
PROFILE = {
    **{"history": 3, "depth": 0, "reliability": 1, "durability": 2, "liveliness": 1},
    **{name: {"sec": 9223372036, "nsec": 854775807} for name in ("deadline", "lifespan", "liveliness_lease_duration")},
    "avoid_ros_namespace_conventions": False,
}
"""As rosbag2 writes what a reliable publisher offered, up to version 8."""


def data_of(clip):
    return [TYPES.serialize_cdr(raw_image(clip[index], stamp_of(index)), RAW).tobytes() for index in range(MESSAGES)]


@pytest.fixture(params=STORAGES)
def bag(request, tmp_path, clip):
    """A bag of five images, and of a text that comes after the first flush."""
    writer = BagWriter(tmp_path / "bag", request.param)
    images = writer.add_topic(IMAGE_TOPIC, RAW, define_type(RAW), OFFERED)
    for index, data in enumerate(data_of(clip)):
        writer.write(images, stamp_of(index), data)
        writer.flush()
    texts = writer.add_topic("/chatter", TEXT, define_type(TEXT), [])
    writer.write(texts, stamp_of(1), TYPES.serialize_cdr(TYPES.types[TEXT]("hello"), TEXT).tobytes())
    writer.close()
    return request.param, tmp_path / "bag"


def test_what_is_written_is_read_with_its_types_in_the_order_of_time(bag, clip):
    _, path = bag
    with AnyReader([path]) as reader:  # checks definitions against hashes
        messages = [(connection.topic, at, data) for connection, at, data in reader.messages()]
        assert [m[1] for m in messages] == sorted([*map(stamp_of, range(MESSAGES)), stamp_of(1)])
        assert [data for topic, _, data in messages if topic == IMAGE_TOPIC] == data_of(clip)
        assert reader.connections[0].ext.offered_qos_profiles == OFFERED


def test_the_metadata_are_those_of_rosbag2(bag):
    storage, path = bag
    metadata = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    file = f"bag.{'mcap' if storage == 'mcap' else 'db3'}"
    duration = {"nanoseconds": stamp_of(MESSAGES - 1) - stamp_of(0)}
    begin = {"nanoseconds_since_epoch": START * 10**9}
    topics = metadata.pop("topics_with_message_count")
    assert metadata == {
        **{"version": 8, "storage_identifier": storage, "duration": duration, "starting_time": begin},
        **{"message_count": MESSAGES + 1, "compression_format": "", "compression_mode": "", "custom_data": None},
        "relative_file_paths": [file],
        "files": [{"path": file, "starting_time": begin, "duration": duration, "message_count": MESSAGES + 1}],
        "ros_distro": "rosbags",
    }
    assert [topic["message_count"] for topic in topics] == [MESSAGES, 1]
    image = topics[0]["topic_metadata"]
    assert (image["name"], image["type"], image["serialization_format"]) == (IMAGE_TOPIC, RAW, "cdr")
    assert image["type_description_hash"] == "RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47"
    assert yaml.safe_load(image["offered_qos_profiles"]) == [PROFILE, {**PROFILE, "reliability": 2}]


@pytest.mark.parametrize("bag", ["mcap"], indirect=True)
def test_the_mcap_file_is_one_for_its_own_library(bag, clip):
    with (bag[1] / "bag.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        channels = {channel.topic: channel for channel in summary.channels.values()}
        assert summary.statistics.message_count == MESSAGES + 1
        assert summary.schemas[channels[IMAGE_TOPIC].schema_id].name == RAW
        assert summary.schemas[channels[IMAGE_TOPIC].schema_id].encoding == "ros2msg"
        assert yaml.safe_load(channels[IMAGE_TOPIC].metadata["offered_qos_profiles"])[0] == PROFILE
        assert channels["/chatter"].metadata["topic_type_hash"] == define_type(TEXT).hash
        assert [m.data for _, _, m in reader.iter_messages(IMAGE_TOPIC)] == data_of(clip)
        (told,) = reader.iter_metadata()
        assert told.name == "rosbag2"
        assert yaml.safe_load(told.metadata["serialized_metadata"])["message_count"] == MESSAGES + 1


@pytest.mark.parametrize("bag", ["sqlite3"], indirect=True)
def test_the_database_has_the_tables_of_rosbag2(bag):
    with contextlib.closing(sqlite3.connect(bag[1] / "bag.db3")) as database:
        topics = "name, type, serialization_format, offered_qos_profiles, type_description_hash"
        name, kind, form, profiles, digest = database.execute(f"SELECT {topics} FROM topics").fetchone()
        assert (name, kind, form, digest) == (IMAGE_TOPIC, RAW, "cdr", define_type(RAW).hash)
        assert yaml.safe_load(profiles)[0] == PROFILE
        assert database.execute("SELECT schema_version FROM schema").fetchone() == (4,)
        definitions = "topic_type, encoding, type_description_hash"
        assert database.execute(f"SELECT {definitions} FROM message_definitions").fetchall() == [
            (RAW, "ros2msg", define_type(RAW).hash),
            (TEXT, "ros2msg", define_type(TEXT).hash),
        ]


@pytest.mark.parametrize("storage", STORAGES)
def test_before_it_is_finished_a_bag_has_no_metadata(tmp_path, storage):
    writer = BagWriter(tmp_path / "bag", storage)
    topic = writer.add_topic("/chatter", TEXT, define_type(TEXT), [])
    writer.write(topic, 1, b"\0\1\0\0")
    writer.flush()
    assert [file.suffix for file in (tmp_path / "bag").iterdir()] == [".mcap" if storage == "mcap" else ".db3"]
    writer.close()
    assert (tmp_path / "bag" / "metadata.yaml").is_file()


@pytest.mark.parametrize("storage", STORAGES)
def test_a_bag_without_messages_is_taken_away(tmp_path, storage):
    writer = BagWriter(tmp_path / "bag", storage)
    writer.add_topic("/chatter", TEXT, define_type(TEXT), [])
    writer.flush()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(SourceError, match="bag exists already: choose another name with --output"):
        BagWriter(tmp_path / "bag")
    assert list((tmp_path / "bag").iterdir()) == []


def test_a_place_that_is_no_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"bag cannot be written \(Not a directory\): choose another place"):
        BagWriter(tmp_path / "file" / "bag")


@pytest.mark.parametrize("storage", STORAGES)
def test_a_full_disk_is_an_error_and_what_was_written_before_is_left(tmp_path, storage):
    program = (
        "import resource\n"
        "from pathlib import Path\n"
        "from dfer_ros.bags.writer import BagWriter\n"
        "from dfer_ros.bags.message_definitions import define_type\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        f"writer = BagWriter(Path({str(tmp_path / 'bag')!r}), {storage!r})\n"
        f"topic = writer.add_topic('/chatter', {TEXT!r}, define_type({TEXT!r}), [])\n"
        "for index in range(100):\n"
        "    writer.write(topic, index, bytes(50_000))\n"
        "    writer.flush()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"SourceError: The bag {tmp_path / 'bag'} cannot be written any further (" in done.stderr
    assert not (tmp_path / "bag" / "metadata.yaml").exists()
    assert sum(file.stat().st_size for file in (tmp_path / "bag").iterdir()) > 500_000
