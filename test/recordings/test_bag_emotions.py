import contextlib
import itertools
import sqlite3

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from dfer_ros.bags.types import EMOTIONS_TYPE, FACES_TYPE, create_typestore
from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.bag_emotions import read_bag_crops, read_bag_emotions
from dfer_ros.recordings.emotion_track import STATES

TYPES = create_typestore()
TEXT = "std_msgs/msg/String"
FRAMES, PERIOD, START, LATENCY = 20, 0.1, 1_700_000_000, 0.025
STORAGES = [StoragePlugin.SQLITE3, StoragePlugin.MCAP]
SHARES = np.array([0.05, 0.05, 0.7, 0.05, 0.05, 0.05, 0.05], np.float32)


def header(nanoseconds):
    return TYPES.types["std_msgs/msg/Header"](
        TYPES.types["builtin_interfaces/msg/Time"](*divmod(nanoseconds, 10**9)), "camera"
    )


def emotion(face_id, expression="sad"):
    return TYPES.types["dfer_msgs/msg/Emotion"](face_id, expression, 0.7, SHARES, -0.5, 0.4, "", 0.0, 0.6, 3, 1.0, 30)


def emotions_message(frame, nanoseconds):
    return TYPES.types[EMOTIONS_TYPE](header(nanoseconds), [emotion("face1")] if frame % 2 == 0 else [])


def picture(frame):
    return np.random.default_rng(frame).integers(0, 256, (128, 128, 3), dtype=np.uint8)


def faces_message(frame, nanoseconds):
    types = TYPES.types
    point, region = types["geometry_msgs/msg/Point32"], types["sensor_msgs/msg/RegionOfInterest"]
    crop = types["sensor_msgs/msg/Image"](header(nanoseconds), 128, 128, "bgr8", 0, 384, picture(frame).ravel())
    face = types["dfer_msgs/msg/Face"]("face1", 0.9, region(1, 2, 30, 40, False), [point(0.0, 0.0, 0.0)] * 4, 0.8, crop)
    return types[FACES_TYPE](header(nanoseconds), 640, 480, [face])


def text_message(*_):
    return TYPES.types[TEXT]("hello")


MAKERS = {EMOTIONS_TYPE: emotions_message, FACES_TYPE: faces_message, TEXT: text_message}
EMOTIONS = {"/dfer/emotions": EMOTIONS_TYPE}


