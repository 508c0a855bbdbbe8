"""The listener in a behaviour's node: real rclpy, real DDS."""

import threading
import time

import pytest
import rclpy
from behavior_graph import Spun, wait_until
from rclpy.clock import ClockType
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from dfer_ros.behavior import EmotionListener, EmotionStatesConfig
from dfer_ros.behavior.behavior_error import BehaviorError
from dfer_ros.core.labels import VALENCE_AROUSAL

QUICK = EmotionStatesConfig(settle_seconds=0.2, unsure_seconds=0.4, stale_seconds=0.6, lost_seconds=1.0)


@pytest.fixture
def events():
    return []


@pytest.fixture
def listen(behavior_node, reader, events):
    """Make the listener of the behaviour's node; everything it tells goes to `events`."""
    made = []

    def make(**options):
        options = {"topics": reader.topic(), "config": QUICK, **options}
        listener = EmotionListener(
            behavior_node,
            lambda *told: events.append(("change", *told)),
            lambda *told: events.append(("lost", *told)),
            lambda *told: events.append(("unsure", *told)),
            **options,
        )
        made.append(listener)
        return listener

    yield make
    for listener in made:
        listener.close()


def test_a_behaviour_is_told_of_changes_of_doubt_and_of_who_is_gone(behavior_node, reader, listen, events):
    listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.say_until(lambda: len(events) == 1, face1="happy")
        assert reader.say_until(lambda: len(events) == 2, face1="sad")
        assert reader.say_until(lambda: len(events) == 3, face1="unknown")
        assert wait_until(lambda: len(events) == 4)
    assert events == [
        ("change", "face1", "unknown", "happy"),
        ("change", "face1", "happy", "sad"),
        ("unsure", "face1", "sad"),
        ("lost", "face1"),
    ]


def test_people_are_current_with_their_age_and_stale_ones_are_not_given(behavior_node, reader, listen):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.say_until(lambda: "happy" in [p.expression for p in listener.people()], face1="happy")
        person = listener.person("face1")
        assert (person.face_id, person.phase, person.topic) == ("face1", "apex", reader.topic())
        assert person.confidence == pytest.approx(0.7)
        assert person.valence == pytest.approx(0.05 * VALENCE_AROUSAL[:, 0].sum() + 0.65 * 0.81, abs=1e-5)
        assert 0.0 <= person.age <= QUICK.stale_seconds
        ages = []
        while (person := listener.person("face1")) is not None:
            ages.append(person.age)
            time.sleep(0.01)
        assert ages == sorted(ages)
        assert max(ages) <= QUICK.stale_seconds
        assert listener.people() == ()


def test_nobody_is_current_when_the_node_is_not_spun_either(behavior_node, reader, listen):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.say_until(listener.people, face1="happy")
    time.sleep(QUICK.stale_seconds)
    assert listener.people() == ()


def test_a_callback_that_raises_is_logged_with_its_traceback_and_the_listener_goes_on(
    behavior_node, reader, events, capfd
):
    def wave_at(face_id, old, new):
        events.append(new)
        raise ZeroDivisionError(f"no arm to wave at {face_id}")

    listener = EmotionListener(behavior_node, wave_at, topics=reader.topic(), config=QUICK)
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.say_until(lambda: events == ["happy"], face1="happy")
        assert reader.say_until(lambda: events == ["happy", "sad"], face1="sad")
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
        assert reader.say_until(lambda: events, face1="happy")
    listener.close()
    assert events == ["happy"]


def test_the_topic_is_dfer_emotions_in_any_namespace_and_is_remapped_as_any(reader, events):
    plain = rclpy.create_node("plain", namespace="/robot1")
    remapped = rclpy.create_node(
        "remapped", namespace="/robot1", cli_args=["--ros-args", "-r", f"/dfer/emotions:={reader.topic()}"]
    )
    EmotionListener(plain)
    EmotionListener(remapped)
    assert [info.topic_name for info in plain.subscriptions if "emotions" in info.topic_name] == ["/dfer/emotions"]
    assert [info.topic_name for info in remapped.subscriptions if "emotions" in info.topic_name] == [reader.topic()]
    plain.destroy_node()
    remapped.destroy_node()


