"""What tests of the ROS side share."""

import pytest
import rclpy


@pytest.fixture
def node(request):
    """A node in a context and a namespace of its own, which nobody spins."""
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node("listener", namespace=f"/{request.module.__name__}", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)
