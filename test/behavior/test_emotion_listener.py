"""The listener in a behaviour's node: what it tells and what it refuses; real rclpy, real DDS."""

import itertools
import time
from dataclasses import replace
from functools import partial

import pytest
from behavior_graph import QUICK, Spun

from dfer_ros.behavior import EmotionListener
from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.ros.waiting import wait_until


def test_a_behaviour_is_told_of_changes_of_doubt_and_of_who_is_gone(behavior_node, reader, listen, events):
    listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(lambda: len(events) == 1, face1="happy")
        assert reader.show_until(lambda: len(events) == 2, face1="sad")
        assert reader.show_until(lambda: len(events) == 3, face1="unknown")
        assert wait_until(lambda: len(events) == 4)
    assert events == [
        ("change", "face1", "unknown", "happy"),
        ("change", "face1", "happy", "sad"),
        ("unsure", "face1", "sad"),
        ("lost", "face1"),
    ]


def test_a_behaviour_is_told_what_turned_into_what_and_how_long_it_took(behavior_node, reader, listen, events):
    told = []
    patient = replace(QUICK, stale_seconds=30.0, lost_seconds=60.0)
    listen(config=patient, on_transition=lambda *about: told.append(about))
    # So far apart whatever a busy computer does, and none in the future.
    stamps = itertools.count(time.time(), 0.05)

    def show(look):
        reader.show({"face1": look}, stamp=next(stamps))
        time.sleep(0.05)

    with Spun(behavior_node):
        reader.wait_for_listener()
        assert wait_until(
            lambda: events[-1:] == [("change", "face1", "unknown", "happy")], pass_time=partial(show, "happy")
        )
        for look in ("unknown",) * 4 + ("angry",) * 2:
            show(look)
        assert wait_until(lambda: told, pass_time=partial(show, "sad"))
    ((face_id, old, new, seconds),) = told
    assert (face_id, old, new) == ("face1", "happy", "sad")
    assert 0.25 < seconds < 1.0
    assert events[-1] == ("change", "face1", "happy", "sad")


def test_a_behaviour_is_told_of_two_expressions_at_once(behavior_node, reader, listen):
    told = []
    listener = listen(on_blend=lambda *about: told.append(about))
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(lambda: told, face1=("happy", "surprised"))
        person = listener.person("face1")
    assert told == [("face1", "happy", "surprised")]
    assert (person.expression, person.secondary) == ("happy", "surprised")
    assert person.secondary_confidence == pytest.approx(0.25)


def test_a_callback_that_raises_is_logged_with_its_traceback_and_the_listener_goes_on(
    behavior_node, reader, events, capfd
):
    def wave_at(face_id, old, new):
        events.append(new)
        raise ZeroDivisionError(f"no arm to wave at {face_id}")

    listener = EmotionListener(behavior_node, wave_at, topics=reader.topic(), config=QUICK)
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(lambda: events == ["happy"], face1="happy")
        assert reader.show_until(lambda: events == ["happy", "sad"], face1="sad")
    listener.close()
    log = capfd.readouterr().err
    assert "wave_at('face1', 'happy', 'sad') failed, the listener goes on" in log
    assert log.count("ZeroDivisionError: no arm to wave at face1") == 2
    assert "in wave_at" in log


def test_a_callback_may_ask_the_listener(behavior_node, reader, events):
    listener = EmotionListener(
        behavior_node,
        lambda face_id, old, new: events.append(listener.person(face_id).expression),
        topics=reader.topic(),
        config=QUICK,
    )
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(lambda: events, face1="happy")
    listener.close()
    assert events == ["happy"]


def test_what_cannot_be_is_refused_with_a_sentence(behavior_node, listen):
    async def on_change(face_id, old, new):
        pass

    with pytest.raises(BehaviorError, match="on_change is async: give the listener a plain function"):
        EmotionListener(behavior_node, on_change)
    with pytest.raises(BehaviorError, match="must be a function, not 'greet'"):
        EmotionListener(behavior_node, "greet")
    with pytest.raises(BehaviorError, match="given no topics"):
        EmotionListener(behavior_node, topics=[])
    listener = listen()
    with pytest.raises(BehaviorError, match=r"no expression 'fear' to wait for: use neutral, happy, .* scared"):
        listener.wait_for("fear", 1.0)
    with pytest.raises(BehaviorError, match="number of seconds"):
        listener.future_for("happy", float("inf"))
