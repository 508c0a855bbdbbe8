"""A recording as one self-contained page: pure, without ROS and without torch."""
