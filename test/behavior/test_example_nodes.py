"""The two example nodes beside the real graph, and on their own with emotions that are said to them."""

import itertools
import time
from functools import partial

import pytest

from dfer_ros.behavior.examples.greetings import GreetingsConfig
from dfer_ros.behavior.examples.speech_rate import SpeechRateConfig
from dfer_ros.recordings.demo_clip import FPS, demo_frames
from dfer_ros.ros.waiting import wait_until

SHOWN_AT = FPS / 2
"""Images a second at which every second frame of the demo clip is shown: at its own speed."""


@pytest.fixture(scope="module")
def demo_clip():
    """Every second frame of the demo clip."""
    return list(itertools.islice(demo_frames(), 0, None, 2))


@pytest.fixture
def graph(processes, start_example, audience):
    """The real graph with both examples."""
    processes.start("face_detector_node")
    processes.start("dfer_node", "-p", "precision:=int8")
    start_example("greet_node")
    start_example("speech_rate_node")
    audience.wait_for({"image": 1, "faces": 1, "emotions": 3})
    return processes


def test_the_graph_makes_the_robot_greet_each_smiling_person_once(graph, audience, demo_clip):
    smiling = demo_clip[: round(4.0 * SHOWN_AT)]
    audience.show(smiling, SHOWN_AT)
    still = partial(audience.show, smiling[-1:], SHOWN_AT)
    assert wait_until(lambda: audience.said == [GreetingsConfig.text], pass_time=still), graph.logs
    audience.show(smiling[::-1], SHOWN_AT)
    assert audience.said == [GreetingsConfig.text], "greeted again within a while"
    assert audience.rates == [1.0], "slowed down for a smile"


def test_the_graph_makes_the_robot_speak_slower_for_who_looks_unhappy_and_recover(graph, audience, demo_clip):
    unhappy = demo_clip[round(7.4 * SHOWN_AT) :]
    audience.show(unhappy, SHOWN_AT)
    slowed = [1.0, pytest.approx(SpeechRateConfig.slow_rate)]
    still = partial(audience.show, unhappy[-1:], SHOWN_AT)
    assert wait_until(lambda: audience.rates == slowed, pass_time=still), graph.logs
    assert wait_until(lambda: audience.rates[-1] == 1.0, SpeechRateConfig.recovery_seconds + 10.0)
    for sentence in ("has looked frustrated for", "everybody looks well again"):
        # A line of the log comes by another way than the message, and may come after it.
        assert wait_until(lambda said=sentence: graph.lines("speech_rate_node", said))


def test_greet_node_says_what_its_parameters_say(start_example, audience, reader):
    start_example("greet_node", "-p", "text:=Good day.", "-p", "again_seconds:=10.0")
    reader.wait_for_listener()
    assert reader.show_until(lambda: audience.said == ["Good day."], face1="happy")
    reader.keep_showing(1.0, face1="sad")
    reader.keep_showing(1.0, face1="happy")
    assert audience.said == ["Good day."]
    time.sleep(10.0)
    assert reader.show_until(lambda: audience.said == ["Good day."] * 2, face1="happy")


def test_speech_rate_node_hears_several_cameras(start_example, audience, reader, namespace):
    topics = f"[{namespace}/front/emotions,{namespace}/rear/emotions]"
    start_example(
        "speech_rate_node",
        "-p",
        f"topics:={topics}",
        "-p",
        "slow_rate:=0.6",
        "-p",
        "sustained_seconds:=1",
    )
    reader.wait_for_listener(reader.topic("front"))
    reader.wait_for_listener(reader.topic("rear"))
    assert wait_until(lambda: audience.rates == [1.0])
    assert reader.show_until(
        lambda: audience.rates == [1.0, pytest.approx(0.6)], topic=reader.topic("rear"), face1="scared"
    )


def test_a_wrong_parameter_is_refused_with_a_sentence(processes, start_example):
    process = start_example("speech_rate_node", "-p", "slow_rate:=7.0")
    assert process.wait(60) == 1
    sentence = "'slow_rate' must be a number from 0.1 to 1.0"
    assert wait_until(lambda: processes.lines("speech_rate_node", sentence))
    processes.processes.clear()


def test_the_tree_asks_for_a_smile_and_thanks_for_it(start_example, processes, audience, reader):
    process = start_example("smile_tree_node", "-p", "patience_seconds:=60.0")
    assert reader.show_until(lambda: process.poll() is not None, face1="happy")
    # What it says first may be lost, as nobody has found it yet; its log is not.
    assert wait_until(lambda: processes.lines("smile_tree_node", "Thank you!"))
    assert processes.lines("smile_tree_node", "Smile, please.")
    assert wait_until(lambda: "Thank you!" in audience.said)
    assert not processes.lines("smile_tree_node", "The source came to its end.")


def test_the_tree_gives_up_where_nobody_smiles(start_example, processes, reader):
    process = start_example("smile_tree_node", "-p", "patience_seconds:=1.0")

    def look_sad():
        # Whoever listens: on a busy machine the node may have given up before it is found.
        reader.show({"face1": "sad"})
        time.sleep(0.1)

    assert wait_until(lambda: process.poll() is not None, pass_time=look_sad)
    assert wait_until(lambda: processes.lines("smile_tree_node", "Another time."))
