"""ROS4HRI (REP-155): its topics, faces, ids and expressions, published and read."""
