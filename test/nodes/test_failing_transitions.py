"""Transitions of a managed node that fail: the state then, who listens, what is said, and whether it goes on."""

from dataclasses import dataclass, field
from functools import partial

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNodeMixin
from sensor_msgs.msg import Image
from test_lifecycle import change, enable, listeners, state
from test_parameters import call

from dfer_ros.core.errors import DferError
from dfer_ros.ros.frame_stream import FrameStream
from dfer_ros.ros.managed_node import ManagedConfig, ManagedNode
from dfer_ros.ros.spinning_thread import SpinningThread
from dfer_ros.ros.waiting import wait_until
from dfer_ros.streams.health import HealthLimits
from dfer_ros.streams.stamps import FrameConfig

NODE = "/failing_node"
CAMERAS = ("left", "right")
FAILURE = "There is a failure to {action}."


@dataclass(frozen=True)
class FailingConfig:
    managed: ManagedConfig = field(default_factory=ManagedConfig)
    frames: FrameConfig = field(default_factory=FrameConfig)
    health: HealthLimits = field(default_factory=HealthLimits)


class FailingStream(FrameStream[Image, FailingConfig]):
    """Listens to a camera; failures: what it fails to do the next time, such as `subscribe left`."""

    def __init__(self, node, statistics, camera, failures):
        super().__init__(node, node.log, statistics, node.config)
        self.camera = camera
        self.failures = failures

    def subscribe(self, receive):
        self.fail("subscribe")
        subscription = self.node.create_subscription(Image, self.camera, receive, 1)
        return partial(self.unsubscribe, subscription)

    def unsubscribe(self, subscription):
        self.fail("unsubscribe")
        self.node.destroy_subscription(subscription)

    def process(self, message, stamp):
        return 0

    def close(self):
        self.fail("close")

    def fail(self, action):
        action = f"{action} {self.camera}"
        if action in self.failures:
            self.failures.remove(action)
            raise DferError(FAILURE.format(action=action))


class FailingNode(ManagedNode):
    """A node of two cameras."""

    def __init__(self):
        super().__init__(NODE[1:], FailingConfig(), lambda _: CAMERAS, "the camera")
        self.failures = []

    def create_streams(self):
        for camera, statistics in self.statistics.items():
            yield FailingStream(self, statistics, camera, self.failures)


@pytest.fixture
def node(probe):
    """The node, configured, spinning in a thread of its own."""
    made = FailingNode()
    spinning = SpinningThread(made)
    assert change(probe, NODE, "configure")
    yield made
    spinning.close()
    made.close()
    made.destroy_node()


@pytest.fixture
def diagnostics(probe):
    """The newest status of each camera, by its name."""
    statuses = {}

    def receive(message):
        statuses.update({status.name.removeprefix(f"{NODE}: "): status for status in message.status})

    probe.node.create_subscription(DiagnosticArray, "/diagnostics", receive, 50)
    return statuses


def change_by_id(probe, number):
    request = ChangeState.Request(transition=Transition(id=number))
    return call(probe, NODE, ChangeState, "change_state", request).success


def all_listen(probe):
    return wait_until(lambda: all(listeners(probe, f"/{camera}") == 1 for camera in CAMERAS))


def test_an_activate_that_fails_leaves_it_inactive_and_is_told_until_one_succeeds(node, probe, diagnostics, capfd):
    node.failures.append("subscribe left")
    assert not change(probe, NODE, "activate")
    assert state(probe, NODE) == "inactive"
    sentence = FAILURE.format(action="subscribe left")
    assert capfd.readouterr().err.count(sentence) == 1
    for camera in CAMERAS:
        assert wait_until(lambda camera=camera: camera in diagnostics and diagnostics[camera].level == b"\x02")
        assert diagnostics[camera].message == sentence
    assert change(probe, NODE, "activate")
    assert all_listen(probe)
    for camera in CAMERAS:
        assert wait_until(lambda camera=camera: sentence not in diagnostics[camera].message)


def test_where_the_second_stream_fails_to_listen_the_first_does_not_listen_either(node, probe):
    node.failures.append("subscribe right")
    assert not change(probe, NODE, "activate")
    assert state(probe, NODE) == "inactive"
    assert not list(node.subscriptions)
    assert change(probe, NODE, "activate")
    assert all_listen(probe)


def test_enabled_again_no_stream_listens_where_the_second_fails_to(node, probe, capfd):
    assert change(probe, NODE, "activate")
    enable(probe, NODE, False)
    node.failures.append("subscribe right")
    answer = enable(probe, NODE, True)
    assert not answer.success and answer.message == FAILURE.format(action="subscribe right")
    assert not list(node.subscriptions)
    assert capfd.readouterr().err.count(FAILURE.format(action="subscribe right")) == 1
    enable(probe, NODE, False)
    assert enable(probe, NODE, True).message == "Working."
    assert all_listen(probe)


@pytest.mark.parametrize(
    ("transitions", "failure"),
    [
        (["activate", "deactivate"], "unsubscribe left"),
        (["activate", "deactivate"], "unsubscribe right"),
        (["cleanup"], "close left"),
        (["cleanup"], "close right"),
    ],
)
def test_what_fails_to_stop_ends_unconfigured_and_can_be_configured_again(
    node, probe, diagnostics, capfd, transitions, failure
):
    *before, failing = transitions
    for transition in before:
        assert change(probe, NODE, transition)
        assert all_listen(probe)
    node.failures.append(failure)
    assert not change(probe, NODE, failing)
    assert state(probe, NODE) == "unconfigured"
    assert not list(node.subscriptions)
    sentence = FAILURE.format(action=failure)
    assert capfd.readouterr().err.count(sentence) == 1
    assert wait_until(lambda: "left" in diagnostics and diagnostics["left"].message == sentence)
    assert change(probe, NODE, "configure")
    assert change(probe, NODE, "activate")
    assert all_listen(probe)


def test_a_transition_by_an_id_that_there_is_not_from_here_is_refused(node, probe):
    assert not change_by_id(probe, Transition.TRANSITION_DEACTIVATE)
    assert not change_by_id(probe, 99)
    assert state(probe, NODE) == "inactive"
    assert change_by_id(probe, Transition.TRANSITION_ACTIVATE)
    assert all_listen(probe)


def test_where_rclpy_raises_at_such_a_transition_the_node_lives_on(node, probe, capfd, monkeypatch):
    # So it does in Humble and Jazzy.
    def raise_at_once(node, transition_id):
        node._state_machine.trigger_transition_by_id(transition_id, True)

    with monkeypatch.context() as patched:
        patched.setattr(LifecycleNodeMixin, "_LifecycleNodeMixin__change_state", raise_at_once)
        assert not change_by_id(probe, Transition.TRANSITION_DEACTIVATE)
    assert f"There is no transition {Transition.TRANSITION_DEACTIVATE} from inactive" in capfd.readouterr().err
    assert change(probe, NODE, "activate")
    assert all_listen(probe)
