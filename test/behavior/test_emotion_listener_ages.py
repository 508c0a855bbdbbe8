"""How old the answers of the listener may be, in real and in simulated time."""

import itertools
import time

import pytest
from behavior_graph import QUICK, Spun
from rclpy.clock import ClockType
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from dfer_ros.core.labels import VALENCE_AROUSAL
from dfer_ros.ros.waiting import wait_until


def test_people_are_current_with_their_age_and_stale_ones_are_not_given(behavior_node, reader, listen):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(lambda: "happy" in [p.expression for p in listener.people()], face1="happy")
        person = listener.person("face1")
        assert (person.face_id, person.phase, person.topic) == ("face1", "apex", reader.topic())
        assert person.confidence == pytest.approx(0.7)
        assert person.valence == pytest.approx(0.05 * VALENCE_AROUSAL[:, 0].sum() + 0.65 * 0.81, abs=1e-5)
        assert 0.0 <= person.age <= QUICK.stale_seconds
        ages = []
        while (person := listener.person("face1")) is not None:
            ages.append(person.age)
            time.sleep(0.01)
        # The last message may arrive after the first look.
        assert sum(later < earlier for earlier, later in itertools.pairwise(ages)) <= 1
        assert ages[-1] == max(ages) <= QUICK.stale_seconds
        assert listener.people() == ()


def test_nobody_is_current_when_the_node_is_not_spun_either(behavior_node, reader, listen):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        assert reader.show_until(listener.people, face1="happy")
    time.sleep(QUICK.stale_seconds)
    assert listener.people() == ()


def test_old_messages_are_named_and_not_used(behavior_node, reader, listen, events, capfd):
    listener = listen()
    with Spun(behavior_node):
        reader.wait_for_listener()
        for index in range(20):
            reader.show({"face1": "happy"}, stamp=1000.0 + index / 20)
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
            reader.show({"face1": "happy"}, stamp=simulated.seconds)
            time.sleep(0.02)
            return condition()

        return wait_until(step)

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
