"""image -> faces -> emotions in one process: face_detector_node and dfer_node as they are, without a message between.

perception_node --ros-args -r __ns:=/dfer -r image:=/camera/image_raw
perception_node --camera front=/front/image_raw --camera rear=/rear/image_raw --ros-args -r __ns:=/dfer
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from rclpy.utilities import remove_ros_args

from dfer_ros.core.errors import DferError
from dfer_ros.nodes.dfer_node import DferNode
from dfer_ros.nodes.face_detector_node import FaceDetectorNode
from dfer_ros.nodes.local_faces import LocalFaces
from dfer_ros.ros.managed_node import ManagedNode
from dfer_ros.ros.run_node import run_nodes

NAME = "perception_node"


def create_nodes(cameras: Sequence[str], id_prefix: str) -> list[ManagedNode[Any]]:
    """Return dfer_node and the detector of every camera, which hand their faces over in memory.

    cameras: name=topic each, for a detector in a namespace of that name; none: one detector of the topic `image`.
    """
    local = LocalFaces()
    names = [camera.partition("=")[0] for camera in cameras]
    served = ["--ros-args", "-p", f"cameras:=[{', '.join(names)}]"] if names else []
    dfer = DferNode(local, served)
    if not cameras:
        return [dfer, FaceDetectorNode(local)]
    base = dfer.get_namespace().rstrip("/")
    detectors = []
    for camera in cameras:
        name, _, topic = camera.partition("=")
        own = ["-r", f"__ns:={base}/{name}", "-r", f"image:={topic}", "-p", f"id_prefix:={id_prefix}{name}_"]
        detectors.append(FaceDetectorNode(local, ["--ros-args", *own]))
    return [dfer, *detectors]


def start_all(nodes: Sequence[ManagedNode[Any]]) -> Sequence[ManagedNode[Any]]:
    """Start the nodes, and return them. Raises DferError where one cannot: then none of them runs."""
    for node in nodes:
        try:
            node.start()
        except Exception as error:
            for started in nodes:
                started.close()
            if not isinstance(error, DferError):
                raise
            raise DferError(
                f"{node.get_fully_qualified_name()} cannot start, and {NAME} ends with it: {error}"
            ) from error
    return nodes


def main(arguments: list[str] | None = None) -> None:
    """Run the nodes."""
    parser = argparse.ArgumentParser(prog=NAME, description="Face detectors and dfer_node in one process.")
    parser.add_argument(
        "--camera",
        action="append",
        default=[],
        metavar="NAME=TOPIC",
        type=_camera,
        help="a camera with a detector in a namespace of its own; may be given several times",
    )
    parser.add_argument("--id-prefix", default="", help="prefix of all face ids, before the names of cameras")
    given = parser.parse_args(remove_ros_args(arguments if arguments is not None else sys.argv)[1:])
    run_nodes(NAME, lambda: start_all(create_nodes(given.camera, given.id_prefix)), arguments)


def _camera(text: str) -> str:
    name, _, topic = text.partition("=")
    if not (name and topic):
        raise argparse.ArgumentTypeError(f"'{text}' is no camera: write its name and its topic as front=/front/image")
    return text


if __name__ == "__main__":
    main()
