"""Labelled clips: their faces, what an encoder makes of them, and the windows of the robot."""