def test_a_relative_topic_lies_in_the_namespace_of_the_behaviour(behavior_node, namespace):
    EmotionListener(behavior_node, topics="front/emotions").close()
    listener = EmotionListener(behavior_node, topics=["front/emotions", "rear/emotions"])
    names = {info.topic_name for info in behavior_node.subscriptions}
    assert {f"{namespace}/front/emotions", f"{namespace}/rear/emotions"} <= names
    listener.close()


def test_several_cameras_keep_their_people_apart_and_equal_ids_are_named(behavior_node, reader, listen, events, capfd):
    listener = listen(topics=[reader.topic("front"), reader.topic("rear")])
    with Spun(behavior_node):
        reader.wait_for_listener("front")
        reader.wait_for_listener("rear")

        def both_settled():
            reader.say({"face1": "sad", "rear_face2": "angry"}, "rear")
            return len(events) == 3

        assert reader.say_until(both_settled, camera="front", face1="happy")
        people = {(person.topic, person.face_id): person.expression for person in listener.people()}
    assert people == {
        (reader.topic("front"), "face1"): "happy",
        (reader.topic("rear"), "face1"): "sad",
        (reader.topic("rear"), "rear_face2"): "angry",
    }
    assert capfd.readouterr().err.count("Two cameras call different persons face1") == 1


def test_a_topic_that_nobody_publishes_is_named_once(behavior_node, monkeypatch, capfd):
    monkeypatch.setattr("dfer_ros.behavior.emotion_listener._SILENCE_SECONDS", 0.3)
    listener = EmotionListener(behavior_node, topics="/wrong/emotions")
    with Spun(behavior_node):
        time.sleep(1.2)
    listener.close()
    assert capfd.readouterr().err.count("Nobody publishes /wrong/emotions") == 1


def test_old_messages_are_named_and_not_used(behavior_node, reader, listen, events, capfd):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        for index in range(20):
            reader.say({"face1": "happy"}, stamp=1000.0 + index / 20)
            time.sleep(0.05)
        assert listener.people() == ()
    assert events == []
    assert capfd.readouterr().err.count("s old when they arrive") == 1


class SimulatedTime:
    def __init__(self, reader):
        self.publisher = reader.node.create_publisher(Clock, "/clock", QoSProfile(depth=10))
        self.seconds = 1000.0

    def tick(self, seconds):
        self.seconds += seconds
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(round(self.seconds * 1e9), 10**9)
        self.publisher.publish(message)


def test_simulated_time_rules_ages_and_when_it_jumps_back_everybody_is_lost_once(
    behavior_node, reader, listen, events, capfd
):
    simulated = SimulatedTime(reader)
    behavior_node.set_parameters([Parameter("use_sim_time", value=True)])
    assert behavior_node.get_clock().clock_type == ClockType.ROS_TIME
    listener = listen()

    def play(condition):
        def step():
            simulated.tick(0.05)
            reader.say({"face1": "happy"}, stamp=simulated.seconds)
            time.sleep(0.02)
            return condition()

        return wait_until(step, 10.0)

    with Spun(behavior_node):
        reader.wait_for_listener()
        assert wait_until(lambda: simulated.publisher.get_subscription_count() > 0)
        assert play(lambda: len(events) == 1)
        time.sleep(QUICK.lost_seconds + 0.3)
        assert listener.person("face1").expression == "happy", "time is paused: nobody grows older"
        simulated.tick(0.7)
        assert wait_until(lambda: listener.people() == ())
        assert play(listener.people)
        simulated.tick(-500.0)
        assert wait_until(lambda: events[-1] == ("lost", "face1"))
        assert play(lambda: len(events) == 3)
    assert events[1:] == [("lost", "face1"), ("change", "face1", "unknown", "happy")]
    assert capfd.readouterr().err.count("Time jumped back") == 1


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


class Talking:
    """The reader in a thread of its own: says the same thing until the `with` ends."""

    def __init__(self, reader, **expressions):
        self.reader, self.expressions = reader, expressions
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.talk, daemon=True)

    def talk(self):
        while not self.ended.wait(0.04):
            self.reader.say(self.expressions)

    def __enter__(self):
        self.reader.wait_for_listener()
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, MultiThreadedExecutor, EventsExecutor])
def test_wait_for_blocks_a_thread_beside_the_one_that_spins(behavior_node, reader, listen, executor):
    listener = listen()
    with Spun(behavior_node, executor=executor()), Talking(reader, face1="happy", face2="sad"):
        assert listener.wait_for("sad", 10.0).face_id == "face2"
        assert listener.wait_for("happy", 0.0).face_id == "face1"
        start = time.monotonic()
        assert listener.wait_for("angry", 0.5) is None
        assert time.monotonic() - start >= 0.5


