"""What tests of ROS4HRI share."""

import pytest


@pytest.fixture
def robot(_ros):
    """What is around our nodes; where hri_msgs is not installed, the tests that ask for it are skipped."""
    from hri_robot import Robot

    made = Robot()
    yield made
    made.close()
