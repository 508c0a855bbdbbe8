"""The same recording gives the same answers: offline each time, on one core or all, and live as offline."""

import json
import os
import signal
import subprocess
import sys

import pytest
from made_bags import IMAGE_TOPIC, stamp_of, write_clip

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.ros.waiting import wait_until

DFER = [sys.executable, "-m", "dfer_ros.cli.main"]
RATE = 0.25
"""Of the replay: a frame in 133 ms, so that a busy machine need not leave one out."""
ROUNDING = 1e-5
"""Of the JSONL file."""


@pytest.fixture(scope="module")
def bag(clip, tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("bags") / "bag", clip)


def analyze(bag, output, cores=None):
    """Return the JSONL file of `dfer analyze`, run on some of the cores."""
    on_cores = None if cores is None else lambda: os.sched_setaffinity(0, cores)
    command = [*DFER, "analyze", str(bag), "--output", str(output), "--precision", "int8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=on_cores)
    assert done.returncode == 0, done.stderr
    return output.read_bytes()


@pytest.fixture(scope="module")
def analyzed(bag, tmp_path_factory):
    return analyze(bag, tmp_path_factory.mktemp("analyzed") / "all.jsonl")


def test_twice_and_on_one_core_gives_the_same_file(bag, analyzed, tmp_path):
    assert analyze(bag, tmp_path / "again.jsonl") == analyzed
    assert analyze(bag, tmp_path / "one.jsonl", cores={min(os.sched_getaffinity(0))}) == analyzed


@pytest.mark.parametrize("form", ["sqlite3, message zstd", "mcap, file zstd"])
def test_the_form_of_the_bag_makes_no_difference(clip, analyzed, tmp_path, form):
    assert analyze(write_clip(tmp_path / "bag", clip, form), tmp_path / "out.jsonl") == analyzed


def test_the_live_graph_agrees_with_it(nodes, probe, namespace, bag, analyzed, clip):
    patient = ("-p", "use_sim_time:=true", "-p", "max_wait_seconds:=60.0")
    nodes.start("face_detector_node", *patient)
    nodes.start("dfer_node", "-p", "precision:=int8", *patient)
    faces = probe.node.resolve_topic_name("faces")
    assert wait_until(lambda: probe.node.count_subscribers(faces) >= 2), "dfer_node hears no faces"
    remap = f"{IMAGE_TOPIC}:={namespace}/image"
    command = [*DFER, "replay", str(bag), "--remap", remap, "--rate", str(RATE), "--wait", "30"]

    def every_frame_is_answered():
        # On a busy computer one may be left out; the clock that jumps back clears what is known of the round before.
        probe.emotions.clear()
        played = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert played.returncode == 0, played.stderr
        whole = wait_until(lambda: len(probe.emotions) == len(clip), 10.0)
        assert stamp(probe.emotions[0]) == stamp_of(0) * 1e-9, "the beginning was missed"
        return whole

    assert any(every_frame_is_answered() for _ in range(5)), f"{len(probe.emotions)} of {len(clip)} answered"

    offline = [json.loads(line) for line in analyzed.splitlines()]
    live = [(stamp(message), emotion) for message in probe.emotions for emotion in message.emotions]
    assert [at for at, _ in live] == [record["stamp"] for record in offline]
    assert by_appearance(emotion.face_id for _, emotion in live) == by_appearance(r["face_id"] for r in offline)
    assert [emotion.expression for _, emotion in live] == [record["expression"] for record in offline]
    for (_, emotion), record in zip(live, offline):
        expected = [record["probabilities"][label] for label in EXPRESSIONS]
        assert list(emotion.probabilities) == pytest.approx(expected, abs=ROUNDING)
        for name in ("confidence", "valence", "arousal", "intensity", "window_seconds", "window_frames"):
            assert getattr(emotion, name) == pytest.approx(record[name], abs=ROUNDING), name
    assert live[-1][1].expression == EXPRESSIONS[1]


def test_a_bag_that_is_played_in_a_loop_begins_anew_for_everybody(nodes, probe, namespace, bag, clip):
    """The simulated clock jumps back at the end of every round; that clears once, and is said."""
    simulated = ("-p", "use_sim_time:=true", "-p", "max_wait_seconds:=60.0", "-p", "hri:=true")
    nodes.start("face_detector_node", *simulated)
    nodes.start("dfer_node", "-p", "precision:=int8", *simulated)
    faces = probe.node.resolve_topic_name("faces")
    assert wait_until(lambda: probe.node.count_subscribers(faces) >= 2), "dfer_node hears no faces"
    remap = f"{IMAGE_TOPIC}:={namespace}/image"
    command = [*DFER, "replay", str(bag), "--remap", remap, "--loop", "--wait", "30"]
    player = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def rounds():
        found = [[]]
        for message in list(probe.emotions):
            if found[-1] and stamp(message) < stamp(found[-1][-1]):
                found.append([])
            found[-1].append(message)
        return found

    assert wait_until(lambda: len(rounds()) >= 3), f"{len(rounds())} rounds in {len(probe.emotions)} answers"
    os.kill(player.pid, signal.SIGINT)
    player.communicate(timeout=60)
    *_, whole, _ = rounds()
    assert len(whole) > 5
    # The first image of a round may still be seen as the one before.
    assert len({emotion.face_id for message in whole for emotion in message.emotions}) <= 2
    assert nodes.lines("face_detector_node", "went backward") and nodes.lines("dfer_node", "went backward")
    assert not nodes.lines("dfer_node", "[ERROR]")  # of the node: DDS says so too, of a port of which there are others


def stamp(message):
    return round(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9, 6)


def by_appearance(ids):
    """Return ids as numbers in the order in which they appear: those of live faces begin with random letters."""
    numbers = {}
    return [numbers.setdefault(name, len(numbers)) for name in ids]
