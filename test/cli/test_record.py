"""`dfer record`: real messages over real DDS into bags that `rosbags` and `dfer replay` read."""

import itertools
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from made_bags import IMAGE_TOPIC, TYPES, raw_image, stamp_of, write_clip
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from ros_listener import Listener, quality
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import String

from dfer_msgs.msg import Emotion, EmotionArray, Face, FaceArray
from dfer_ros.bags.recorder import BagRecorder
from dfer_ros.bags.writer import BagWriter
from dfer_ros.cli.main import main
from dfer_ros.recordings.bag_emotions import read_bag_emotions
from dfer_ros.ros.waiting import wait_until

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]
EMOTIONS, FACES = "/dfer/emotions", "/dfer/faces"
PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def record(*arguments):
    """Return the exit code of `dfer record ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main(["record", *map(str, arguments)])
    return ended.value.code


def record_until(condition, *arguments):
    """Return the exit code of `dfer record ARGUMENTS`, which Ctrl-C ends as soon as a condition holds."""
    ended = threading.Event()

    def press_ctrl_c():
        wait_until(lambda: ended.is_set() or condition())
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press_ctrl_c)
    thread.start()
    try:
        return record(*arguments)
    finally:
        ended.set()
        thread.join()


def emotions(index):
    message = EmotionArray(emotions=[Emotion(face_id="face1", expression="happy", confidence=0.9)])
    message.emotions[0].probabilities[1] = 0.9
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_of(index), 10**9)
    return message


def faces(index):
    message = FaceArray(header=emotions(index).header, faces=[Face(id="face1")])
    message.faces[0].aligned.data = bytes(range(256)) * 100
    return message


def image(index):
    data = TYPES.serialize_cdr(raw_image(PICTURE, stamp_of(index)), "sensor_msgs/msg/Image")
    return deserialize_message(data.tobytes(), Image)


class Robot:
    """Publishes emotions, faces and images at 50 Hz from the moment at which a recorder listens to emotions.

    sent: the bytes of the messages by topic.
    """

    def __init__(self, listener):
        self._publishers = [
            (emotions, listener.node.create_publisher(EmotionArray, EMOTIONS, quality(depth=10))),
            (faces, listener.node.create_publisher(FaceArray, FACES, quality(depth=10))),
            (image, listener.node.create_publisher(Image, IMAGE_TOPIC, quality(ReliabilityPolicy.BEST_EFFORT))),
        ]
        self._ended = threading.Event()
        self.sent = {EMOTIONS: [], FACES: [], IMAGE_TOPIC: []}
        self._sent_before = 0
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def is_recorded(self, *topics):
        """Return whether 50 messages were sent since somebody has listened to emotions and to some other topics."""
        wanted = (EMOTIONS, *topics)
        publishers = [publisher for _, publisher in self._publishers if publisher.topic_name in wanted]
        if not all(publisher.get_subscription_count() for publisher in publishers):
            self._sent_before = len(self.sent[EMOTIONS])
        return len(self.sent[EMOTIONS]) > self._sent_before + 50

    def _publish(self):
        wait_until(lambda: self._publishers[0][1].get_subscription_count() or self._ended.is_set())
        for index in itertools.count():
            if self._ended.wait(0.02):
                return
            for make, publisher in self._publishers:
                # As bytes: what lies between the fields is not the same each time that a message is serialized.
                data = serialize_message(make(index))
                self.sent[publisher.topic_name].append(data)
                publisher.publish(data)


@pytest.fixture
def listener():
    with Listener() as made:
        yield made


def read(bag):
    """Return the serialized messages of a bag by topic; the reader checks definitions against hashes."""
    with AnyReader([bag]) as reader:
        messages = {connection.topic: [] for connection in reader.connections}
        for connection, _, data in reader.messages():
            messages[connection.topic].append(bytes(data))
    return messages


def padded(data):
    """Return serialized bytes at the length of a multiple of four, which DDS may or may not make of them."""
    return data + bytes(-len(data) % 4)


def numbers(messages, robot, topic=EMOTIONS):
    """Return which of the messages that the robot sent these are, each byte by byte."""
    known = {padded(data): index for index, data in enumerate(robot.sent[topic])}
    return [known[padded(data)] for data in messages[topic]]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_emotions_and_what_was_asked_for_are_recorded_byte_by_byte(listener, tmp_path, storage, capsys):
    bag = tmp_path / "bag"
    with Robot(listener) as robot:
        options = ["--faces", "--image", IMAGE_TOPIC, "--storage", storage]
        assert record_until(lambda: robot.is_recorded(FACES, IMAGE_TOPIC), "-o", bag, *options) == 0
    messages = read(bag)
    assert list(messages) == [EMOTIONS, FACES, IMAGE_TOPIC]
    got = numbers(messages, robot)
    # None is left out between the first and the last; when these were, a busy machine decides.
    assert got == list(range(got[0], got[-1] + 1))
    assert len(got) > 10
    assert len(numbers(messages, robot, FACES)) > 10
    assert len(numbers(messages, robot, IMAGE_TOPIC)) > 10
    said = capsys.readouterr().out
    assert f"{EMOTIONS}: {len(got)} messages" in said
    assert re.search(rf"{sum(map(len, messages.values()))} messages, [\d.]+ MB -> {bag}", said)


def test_without_faces_no_picture_is_recorded(listener, tmp_path):
    with Robot(listener):
        assert record("-o", tmp_path / "bag", "--duration", 8) == 0
    assert list(read(tmp_path / "bag")) == [EMOTIONS]


def test_types_and_profiles_are_those_that_the_graph_tells(listener, tmp_path):
    with Robot(listener) as robot:
        options = ["--faces", "--image", IMAGE_TOPIC]
        assert record_until(lambda: robot.is_recorded(FACES, IMAGE_TOPIC), "-o", tmp_path / "bag", *options) == 0
    with AnyReader([tmp_path / "bag"]) as reader:
        for connection in reader.connections:
            (publisher,) = listener.publishers(connection.topic)
            assert connection.msgtype == publisher.topic_type
            assert connection.digest == str(publisher.topic_type_hash)
            (profile,) = connection.ext.offered_qos_profiles
            assert profile.reliability.value == publisher.qos_profile.reliability.value
            assert profile.reliability is (
                QosReliability.BEST_EFFORT if connection.topic == IMAGE_TOPIC else QosReliability.RELIABLE
            )
            assert profile.durability is QosDurability.VOLATILE


def test_what_is_recorded_is_played_again_and_recorded_again_with_its_times(listener, tmp_path):
    with Robot(listener) as robot:
        assert record_until(robot.is_recorded, "-o", tmp_path / "first") == 0
    recorder = subprocess.Popen([*DFER, "record", "-o", str(tmp_path / "second"), "--use-sim-time"])
    subprocess.run([*DFER, "replay", str(tmp_path / "first"), "--wait", "60"], check=True, timeout=120)
    time.sleep(1.0)  # what has arrived is still to be taken
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(60) == 0
    first, second = ([*map(padded, read(tmp_path / name)[EMOTIONS])] for name in ("first", "second"))
    assert first[-len(second) :] == second
    assert len(second) > 0.5 * len(first)
    received = [read_bag_emotions(tmp_path / name).received for name in ("first", "second")]
    # /clock has 40 Hz; a busy machine may miss some of it.
    assert np.abs(received[0][-len(second) :] - received[1]).max() < 1.0


def test_a_message_that_was_latched_before_is_recorded(listener, tmp_path):
    publisher = listener.node.create_publisher(String, "/map", quality(durability=DurabilityPolicy.TRANSIENT_LOCAL))
    publisher.publish(String(data="here"))

    def is_sent():
        return publisher.get_subscription_count() and publisher.wait_for_all_acked(Duration(seconds=60))

    assert record_until(is_sent, "-o", tmp_path / "bag", "--topics", "map") == 0
    (data,) = read(tmp_path / "bag")["/map"]
    assert deserialize_message(data, String).data == "here"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_polite_kill_finish_the_bag(listener, tmp_path, number):
    bag = tmp_path / "bag"
    with Robot(listener) as robot:
        command = [*DFER, "record", "-o", str(bag)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert wait_until(lambda: len(robot.sent[EMOTIONS]) > 50)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert len(numbers(read(bag), robot)) > 10


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_after_a_kill_the_bag_is_named_as_half_written_and_can_be_repaired(listener, tmp_path, storage, capsys):
    bag = tmp_path / "bag"
    with Robot(listener) as robot:
        process = subprocess.Popen([*DFER, "record", "-o", str(bag), "--storage", storage])
        assert wait_until(lambda: len(robot.sent[EMOTIONS]) > 50)
        time.sleep(2.0)
        process.kill()
        process.wait()
    with pytest.raises(SystemExit):
        main(["replay", str(bag)])
    sentence = " ".join(capsys.readouterr().err.split())
    assert f"The bag {bag} has no metadata.yaml: its recorder was killed or is still at work" in sentence
    assert record("--repair", bag, "-o", tmp_path / "whole") == 0
    got = numbers(read(tmp_path / "whole"), robot)
    assert got == list(range(got[0], got[-1] + 1))
    assert len(got) > 50
    assert f"{len(got)} messages -> {tmp_path / 'whole'}" in capsys.readouterr().out


def test_where_nothing_comes_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dfer_ros.cli.record._PATIENCE_SECONDS", 0.5)
    assert record("-o", tmp_path / "bag", "--namespace", "robot", "--duration", 1.5) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "Nobody publishes /robot/emotions yet" in said
    assert "Nothing was received, and no bag was written" in said
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_comes_the_folders_that_were_made_go_as_well(tmp_path):
    (tmp_path / "there").mkdir()
    assert record("-o", tmp_path / "there" / "new" / "bag", "--namespace", "robot", "--duration", 0.5) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_what_goes_wrong_before_the_first_message_leaves_no_bag(tmp_path, monkeypatch):
    monkeypatch.setattr("dfer_ros.cli.record._record_until_end", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["record", "-o", str(tmp_path / "bag")])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_ends_the_recording_with_a_whole_bag(listener, tmp_path, monkeypatch, capsys):
    with Robot(listener) as robot:
        monkeypatch.setattr("dfer_ros.cli.record._room", lambda _: 10.0 if robot.is_recorded() else 1000.0)
        assert record("-o", tmp_path / "bag", "--keep-free", 50, "--duration", 30) == 1
    assert "Less than 50 MB are free: the recording ended there" in " ".join(capsys.readouterr().err.split())
    assert read(tmp_path / "bag")[EMOTIONS]


def test_a_disk_that_is_full_is_an_error_with_a_way_out(listener, tmp_path):
    bag = tmp_path / "bag"
    with Robot(listener):
        done = subprocess.run(
            [*DFER, "record", "-o", str(bag), "--faces", "--storage", "mcap"],
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000)),
        )
    assert done.returncode == 1
    assert f"The bag {bag} cannot be written any further (" in done.stderr
    assert f"'dfer record --repair {bag} --output NEW'" in done.stderr
    assert "Traceback" not in done.stderr
    assert record("--repair", bag, "-o", tmp_path / "whole") == 0
    assert read(tmp_path / "whole")[FACES]


def test_topics_that_cannot_be_recorded_are_named(listener, tmp_path, monkeypatch):
    listener.node.create_publisher(String, "/two", 1)
    listener.node.create_publisher(String, "/odd", 1)
    node, said = listener.node, []
    with Listener("other") as other:
        other.node.create_publisher(Clock, "/two", 1)
        assert wait_until(lambda: len(listener.publishers("/two")) == 2)
        monkeypatch.setattr("dfer_ros.bags.recorder.message_class", lambda _: None)
        recorder = BagRecorder(node, BagWriter(tmp_path / "bag"), ["/two", "/odd", "/later"], said.append)
        recorder.look()
    assert said == [
        "/two is not recorded: it is published with several types, rosgraph_msgs/msg/Clock and std_msgs/msg/String.",
        "/odd is not recorded: its type std_msgs/msg/String is not installed here.",
    ]
    assert recorder.awaited == ["/later"]


def test_what_cannot_be_recorded_is_said_in_a_sentence(tmp_path, capsys):
    bag = write_clip(tmp_path / "bag", [PICTURE])
    (tmp_path / "file").touch()
    for arguments, sentence in (
        (["-o", bag], "bag exists already: choose another name with --output"),
        (["-o", tmp_path / "file" / "bag"], "cannot be written"),
        (["-o", tmp_path / "new", "--duration", "0"], "--duration must be above 0"),
        (["-o", tmp_path / "new", "--duration", "nan"], "--duration must be above 0"),
        (["-o", tmp_path / "new", "--keep-free", "1e12"], "make room, or lower --keep-free"),
        (["-o", tmp_path / "new", "--keep-free", "nan"], "--keep-free must be 0 or more"),
        (["-o", tmp_path / "new", "--keep-free", "-1"], "--keep-free must be 0 or more"),
        (["-o", tmp_path / "new", "--image", "bad!name"], "--image 'bad!name' is no name of a topic"),
        (["-o", tmp_path / "new", "--topics", "good", "1bad"], "--topics '1bad' is no name of a topic"),
        (["-o", tmp_path / "new", "--topics", "/a/"], "--topics '/a/' is no name of a topic"),
        (["-o", tmp_path / "new", "--topics", "/{x}"], "--topics '/{x}' is no name of a topic"),
        (["-o", tmp_path / "new", "--namespace", "bad~ns!"], "--namespace 'bad~ns!' is no namespace"),
        (["--repair", tmp_path / "absent", "-o", tmp_path / "new"], "There is no bag"),
        (["--repair", bag, "-o", bag], "exists already"),
    ):
        assert record(*arguments) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert sentence in said
        assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "file"]
