"""The ROS 2 nodes: thin, one a file; what they do is in dfer_ros.core."""
