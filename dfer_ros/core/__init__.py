"""The algorithm: faces in images, windows of faces in time, emotions out. Needs neither ROS nor torch."""