def test_wait_for_spins_a_node_that_nobody_spins(behavior_node, reader, listen, events):
    listener = listen()
    with Talking(reader, face1="happy"):
        assert listener.wait_for("happy", 10.0).face_id == "face1"
        assert events == [("change", "face1", "unknown", "happy")]
        assert listener.wait_for("sad", 0.3) is None
    assert behavior_node.executor is None or behavior_node not in behavior_node.executor.get_nodes()


def test_two_threads_wait_on_a_node_that_nobody_spins(behavior_node, reader, listen):
    listener = listen()
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(listener.wait_for(name, 10.0).expression))
        for name in ("happy", "sad")
    ]
    with Talking(reader, face1="happy", face2="sad"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15.0)
    assert sorted(found) == ["happy", "sad"]


def test_a_node_that_somebody_begins_to_spin_is_left_to_them(behavior_node, reader, listen):
    listener = listen()
    found = []
    waiting = threading.Thread(target=lambda: found.append(listener.wait_for("happy", 20.0)))
    waiting.start()
    time.sleep(0.5)
    with Spun(behavior_node):
        time.sleep(0.5)
        with Talking(reader, face1="happy"):
            waiting.join(10.0)
    assert found[0].face_id == "face1"


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, EventsExecutor])
def test_wait_for_is_refused_in_a_callback_of_an_executor_with_one_thread(behavior_node, listen, executor):
    listener = listen()
    refused = []

    def on_timer():
        timer.cancel()
        try:
            listener.wait_for("happy", 60.0)
        except BehaviorError as error:
            refused.append(str(error))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=executor()):
        assert wait_until(lambda: refused, 10.0)
    assert "wait_for()" in refused[0]


def test_wait_for_is_refused_in_callbacks_of_the_listener_and_at_once(behavior_node, reader):
    refused = []

    def on_change(face_id, old, new):
        start = time.monotonic()
        try:
            listener.wait_for("sad", 60.0)
        except BehaviorError as error:
            refused.append((str(error), time.monotonic() - start))

    listener = EmotionListener(behavior_node, on_change, topics=reader.topic(), config=QUICK)
    with Spun(behavior_node, executor=MultiThreadedExecutor(2)):
        reader.wait_for_listener()
        assert reader.say_until(lambda: refused, face1="happy")
    listener.close()
    sentence, seconds = refused[0]
    assert "await emotions.future_for(...)" in sentence
    assert seconds < 1.0


def test_wait_for_is_refused_where_the_executor_of_the_node_is_not_spun(behavior_node, listen):
    listener = listen()
    executor = SingleThreadedExecutor()
    executor.add_node(behavior_node)
    with pytest.raises(BehaviorError, match="in an executor that no other thread spins"):
        listener.wait_for("happy", 60.0)
    executor.remove_node(behavior_node)


def test_wait_for_works_in_a_callback_when_the_executor_has_more_threads(behavior_node, reader, listen):
    listener = listen()
    found = []

    def on_timer():
        timer.cancel()
        found.append(listener.wait_for("happy", 10.0))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=MultiThreadedExecutor(3)), Talking(reader, face1="happy"):
        assert wait_until(lambda: found, 10.0)
    assert found[0].face_id == "face1"


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, EventsExecutor])
def test_a_future_is_awaited_in_a_callback_of_an_executor_with_one_thread(behavior_node, reader, listen, executor):
    listener = listen()
    found = []

    async def on_timer():
        timer.cancel()
        found.append(await listener.future_for("happy", 10.0))
        found.append(await listener.future_for("sad", 0.3))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=executor()), Talking(reader, face1="happy"):
        assert wait_until(lambda: len(found) == 2, 10.0)
    assert found[0].face_id == "face1"
    assert found[1] is None


def test_closing_answers_who_still_waits(behavior_node, listen):
    listener = listen()
    future = listener.future_for("happy", 60.0)
    listener.close()
    assert future.done()
    assert future.result() is None
