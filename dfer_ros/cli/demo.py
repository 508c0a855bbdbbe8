"""`dfer demo`: the real graph and two behaviours on a made clip, from nothing to an annotated video."""

from __future__ import annotations

import argparse
import os
import queue
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from sensor_msgs.msg import Image
from std_msgs.msg import Float32, String

from dfer_msgs.msg import EmotionArray, FaceArray
from dfer_ros.cli.live_view import LiveView
from dfer_ros.cli.run import NAMESPACE, check_ended
from dfer_ros.cli.terminal import say, terminal
from dfer_ros.core.atomic_file import check_outputs, whole_file
from dfer_ros.graph.processes import GraphProcesses, transport_environment
from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.recordings.answer_file import answer_line, answer_object
from dfer_ros.recordings.demo_clip import FPS, demo_frames
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.image_conversion import to_bgr
from dfer_ros.ros.messages import header_seconds

_IMAGE = "camera/image_raw"
_LAST_ANSWER_SECONDS = 0.5
_POLL_SECONDS = 0.05


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer demo`."""
    parser.add_argument("--output", type=Path, default=Path(), help="folder for demo.mp4 and demo.jsonl (here)")


class _AnswerWriter:
    """Writes what the graph says: emotions as JSONL, overlays as video."""

    def __init__(self, lines: TextIO, video: VideoOutput) -> None:
        self._lines = lines
        self._video = video
        self._rois: dict[tuple[int, int], dict[str, tuple[int, int, int, int]]] = {}
        self._waiting: dict[tuple[int, int], EmotionArray] = {}
        self._overlays: queue.SimpleQueue[Image] = queue.SimpleQueue()
        self.frames = 0

    def listen(self, watcher: GraphWatcher) -> None:
        """Take in from now on what is to be written."""
        watcher.hear(FaceArray, "faces", self._on_faces)
        watcher.hear(EmotionArray, "emotions", self._on_emotions)
        watcher.hear(Image, "overlay", self._overlays.put)

    def _on_faces(self, message: FaceArray) -> None:
        rois = {f.id: (f.roi.x_offset, f.roi.y_offset, f.roi.width, f.roi.height) for f in message.faces}
        self._rois[_key(message)] = rois
        self._write_answers(_key(message))

    def _on_emotions(self, message: EmotionArray) -> None:
        self._waiting[_key(message)] = message
        self._write_answers(_key(message))

    def write_waiting_overlays(self) -> None:
        """Encode what came since the last call, outside of the thread that listens."""
        while not self._overlays.empty():
            message = self._overlays.get()
            self._video.write_at(to_bgr(message), header_seconds(message.header))

    def _write_answers(self, key: tuple[int, int]) -> None:
        if key not in self._rois or key not in self._waiting:
            return
        rois = self._rois.pop(key)
        for emotion in self._waiting.pop(key).emotions:
            answer = answer_object(key[0] + key[1] * 1e-9, self.frames, rois[emotion.face_id], emotion)
            self._lines.write(answer_line(answer))
        self.frames += 1


def run(arguments: argparse.Namespace) -> int:
    """Make the clip, run the graph and the behaviours on it, show and write down what they say."""
    jsonl, mp4 = arguments.output / "demo.jsonl", arguments.output / "demo.mp4"
    check_outputs((), (jsonl, mp4))
    os.environ.update(transport_environment())
    view, behaviors = LiveView(terminal(), answers_only=True), BehaviorLog()
    with tempfile.TemporaryDirectory() as folder, whole_file(jsonl) as lines, VideoOutput(mp4, FPS) as video:
        writer = _AnswerWriter(lines, video)
        with GraphProcesses(NAMESPACE, view.say) as graph, GraphWatcher(NAMESPACE) as watcher, view:
            watcher.follow_emotions([f"{NAMESPACE}/emotions"])
            writer.listen(watcher)
            behaviors.listen(watcher)
            _start_nodes(graph)
            clip = _make_clip(Path(folder) / "clip.mp4")
            for _ in _played(clip, graph, watcher):
                writer.write_waiting_overlays()
                view.show(watcher.graph(), behaviors.newest())
    say(behaviors.summary())
    say(f"{writer.frames} frames answered -> {mp4} and {jsonl}")
    return 0 if writer.frames else 1


def _start_nodes(graph: GraphProcesses) -> None:
    graph.start_perception({}, {}, {"image": _IMAGE})
    graph.start_as_launched("overlay_node", {}, {"image": _IMAGE})
    for behavior in BEHAVIORS:
        graph.start(behavior, room="behavior.examples")


def _make_clip(path: Path) -> Path:
    """Make the clip while the nodes start, which takes them as long."""
    with VideoOutput(path, FPS) as clip:
        for frame in demo_frames():
            clip.write(frame)
    return path


def _played(clip: Path, graph: GraphProcesses, watcher: GraphWatcher) -> Iterator[None]:
    """Play the clip, and yield again and again until the last answers have come."""
    # The detector and the overlay hear the camera; the overlay and this process hear the faces; the overlay, this
    # process (twice) and the behaviours hear the emotions.
    heard = {_IMAGE: 2, "faces": 2, "emotions": 3 + len(BEHAVIORS)}
    watcher.wait_until_heard(heard, lambda: check_ended(graph))
    graph.start_as_launched("video_source_node", {"source": str(clip)}, {"image": _IMAGE})
    while not graph.ended():
        yield
        time.sleep(_POLL_SECONDS)
    check_ended(graph)
    time.sleep(_LAST_ANSWER_SECONDS)
    yield


def _key(message: FaceArray | EmotionArray) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec


BEHAVIORS = ("greet_node", "speech_rate_node")
_NORMAL_RATE = 1.0


class BehaviorLog:
    """Hears what the behaviours do, and sums it up."""

    def __init__(self) -> None:
        self._greetings = 0
        self._slowed = 0
        self._rate = _NORMAL_RATE
        self._newest: dict[str, str] = {}

    def listen(self, watcher: GraphWatcher) -> None:
        """Hear from now on what the behaviours publish in the namespace of the watcher."""
        watcher.hear(String, "say", self._on_say)
        watcher.hear(Float32, "speech_rate", self._on_speech_rate)

    def newest(self) -> str:
        """Return the newest of what each behaviour did, in one line; empty before they did anything."""
        deeds = "   ".join(f"{what}: {how}" for what, how in list(self._newest.items()))
        return f"robot  {deeds}" if deeds else ""

    def summary(self) -> str:
        """Return what was done, in one sentence."""
        return f"The behaviours greeted {_times(self._greetings)} and slowed the speech {_times(self._slowed)}."

    def _on_say(self, message: String) -> None:
        self._greetings += 1
        self._newest["says"] = f'"{message.data}"'

    def _on_speech_rate(self, message: Float32) -> None:
        self._slowed += message.data < _NORMAL_RATE <= self._rate
        self._rate = message.data
        self._newest["speech rate"] = f"{message.data:.1f}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
