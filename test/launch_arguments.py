"""The launch files, and the arguments that they have."""

FILES = ("dfer.launch.py", "camera.launch.py", "replay.launch.py")
ARGUMENTS = {
    "image": "/camera/image_raw",
    "cameras": "",
    "processes": "one",
    "shared_encoder": "true",
    "image_transport": ("face_detector_node", "overlay_node"),
    "image_reliability": ("face_detector_node", "overlay_node"),
    "frame_rate": ("face_detector_node", "dfer_node"),
    "detector": ("face_detector_node",),
    "precision": ("dfer_node",),
    "id_prefix": ("face_detector_node",),
    "hri": ("face_detector_node", "dfer_node"),
    "input": ("dfer_node",),
    "autostart": ("face_detector_node", "dfer_node"),
    "overlay": "false",
    "respawn": "false",
    "namespace": "dfer",
    "params_file": "",
    "use_sim_time": "false",
    "log_level": "info",
}
"""The arguments of dfer.launch.py: the default, or the nodes in whose YAML it stands."""
MORE_ARGUMENTS = {
    "dfer.launch.py": {},
    "camera.launch.py": {"camera": "usb_cam", "video_device": "/dev/video0", "image": ""},
    "replay.launch.py": {"bag": None, "rate": "1.0", "loop": "false", "delay": "3.0", "use_sim_time": "true"},
}