def write_bag(path, topics=EMOTIONS, storage=StoragePlugin.MCAP, frames=FRAMES, stamped=True, damaged=()):
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connections = {name: writer.add_connection(name, kind, typestore=TYPES) for name, kind in topics.items()}
        for frame, (name, kind) in itertools.product(range(frames), topics.items()):
            at = START * 10**9 + round(frame * PERIOD * 1e9)
            data = TYPES.serialize_cdr(MAKERS[kind](frame, at if stamped else 0), kind)
            received = at + round(LATENCY * 1e9)
            writer.write(connections[name], received, data[: len(data) // 2] if frame in damaged else data)
    return path


def without_definitions(bag):
    """Return the bag as Humble writes it: its sqlite3 files define no types."""
    with contextlib.closing(sqlite3.connect(next(bag.glob("*.db3")))) as database, database:
        database.execute("DELETE FROM message_definitions")
    return bag


@pytest.mark.parametrize("storage", [*STORAGES, "without definitions"])
def test_emotions_are_read_with_their_stamps_and_when_they_were_received(tmp_path, storage):
    humble = storage == "without definitions"
    bag = write_bag(tmp_path / "talk", storage=StoragePlugin.SQLITE3 if humble else storage)
    recording = read_bag_emotions(without_definitions(bag) if humble else bag)
    assert (recording.name, recording.remarks) == ("talk", ())
    assert recording.stamps - START == pytest.approx(np.arange(FRAMES) * PERIOD, abs=1e-6)
    assert recording.received - recording.stamps == pytest.approx(np.full(FRAMES, LATENCY), abs=1e-6)
    (track,) = recording.tracks
    assert track.stamps.tolist() == recording.stamps[::2].tolist()
    assert {STATES[state] for state in track.states} == {"sad"}
    assert track.probabilities[0] == pytest.approx(SHARES)
    assert (track.valence[0], track.arousal[0], track.intensity[0]) == pytest.approx((-0.5, 0.4, 0.6))
    assert track.phases[0] == 3


def test_the_topic_is_found_by_its_type(tmp_path):
    bag = write_bag(tmp_path / "bag", {"/chatter": TEXT, "/robot/mood": EMOTIONS_TYPE})
    assert len(read_bag_emotions(bag).stamps) == FRAMES


def test_several_topics_are_an_error_that_lists_them(tmp_path):
    bag = write_bag(tmp_path / "bag", {"/left/emotions": EMOTIONS_TYPE, "/right/emotions": EMOTIONS_TYPE})
    with pytest.raises(SourceError, match="several topics: choose one of /left/emotions, /right/emotions with --topic"):
        read_bag_emotions(bag)
    assert len(read_bag_emotions(bag, "/left/emotions").stamps) == FRAMES


def test_the_slash_before_a_topic_may_be_left_out(tmp_path):
    path = write_bag(tmp_path / "bag", {"/left/emotions": EMOTIONS_TYPE, "/right/emotions": EMOTIONS_TYPE})
    assert len(read_bag_emotions(path, "left/emotions").stamps) == FRAMES


def test_a_wrong_topic_is_an_error_that_lists_those_with_emotions(tmp_path):
    with pytest.raises(SourceError, match="has no emotions on /x: choose one of /dfer/emotions with --topic"):
        read_bag_emotions(write_bag(tmp_path / "bag"), "/x")


def test_a_bag_without_emotions_is_an_error_that_lists_its_topics(tmp_path):
    bag = write_bag(tmp_path / "bag", {"/chatter": TEXT, "/dfer/faces": FACES_TYPE})
    with pytest.raises(SourceError, match=r"topics: /chatter \(std_msgs/msg/String\), /dfer/faces \(dfer_msgs/msg/F"):
        read_bag_emotions(bag)


def test_an_empty_topic_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"The topic /dfer/emotions of the bag .* is empty\."):
        read_bag_emotions(write_bag(tmp_path / "bag", frames=0))


def test_a_bag_that_shows_nobody_is_a_recording(tmp_path, monkeypatch):
    monkeypatch.setitem(MAKERS, EMOTIONS_TYPE, lambda _, at: TYPES.types[EMOTIONS_TYPE](header(at), []))
    recording = read_bag_emotions(write_bag(tmp_path / "bag"))
    assert (recording.tracks, len(recording.stamps)) == ((), FRAMES)


def test_headers_without_stamps_are_stamped_by_the_recorder(tmp_path):
    recording = read_bag_emotions(write_bag(tmp_path / "bag", stamped=False))
    assert recording.stamps[0] == pytest.approx(START + LATENCY)
    assert recording.received is None
    assert recording.remarks == (f"{FRAMES} headers have no stamp: the time of the recorder stands for it.",)


@pytest.mark.parametrize("storage", STORAGES)
def test_few_damaged_messages_are_left_out_and_counted(tmp_path, storage):
    recording = read_bag_emotions(write_bag(tmp_path / "bag", storage=storage, damaged=[4]))
    assert len(recording.stamps) == FRAMES - 1
    assert recording.remarks == (f"1 of {FRAMES} messages are damaged and were left out.",)


def test_many_damaged_messages_are_an_error(tmp_path):
    with pytest.raises(SourceError, match=rf"5 of the {FRAMES} messages on /dfer/emotions .* are damaged"):
        read_bag_emotions(write_bag(tmp_path / "bag", damaged=range(5)))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_truncated_bag_is_an_error_in_one_line(tmp_path, storage, kept):
    bag = write_bag(tmp_path / "bag", storage=storage)
    file = next(file for file in bag.iterdir() if file.suffix != ".yaml")
    data = file.read_bytes()
    file.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(SourceError, match=r"cannot be read as a bag|is damaged|has no end") as error:
        read_bag_emotions(bag)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("faces", ["/dfer/faces", "/elsewhere"])
def test_crops_are_found_by_stamp_and_face(tmp_path, faces):
    bag = write_bag(tmp_path / "bag", {**EMOTIONS, faces: FACES_TYPE})
    stamp = float(read_bag_emotions(bag).tracks[0].stamps[3])
    crops = read_bag_crops(bag, "/dfer/emotions", [(stamp, "face1"), (stamp, "face2")])
    assert list(crops) == [(stamp, "face1")]
    assert (crops[stamp, "face1"] == picture(6)).all()


def test_crops_of_a_bag_without_faces_are_an_error(tmp_path):
    with pytest.raises(SourceError, match="There are no faces"):
        read_bag_crops(write_bag(tmp_path / "bag"), "/dfer/emotions", [(1.0, "face1")])


def test_a_type_that_nobody_defines_is_an_error(tmp_path, monkeypatch):
    bag = without_definitions(write_bag(tmp_path / "bag", storage=StoragePlugin.SQLITE3))
    monkeypatch.setattr("dfer_ros.bags.types.message_folder", lambda: None)
    with pytest.raises(SourceError, match=r"does not define dfer_msgs/msg/EmotionArray, .*: install dfer_msgs"):
        read_bag_emotions(bag)


@pytest.mark.parametrize("storage", STORAGES)
def test_one_storage_file_is_a_bag_as_well(tmp_path, storage):
    bag = write_bag(tmp_path / "bag", storage=storage)
    file = next(file for file in bag.iterdir() if file.suffix != ".yaml")
    file = file.rename(tmp_path / f"talk{file.suffix}")
    recording = read_bag_emotions(file)
    assert (recording.name, len(recording.stamps)) == ("talk", FRAMES)


def test_a_definition_that_cannot_be_read_gives_way_to_that_of_this_project(tmp_path):
    bag = write_bag(tmp_path / "bag", storage=StoragePlugin.SQLITE3)
    with contextlib.closing(sqlite3.connect(next(bag.glob("*.db3")))) as database, database:
        database.execute("UPDATE message_definitions SET encoded_message_definition = 'wstring? no'")
    assert len(read_bag_emotions(bag).stamps) == FRAMES
