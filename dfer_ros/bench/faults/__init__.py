"""What goes wrong on a robot, done to the real nodes."""
