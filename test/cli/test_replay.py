"""`dfer replay`: real bags over real DDS."""

import fcntl
import itertools
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
from made_bags import FORMS, IMAGE_TOPIC, PERIOD, RAW, START, TEXT, TYPES, offered, raw_image, stamp_of, write_clip
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from ros_listener import Listener, quality
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import StoragePlugin, Writer
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dfer_ros.cli.main import main
from dfer_ros.ros.waiting import wait_until

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]
FRAMES = 15
PICTURES = [np.random.default_rng(index).integers(0, 256, (48, 64, 3), dtype=np.uint8) for index in range(90)]
EXPECTED = [TYPES.serialize_cdr(raw_image(PICTURES[index], stamp_of(index)), RAW).tobytes() for index in range(90)]
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
CLOCK_QUALITY = quality(ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def listener():
    with Listener() as made:
        yield made


@pytest.fixture
def bag(tmp_path):
    return write_clip(tmp_path / "bag", PICTURES[:FRAMES], texts=5)


def replay(*arguments):
    """Return the exit code of `dfer replay ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main(["replay", *map(str, arguments)])
    return ended.value.code


def clock_times(listener):
    """Return the seconds that /clock told, from the begin of the bag."""
    clocks = [deserialize_message(data, Clock).clock for data in listener.heard["/clock"]]
    return [clock.sec - START + clock.nanosec * 1e-9 for clock in clocks]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_bag_is_played_byte_by_byte(listener, tmp_path, form):
    listener.listen(Image, IMAGE_TOPIC)
    assert replay(write_clip(tmp_path / "bag", PICTURES[:FRAMES], form), "--rate", 2) == 0
    assert wait_until(lambda: len(listener.heard[IMAGE_TOPIC]) == FRAMES)
    assert listener.heard[IMAGE_TOPIC] == EXPECTED[:FRAMES]


def test_compressed_images_are_played(listener, tmp_path):
    topic = f"{IMAGE_TOPIC}/compressed"
    listener.listen(CompressedImage, topic)
    assert replay(write_clip(tmp_path / "bag", PICTURES[:FRAMES], "sqlite3", compressed=True)) == 0
    assert wait_until(lambda: len(listener.heard[topic]) == FRAMES)
    assert deserialize_message(listener.heard[topic][0], CompressedImage).format == "png"


def test_the_clock_follows_the_bag_and_messages_come_at_their_times(listener, bag, capsys):
    listener.listen(Image, IMAGE_TOPIC)
    listener.listen(Clock, "/clock", CLOCK_QUALITY)
    assert replay(bag, "--rate", 0.5) == 0
    assert wait_until(lambda: len(listener.heard[IMAGE_TOPIC]) == FRAMES)
    end = pytest.approx((FRAMES - 1) * PERIOD + 0.002, abs=1e-6)
    assert wait_until(lambda: clock_times(listener)[-1:] == [end])
    times = clock_times(listener)
    assert times == sorted(times)
    assert times[0] == pytest.approx(0.002, abs=1e-6)
    # 40 Hz, for a second: a busy machine may leave some out.
    assert len(times) > 10
    arrived = listener.arrived[IMAGE_TOPIC]
    # Clearly longer than the bag, also where the first one came late.
    assert arrived[-1] - arrived[0] > 1.2 * (FRAMES - 1) * PERIOD
    said = re.match(
        rf"{FRAMES + 5} messages on 2 topics in ([\d.]+) s; [\d.]+ ms late \(median\), [\d.]+ ms \(99th",
        capsys.readouterr().out,
    )
    # Twice as long as the bag, whatever a busy machine adds.
    assert float(said[1]) > 0.9 * 2 * (FRAMES - 1) * PERIOD


def test_no_clock_is_told_where_none_is_wanted(listener, bag):
    listener.listen(Image, IMAGE_TOPIC)
    listener.listen(Clock, "/clock", CLOCK_QUALITY)
    assert replay(bag, "--clock", 0) == 0
    assert wait_until(lambda: len(listener.heard[IMAGE_TOPIC]) == FRAMES)
    assert listener.heard["/clock"] == []


def test_a_clock_in_the_bag_makes_way_for_ours(listener, tmp_path, capsys):
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        clock = writer.add_connection("/clock", "rosgraph_msgs/msg/Clock", typestore=TYPES)
        text = writer.add_connection("/chatter", TEXT, typestore=TYPES)
        time_of_old = TYPES.types["builtin_interfaces/msg/Time"](5, 0)
        old = TYPES.types["rosgraph_msgs/msg/Clock"](time_of_old)
        for index in range(5):
            writer.write(clock, stamp_of(index), TYPES.serialize_cdr(old, "rosgraph_msgs/msg/Clock"))
            writer.write(text, stamp_of(index), TYPES.serialize_cdr(TYPES.types[TEXT]("hello"), TEXT))
    listener.listen(String, "/chatter")
    listener.listen(Clock, "/clock", CLOCK_QUALITY)
    assert replay(tmp_path / "bag") == 0
    assert wait_until(lambda: listener.heard["/clock"])
    assert min(clock_times(listener)) >= 0.0
    assert "The bag's own /clock is left out" in capsys.readouterr().err


def test_a_part_some_topics_and_other_names_are_played(listener, bag):
    listener.listen(Image, "/front/image")
    listener.listen(String, "/chatter")
    remap = f"{IMAGE_TOPIC}:=/front/image"
    assert replay(bag, "--start", 0.2, "--duration", 0.1, "--topics", IMAGE_TOPIC, "--remap", remap) == 0
    assert wait_until(lambda: len(listener.heard["/front/image"]) == 3)
    assert listener.heard["/front/image"] == EXPECTED[6:9]
    assert listener.heard["/chatter"] == []


@pytest.mark.parametrize(
    ("profiles", "reliability", "durability"),
    [
        ([offered(QosReliability.BEST_EFFORT)] * 2, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        (
            [offered(durability=QosDurability.TRANSIENT_LOCAL)],
            ReliabilityPolicy.RELIABLE,
            DurabilityPolicy.TRANSIENT_LOCAL,
        ),
    ],
)
def test_topics_are_offered_as_they_were_recorded(listener, tmp_path, profiles, reliability, durability):
    seen = []

    def look(_):
        seen.extend(info.qos_profile for info in listener.publishers(IMAGE_TOPIC) if info.node_name == "dfer_replay")

    listener.node.create_subscription(Image, IMAGE_TOPIC, look, quality(ReliabilityPolicy.BEST_EFFORT))
    assert replay(write_clip(tmp_path / "bag", PICTURES, profiles=profiles)) == 0
    assert (seen[0].reliability, seen[0].durability) == (reliability, durability)


def test_nobody_who_listens_is_said(bag, capsys):
    assert replay(bag, "--wait", 0.3) == 0
    assert f"Nobody listens to {IMAGE_TOPIC} after 0.3 s" in capsys.readouterr().err


def test_a_late_subscriber_is_waited_for(bag):
    command = [*DFER, "replay", str(bag), "--wait", "60"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Listener() as listener:
        assert wait_until(lambda: listener.publishers(IMAGE_TOPIC))
        listener.listen(Image, IMAGE_TOPIC)
        said, warned = process.communicate(timeout=120)
        assert process.returncode == 0, said + warned
        assert wait_until(lambda: len(listener.heard[IMAGE_TOPIC]) == FRAMES)
        assert listener.heard[IMAGE_TOPIC] == EXPECTED[:FRAMES]
    assert "Nobody" not in warned


def test_a_topic_that_somebody_else_publishes_as_well_is_named(listener, bag, capsys):
    listener.node.create_publisher(String, "/chatter", 1)
    listener.listen(Image, IMAGE_TOPIC)
    assert replay(bag) == 0
    assert "/chatter is published by /listener as well" in capsys.readouterr().err


def test_a_loop_begins_again_until_ctrl_c(listener, bag):
    listener.listen(Image, IMAGE_TOPIC)
    listener.listen(Clock, "/clock", CLOCK_QUALITY)
    process = subprocess.Popen([*DFER, "replay", str(bag), "--loop"], stdout=subprocess.PIPE, text=True)
    assert wait_until(lambda: len(listener.heard[IMAGE_TOPIC]) > 2 * FRAMES)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert re.search(r"messages on 2 topics in [\d.]+ s, \d+ times; ", said)
    assert listener.heard[IMAGE_TOPIC][: 2 * FRAMES] == EXPECTED[:FRAMES] * 2
    times = clock_times(listener)
    assert sum(later < earlier for earlier, later in itertools.pairwise(times)) >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_subscribers_can_be_ended(bag, number):
    process = subprocess.Popen([*DFER, "replay", str(bag), "--wait", "60"], stderr=subprocess.PIPE, text=True)
    with Listener() as listener:
        assert wait_until(lambda: listener.publishers(IMAGE_TOPIC))
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_space_pauses_and_goes_on(listener, tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES)
    listener.listen(Image, IMAGE_TOPIC)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*DFER, "replay", str(bag), "--rate", "0.2"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(theirs),
    )
    heard = listener.heard[IMAGE_TOPIC]
    assert wait_until(lambda: len(heard) >= 5)
    os.write(ours, b" ")

    def nothing_comes():
        before = len(heard)
        time.sleep(1.0)
        return len(heard) == before

    assert wait_until(nothing_comes)
    assert len(heard) < len(PICTURES)
    os.write(ours, b" ")
    said, _ = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert wait_until(lambda: len(heard) == len(PICTURES))
    assert heard == EXPECTED
    # What came after the pause was not late for it.
    assert float(re.search(r"([\d.]+) ms late \(median\)", said)[1]) < 900.0


def _take_terminal(terminal):
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def write_odd_bag(path, also=True):
    """Write a bag with a topic whose type nobody has, and a text where asked for."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        odd = writer.add_connection("/odd", "odd_msgs/msg/Odd", msgdef="uint8 x", rihs01="RIHS01_" + 64 * "0")
        writer.write(odd, stamp_of(0), b"\0\1\0\0\5")
        if also:
            text = writer.add_connection("/chatter", TEXT, typestore=TYPES)
            writer.write(text, stamp_of(1), TYPES.serialize_cdr(TYPES.types[TEXT]("hello"), TEXT))
    return path


def test_a_topic_of_an_unknown_type_is_left_out_and_named(listener, tmp_path, capsys):
    listener.listen(String, "/chatter")
    assert replay(write_odd_bag(tmp_path / "bag")) == 0
    said = capsys.readouterr()
    assert "/odd is left out: its type odd_msgs/msg/Odd is not installed here (package odd_msgs)" in said.err
    assert "1 message on 1 topic" in said.out
    assert wait_until(lambda: len(listener.heard["/chatter"]) == 1)


def test_a_bag_of_unknown_types_only_is_an_error(tmp_path, capsys):
    assert replay(write_odd_bag(tmp_path / "bag", also=False)) == 1
    assert "can be played. /odd is left out" in capsys.readouterr().err


def test_a_bag_that_is_damaged_further_on_is_an_error_after_what_is_whole(listener, tmp_path, capsys):
    bag = write_clip(tmp_path / "bag", PICTURES[:5], "mcap, message zstd")
    file = next(bag.glob("*.mcap"))
    parts = file.read_bytes().split(ZSTD_MAGIC)
    file.write_bytes(ZSTD_MAGIC.join(parts[:4]) + b"gone" + ZSTD_MAGIC.join(parts[4:]))
    listener.listen(Image, IMAGE_TOPIC)
    assert replay(bag) == 1
    assert f"dfer replay: The bag {bag} is damaged: " in capsys.readouterr().err
    assert wait_until(lambda: listener.heard[IMAGE_TOPIC] == EXPECTED[:3])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/nowhere"], "There is no bag /nowhere"),
        (["{bag}", "--topics", "/image"], "has no topic /image; its topics: /camera/image_raw (sensor_msgs/msg/Image)"),
        (["{bag}", "--start", "20"], "lasts 0.5 s: --start must be less"),
        (["{bag}", "--start", "inf"], "lasts 0.5 s: --start must be less"),
        (["{bag}", "--duration", "0"], "--duration must be above 0"),
        (["{bag}", "--rate", "0"], "--rate must be above 0"),
        (["{bag}", "--rate", "nan"], "--rate must be above 0"),
        (["{bag}", "--wait", "-1"], "--clock and --wait must be 0 or more"),
        (["{bag}", "--remap", "/a"], "--remap takes OLD:=NEW"),
        (["{bag}", "--remap", "/a:=/b"], "--remap names /a, which is not played; the topics are: /camera/image_raw"),
        (["{bag}", "--remap", "/chatter:=/1 b"], "/1 b is no valid name of a topic"),
    ],
)
def test_what_cannot_be_played_is_said_in_a_sentence(bag, capsys, arguments, sentence):
    assert replay(*(argument.format(bag=bag) for argument in arguments)) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize("form", ["mcap", "sqlite3"])
def test_a_truncated_bag_and_one_without_metadata_are_errors(tmp_path, capsys, form):
    bag = write_clip(tmp_path / "bag", PICTURES[:5], form)
    file = next(file for file in bag.iterdir() if file.name != "metadata.yaml")
    file.write_bytes(file.read_bytes()[:5000])
    assert replay(bag) == 1
    assert f"{bag} cannot be read as a bag: " in capsys.readouterr().err
    (bag / "metadata.yaml").unlink()
    assert replay(bag) == 1
    assert f"'dfer record --repair {bag} --output NEW'" in capsys.readouterr().err
