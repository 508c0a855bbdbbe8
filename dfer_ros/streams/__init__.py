"""What holds for any stream of frames: stamps and their order, statistics, health. Pure: no ROS, no files."""
