"""The graph that benches run: both nodes, a camera that does as it is told, and all that can be seen of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from dfer_msgs.msg import EmotionArray
from dfer_ros.bench.camera import APPLIED, CameraSetting
from dfer_ros.core.errors import DferError
from dfer_ros.graph.processes import PERCEPTION, GraphProcesses, transport_environment
from dfer_ros.graph.watcher import GraphWatcher
from dfer_ros.ros.messages import header_nanoseconds
from dfer_ros.ros.timed_subscription import create_timed_subscription
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

NAMESPACE = "/bench"
ONE, TWO, BARE = "one", "two", "bare"
WAYS = {
    ONE: "perception_node",
    TWO: "face_detector_node and dfer_node, a process each",
    BARE: "two plain nodes without tracking, windows or diagnostics",
}
"""What is measured beside each other: the first is the default."""
DETECTOR, RECOGNIZER = "face_detector_node", "dfer_node"
NODES = (DETECTOR, RECOGNIZER)
STREAMS = {DETECTOR: "image", RECOGNIZER: "faces"}
"""The stream of each node in /diagnostics."""
NOTHING = CameraSetting(rate=0.0)


@dataclass(frozen=True)
class Answer:
    """An EmotionArray: stamp of its image in nanoseconds, how many faces it holds, and times in seconds since 1970.

    published: when the node gave it to DDS; 0: not told. arrived: when DDS had it in the process of the bench. taken:
    when Python had it there, which anything else in that process can hold up.
    """

    stamp: int
    faces: int
    published: float
    arrived: float
    taken: float

    @classmethod
    def of(cls, message: EmotionArray, published: int, received: int) -> Answer:
        """Return the answer that Python has just taken; published, received: of create_timed_subscription()."""
        taken = time.time()
        stamp, faces = header_nanoseconds(message.header), len(message.emotions)
        return cls(stamp, faces, 1e-9 * published, 1e-9 * received or taken, taken)

    @property
    def age(self) -> float:
        """Seconds from the stamp to the arrival."""
        return self.arrived - self.stamp * 1e-9

    @property
    def latency(self) -> float:
        """Seconds from the stamp until a subscriber in Python has it."""
        return self.taken - self.stamp * 1e-9


class BenchCamera:
    """The process of the camera. sent: the stamps of its images in nanoseconds."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self._applied = threading.Event()

    def __enter__(self) -> BenchCamera:
        command = [sys.executable, "-m", "dfer_ros.bench.camera", "--ros-args", "-r", f"__ns:={NAMESPACE}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read_words, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def show(self, setting: CameraSetting) -> None:
        """Send this from now on; returns when it is so."""
        assert self._process.stdin is not None
        self._applied.clear()
        self._process.stdin.write(json.dumps(asdict(setting)) + "\n")
        self._process.stdin.flush()
        if not self._applied.wait(PATIENCE_SECONDS):
            raise DferError("The camera of the bench does not answer: see its lines above.")

    def _read_words(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == APPLIED:
                self._applied.set()
            else:
                self.sent.append(int(line))


class BenchGraph:
    """Both nodes, in one of the WAYS, while the `with` lasts.

    say: called with every line that the nodes print. detector, recognizer: parameters that differ from the defaults.
    shared_memory: whether every process gets config/fastdds_shm.xml, unless the user has set a profile.
    shown: what the camera sends before the nodes are started; several cameras have a detector each, in a namespace of
    its own, in one process only. started: when the nodes were started, in seconds.
    answers: every EmotionArray, as they came. log: the lines of the nodes. healths: the newest status by node.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        detector: Mapping[str, object] | None = None,
        recognizer: Mapping[str, object] | None = None,
        shared_memory: bool = True,
        way: str = ONE,
        shown: CameraSetting | None = None,
    ) -> None:
        self._say = say
        self._shared_memory = shared_memory
        self._way = way
        self._shown = shown
        self._cameras = shown.names if shown is not None and shown.cameras > 1 else []
        self._parameters = {DETECTOR: detector or {}, RECOGNIZER: recognizer or {}}
        self.answers: list[Answer] = []
        self.log: list[str] = []
        self.healths: dict[str, DiagnosticStatus] = {}
        self.started = 0.0

    def __enter__(self) -> BenchGraph:
        if self._shared_memory:
            os.environ.update(transport_environment())
        with contextlib.ExitStack() as stack:
            self._stack = stack
            watcher = stack.enter_context(GraphWatcher(NAMESPACE))
            for topic in [f"{camera}/emotions" for camera in self._cameras] or ["emotions"]:
                create_timed_subscription(watcher.node, EmotionArray, topic, self._on_emotions, OUTPUT)
            watcher.hear(DiagnosticArray, "/diagnostics", self._on_diagnostics)
            self.node = watcher.node
            if self._shown is not None:
                self.camera.show(self._shown)
            self.processes = stack.enter_context(GraphProcesses(NAMESPACE, self._on_line))
            self.started = time.time()
            for node in NODES if self._way == TWO else NODES[:1]:
                self.start(node)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def camera(self) -> BenchCamera:
        """The camera; it is started when it is first asked for."""
        return self._stack.enter_context(BenchCamera())

    def start(self, node: str) -> None:
        """Start a node, or start it again, with the other one where both are in one process."""
        if self._way == ONE:
            words = [word for name in self._cameras for word in ("--camera", f"{name}={NAMESPACE}/{name}/image")]
            self.processes.start_perception(self._parameters[DETECTOR], self._parameters[RECOGNIZER], {}, words)
        elif self._way == BARE:
            for part in ("detector", "recognizer"):
                self.processes.start("bare_chain", room="bench", words=[part], name=f"bare_{part}")
        else:
            self.processes.start_as_launched(node, self._parameters[node], {})

    def kill(self, node: str) -> None:
        """End the process of a node as a crash would."""
        self.processes.kill(PERCEPTION if self._way == ONE else node)

    def pid(self, node: str) -> int:
        """Return the process id of a node."""
        return self.processes.pids()[PERCEPTION if self._way == ONE else node]

    def wait_for_faces(self, setting: CameraSetting) -> None:
        """Show a setting until all its faces are answered; raises DferError where they are not."""
        before = len(self.answers)
        self.camera.show(setting)
        if not wait_until(lambda: any(a.faces >= setting.faces for a in self.answers[before:])):
            most = max((answer.faces for answer in self.answers[before:]), default=0)
            raise DferError(
                f"{setting.faces} faces were shown, and {most} found in {PATIENCE_SECONDS:.0f} s; "
                f"the nodes said: {' '.join(self.log[-3:]) or 'nothing.'}"
            )

    def wait_for_answer_after(self, stamp: float, seconds: float) -> Answer | None:
        """Return the first answer to an image taken after a time (seconds), or None where none comes in time."""
        before = len(self.answers)

        def found() -> Answer | None:
            return next((answer for answer in self.answers[before:] if answer.stamp * 1e-9 > stamp), None)

        wait_until(found, seconds)
        return found()

    def fresh_healths(self) -> Mapping[str, DiagnosticStatus]:
        """Return what both nodes say of themselves from now on."""
        # Two rounds: the first one may have been made before.
        for _ in range(2):
            self.healths.clear()
            if not wait_until(lambda: len(self.healths) == len(NODES)):
                silent = ", ".join(sorted(set(NODES) - set(self.healths)))
                raise DferError(f"No diagnostics from {silent} in {PATIENCE_SECONDS:.0f} s: is DDS blocked here?")
        return dict(self.healths)

    def unexpected(self) -> list[str]:
        """Return what must not be: nodes that ended, and lines that tell of errors that nobody thought of."""
        ended = [f"{node} ended with exit code {code}." for node, code in self.processes.ended().items()]
        return ended + [line for line in self.log if "Unexpected error" in line or "Traceback" in line]

    def _on_line(self, line: str) -> None:
        self.log.append(line)
        self._say(line)

    def _on_emotions(self, message: EmotionArray, published: int, received: int) -> None:
        self.answers.append(Answer.of(message, published, received))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for node, stream in STREAMS.items():
                if status.name == f"{NAMESPACE}/{node}: {stream}":
                    self.healths[node] = status
