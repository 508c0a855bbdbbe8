"""Two nodes of one name in a real graph."""

import pytest
import rclpy
from rclpy.context import Context

from dfer_ros.ros.namesake import Namesake
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def create():
    """Create nodes, each as in a process of its own."""
    contexts = []

    def create(namespace):
        context = Context()
        rclpy.init(args=[], context=context)
        contexts.append(context)
        return rclpy.create_node("dfer_node", namespace=namespace, context=context)

    yield create
    for context in contexts:
        context.shutdown()


def test_a_second_node_of_the_same_name_is_named(create):
    namesake = Namesake(create("/robot"), lease_seconds=0.0)
    assert namesake.warning() == ""
    other = create("/robot")
    assert wait_until(namesake.warning)
    assert namesake.warning().startswith("Another node is called /robot/dfer_node too")
    other.destroy_node()
    assert wait_until(lambda: not namesake.warning())


def test_a_node_of_this_name_in_another_namespace_is_none(create):
    namesake = Namesake(create("/left"), lease_seconds=0.0)
    other = create("/right")
    assert wait_until(lambda: ("dfer_node", "/left") in other.get_node_names_and_namespaces())
    assert namesake.warning() == ""


def test_one_that_is_gone_within_the_lease_was_a_dead_one(create):
    namesake = Namesake(create("/robot"), lease_seconds=3600.0)
    other = create("/robot")
    assert wait_until(lambda: other.get_node_names_and_namespaces().count(("dfer_node", "/robot")) == 2)
    assert namesake.warning() == ""
