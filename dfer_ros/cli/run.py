"""`dfer run`: the graph as separate processes, without launch."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dfer_ros.cli.live_view import LiveView
from dfer_ros.cli.terminal import terminal
from dfer_ros.core.errors import DferError, SourceError
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.parameter import Parameter, parameters
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.graph.processes import ONE_PROCESS, PROCESSES, GraphProcesses, transport_environment
from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.nodes.emotion_stream import DferNodeConfig
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
from dfer_ros.nodes.video_source_node import VideoSourceConfig
from dfer_ros.recordings.frame_source import INCOMPLETE_CODE
from dfer_ros.recordings.video import open_source
from dfer_ros.recordings.video_file import is_address
from dfer_ros.ros.image_subscription import ImageConfig
from dfer_ros.ros.topics import full_namespace, full_topic

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NAMESPACE = "/dfer"
_POLL_SECONDS, _LAST_ANSWER_SECONDS = 0.1, 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer run`."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--source", help="video file, folder of images, address such as rtsp://..., or camera index, played as a camera"
    )
    source.add_argument("--image", default="/camera/image_raw", help="topic of a running camera (%(default)s)")
    parser.add_argument("--namespace", default=NAMESPACE, help="namespace of the nodes (%(default)s)")
    parser.add_argument(
        "--processes",
        choices=PROCESSES,
        default=PROCESSES[0],
        help="whether face detector and dfer_node share one process or have one each (%(default)s)",
    )
    parser.add_argument("--overlay", action="store_true", help="start the overlay node as well")
    parser.add_argument("--loop", action="store_true", help="begin the source again at its end")
    of_detector, of_recognizer = parameters(FaceDetectorNodeConfig()), parameters(DferNodeConfig())
    for name in ("image_transport", "image_reliability", "frame_rate", "detector", "yunet_model"):
        _add_parameter(parser, of_detector[name])
    for name in ("precision", "model"):
        _add_parameter(parser, of_recognizer[name])


def _add_parameter(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    parser.add_argument(
        "--" + parameter.name.replace("_", "-"),
        type=type(parameter.default),
        choices=parameter.choices or None,
        help=f"{parameter.description} ({parameter.default})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, the end of the source, or the end of a node that should not end."""
    if arguments.source and arguments.image_transport == "compressed":
        raise SourceError("--source is played as raw images: leave out --image-transport compressed.")
    namespace = full_namespace("--namespace", arguments.namespace)
    full_topic("--image", arguments.image)
    confirm_frames = _confirm_frames(arguments.source) if arguments.source else TrackerConfig.confirm_frames
    os.environ.update(transport_environment())
    view = LiveView(terminal(), answers_only=True)
    image = "camera/image_raw" if arguments.source else arguments.image
    with GraphProcesses(namespace, view.say) as graph, GraphWatcher(namespace) as watcher, view:
        watcher.follow_emotions([watcher.node.resolve_topic_name("emotions")])
        start_graph(graph, arguments, image, confirm_frames)
        if not arguments.source:
            return _show_until_end(graph, watcher, view)
        heard = {image: 1} if arguments.processes == ONE_PROCESS else {image: 1, "faces": 1}
        watcher.wait_until_heard(heard, lambda: check_ended(graph))
        with _plain_name(arguments.source) as source:
            given = _given(arguments, VideoSourceConfig()) | {"source": source}
            graph.start_as_launched("video_source_node", given, {"image": image})
            return _show_until_end(graph, watcher, view)


def _confirm_frames(source: str) -> int:
    """Return after how many frames a face gets an id: fewer than usual where the source is shorter than that.

    Raises SourceError where it cannot be opened, before anything is started.
    """
    usual = TrackerConfig.confirm_frames
    if is_address(source) or (source.isdecimal() and not at_home(Path(source)).exists()):
        return usual
    opened = open_source(source)
    return min(usual, opened.frame_count or usual)


@contextlib.contextmanager
def _plain_name(source: str) -> Iterator[str]:
    """Yield a name of the source in UTF-8, as ROS takes no other."""
    try:
        source.encode()
    except UnicodeEncodeError:
        path = at_home(Path(source)).absolute()
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / path.name.encode("utf-8", "replace").decode()
            link.symlink_to(path)
            yield str(link)
    else:
        yield source


def _show_until_end(graph: GraphProcesses, watcher: GraphWatcher, view: LiveView) -> int:
    """Show the graph until a node ends, and return the exit code."""
    while not graph.ended():
        time.sleep(_POLL_SECONDS)
        view.show(watcher.graph())
    code = check_ended(graph)
    time.sleep(_LAST_ANSWER_SECONDS)
    view.show(watcher.graph())
    return code


def start_graph(graph: GraphProcesses, arguments: argparse.Namespace, image: str, confirm_frames: int) -> None:
    """Start all nodes that are asked for, except the source: no node is to miss its first frames."""
    remap = {"image": image}
    given = _given(arguments, FaceDetectorNodeConfig())
    if confirm_frames != TrackerConfig.confirm_frames:
        given["confirm_frames"] = confirm_frames
    if arguments.processes == ONE_PROCESS:
        graph.start_perception(given, _given(arguments, DferNodeConfig()), remap)
    else:
        graph.start_as_launched("face_detector_node", given, remap)
        graph.start_as_launched("dfer_node", _given(arguments, DferNodeConfig()), {})
    if arguments.overlay:
        graph.start_as_launched("overlay_node", _given(arguments, ImageConfig()), remap)


def check_ended(graph: GraphProcesses) -> int:
    """Return the exit code if only the source has ended, and well: 0, or INCOMPLETE_CODE.

    Raises DferError for a node that failed.
    """
    ended = graph.ended()
    failed = {node: code for node, code in ended.items() if code not in (0, INCOMPLETE_CODE)}
    if failed:
        graph.hear_out(failed)
        named = " and ".join(f"{node} (exit code {code})" for node, code in failed.items())
        raise DferError(f"{named} ended with an error: see its line above.")
    return max(ended.values(), default=0)


def _given(arguments: argparse.Namespace, configuration: DataclassInstance) -> dict[str, object]:
    """Return the parameters of a node's configuration that were given on the command line."""
    given = {name: getattr(arguments, name, None) for name in parameters(configuration)}
    return {name: value for name, value in given.items() if value is not None and value is not False}
