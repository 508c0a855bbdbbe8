"""Fixtures of the tests of behaviours."""

import itertools
import os

import pytest
import rclpy
from behavior_graph import QUICK, Audience, Reader, Spun

from dfer_ros.behavior import EmotionListener
from dfer_ros.graph.processes import GraphProcesses, transport_environment
from dfer_ros.ros.waiting import PATIENCE_SECONDS

_counter = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def ros():
    """ROS in this process, unless other tests have started it."""
    mine = not rclpy.ok()
    if mine:
        os.environ.update(transport_environment())
        rclpy.init(args=[])
    yield
    if mine:
        rclpy.shutdown()


@pytest.fixture
def namespace():
    """A namespace of its own for every test."""
    return f"/behavior{next(_counter)}"


@pytest.fixture
def reader(namespace):
    made = Reader(namespace)
    yield made
    made.close()


@pytest.fixture
def behavior_node(namespace):
    """A node of a behaviour; nobody spins it yet."""
    node = rclpy.create_node("behavior", namespace=namespace)
    yield node
    node.destroy_node()


@pytest.fixture
def processes(namespace):
    """Start nodes; they are stopped at the end of the test, and must end well."""
    started = GraphProcesses(namespace)
    yield started
    codes = started.stop(PATIENCE_SECONDS)
    lines = [line for log in started.logs.values() for line in log]
    assert not [line for line in lines if "Traceback" in line]
    assert set(codes.values()) <= {0}, "\n".join(lines)


@pytest.fixture
def start_example(processes, namespace):
    """Start an example, with arguments, where emotions are on the topic of the test's namespace."""
    heard = ("-r", f"/dfer/emotions:={namespace}/emotions")
    return lambda node, *arguments: processes.start(node, *heard, *arguments, room="behavior.examples")


@pytest.fixture
def audience(namespace):
    made = Audience(namespace)
    with Spun(made.node):
        yield made
    made.close()


@pytest.fixture
def events():
    """What the listener of the behaviour told."""
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
