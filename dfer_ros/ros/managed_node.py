"""The base of our managed nodes: lifecycle, autostart, enabled or paused, diagnostics, and no error swallowed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter
from std_srvs.srv import SetBool

from dfer_ros.core.parameter import parameter
from dfer_ros.ros.diagnostics import ABSENT, Diagnostics, NodeCondition
from dfer_ros.ros.frame_stream import FrameStream, StreamWorker
from dfer_ros.ros.latest_worker import LatestWorker
from dfer_ros.ros.namesake import Namesake
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.streams.health import HealthLimits
from dfer_ros.streams.stamps import FrameConfig
from dfer_ros.streams.statistics import StreamStatistics


@dataclass(frozen=True)
class ManagedConfig:
    """Who starts the node, and whether it works."""

    autostart: bool = parameter(
        True, "Whether the node configures and activates itself; else a lifecycle manager does."
    )
    enabled: bool = parameter(True, "Whether an active node works; false pauses it, as ~/enable does.", changeable=True)


class _ManagedNodeConfig(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def managed(self) -> ManagedConfig: ...

    @property
    def frames(self) -> FrameConfig: ...

    @property
    def health(self) -> HealthLimits: ...


Config = TypeVar("Config", bound=_ManagedNodeConfig)


class ManagedNode(LifecycleNode, ABC, Generic[Config]):
    """A lifecycle node (https://design.ros2.org/articles/node_lifecycle.html) that can also start itself.

    A node makes its streams in create_streams(): configure loads and warms up what they need, activate subscribes,
    deactivate stops all work, cleanup frees memory. The streams listen while the node is active and its parameter
    `enabled` is true; the service `~/enable` sets that parameter.
    What fails leaves the node in the state before, and the log says why.

    arguments: of this node alone, as on a command line, before those of the process.
    defaults: its parameters. streams: the names of its streams in /diagnostics. source: who sends their frames.
    facts: the keys of what /diagnostics tells of what is loaded; then those values by key, n/a while nothing is.
    log: throttled. config: another one after every change of a parameter. statistics: of the streams, by name.
    warning: a sentence on what works less well than asked for; empty: nothing.
    """

    def __init__(
        self,
        name: str,
        defaults: Config,
        streams: Callable[[Config], Iterable[str]],
        source: str,
        facts: Iterable[str] = (),
        arguments: Sequence[str] = (),
    ) -> None:
        super().__init__(name, cli_args=list(arguments))
        self.log = ThrottledLog(self.get_logger())
        self.facts = dict.fromkeys(facts, ABSENT)
        self.warning = ""
        self._streams: list[FrameStream[Any, Config]] = []
        self._worker: StreamWorker | None = None
        self._active = False
        self._failure: Exception | None = None
        self._starting = False
        self._namesake = Namesake(self)
        self.config = declare_parameters(self, defaults, self._apply)
        self.statistics = {stream: StreamStatistics() for stream in streams(self.config)}
        self._diagnostics = Diagnostics(self, self.statistics, self._condition, self.config.health, source)
        self.create_service(SetBool, "~/enable", self._on_enable)

    @abstractmethod
    def create_streams(self) -> Iterator[FrameStream[Any, Config]]:
        """Load and warm up all that work needs, and return the streams. Raises DferError where that is impossible."""

    @property
    def lifecycle_state(self) -> str:
        """The label of the lifecycle state: unconfigured, inactive, active, finalized, or a transition."""
        label: str = self._state_machine.current_state[1]
        return label

    def start(self) -> ManagedNode[Config]:
        """Configure and activate, with `autostart`, and return the node; raise what stands in the way."""
        if not self.config.managed.autostart:
            self.get_logger().info("Waiting to be configured and activated by a lifecycle manager (autostart is off).")
            return self
        self._starting = True
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                assert self._failure is not None
                raise self._failure
        self._starting = False
        return self

    def close(self) -> None:
        """Stop and free everything, whatever the state."""
        self._diagnostics.close()
        self._stop_for_good()

    def on_configure(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Load."""
        return self._transition(self._load, self._unload)

    def on_activate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Listen, if the node is enabled."""
        self._active = True
        return self._transition(self._follow, self._deactivate)

    def on_deactivate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Stop all work."""
        return self._transition(self._deactivate)

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Free memory."""
        return self._transition(self._unload)

    def on_shutdown(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Stop all work and free memory."""
        return self._transition(self._stop_for_good)

    def on_error(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Stop all work and free memory: the node can be configured again, and /diagnostics says what failed."""
        failure = self._failure
        result = self._transition(self._stop_for_good)
        self._failure = self._failure or failure
        return result

    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> TransitionCallbackReturn:
        """Refuse a transition that there is not from here: before rclpy 8 (Humble, Jazzy) it would end the node."""
        try:
            changed: TransitionCallbackReturn = super()._LifecycleNodeMixin__change_state(transition_id)
        except rclpy_implementation.RCLError:
            sentence = f"There is no transition {transition_id} from {self.lifecycle_state}: nothing is done."
            self.get_logger().error(sentence)
            return TransitionCallbackReturn.ERROR
        return changed

    def _transition(
        self, action: Callable[[], None], undo: Callable[[], None] | None = None
    ) -> TransitionCallbackReturn:
        """Run what belongs to a transition.

        Where it fails and can be undone the node stays in the state before, else it is an error: see on_error.
        """
        if self._succeeds(action):
            return TransitionCallbackReturn.SUCCESS
        failure = self._failure
        undone = undo is not None and self._succeeds(undo)
        self._failure = failure
        return TransitionCallbackReturn.FAILURE if undone else TransitionCallbackReturn.ERROR

    def _succeeds(self, action: Callable[[], None]) -> bool:
        """Run an action and keep its failure; rclpy would swallow an exception of a transition without a word."""
        self._failure = None
        try:
            action()
        except Exception as error:
            self._failure = error
            if not self._starting:
                self.log.error(error)
        return self._failure is None

    def _load(self) -> None:
        for stream in self.create_streams():
            self._streams.append(stream)

    def _unload(self) -> None:
        while self._streams:
            self._streams.pop().close()
        self.facts, self.warning = dict.fromkeys(self.facts, ABSENT), ""

    def _deactivate(self) -> None:
        self._active = False
        self._pause()

    def _stop_for_good(self) -> None:
        self._deactivate()
        self._unload()

    def _follow(self) -> None:
        """Listen or pause, as the state and `enabled` say."""
        if not (self._active and self.config.managed.enabled):
            self._pause()
        elif self._worker is None:
            self._listen()

    def _listen(self) -> None:
        self._worker = LatestWorker(self.log.error)
        try:
            for stream in self._streams:
                stream.listen(self._worker)
        except Exception:
            self._pause()
            raise

    def _pause(self) -> None:
        for stream in self._streams:
            stream.stop_receiving()
        if self._worker is not None:
            waiting = self._worker.close()
            self._worker = None
            for stream, _ in waiting:
                stream.drop_waiting()
        for stream in self._streams:
            stream.pause()

    def _apply(self, config: Config) -> None:
        self.config = config
        for stream in self._streams:
            stream.configure(config)
        self._diagnostics.limits = config.health
        if self._active:
            self._succeeds(self._follow)

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        result = self.set_parameters([RosParameter("enabled", value=request.data)])[0]
        failure = self._failure if self._active else None
        response.success = result.successful and failure is None
        response.message = result.reason or (str(failure) if failure else self._work_in_words())
        return response

    def _work_in_words(self) -> str:
        if not self.config.managed.enabled:
            return "Paused: it listens to nothing until it is enabled."
        if self._worker is None:
            return f"Enabled: it works once it is active, and is {self.lifecycle_state}."
        return "Working."

    def _condition(self) -> NodeCondition:
        enabled = self.config.managed.enabled
        facts = {"lifecycle state": self.lifecycle_state, "enabled": str(enabled), **self.facts}
        idle = "" if self._worker is not None else self.lifecycle_state if enabled else "paused"
        warning = " ".join(filter(None, (self.warning, self._namesake.warning())))
        return NodeCondition(facts, idle, warning, "" if self._failure is None else str(self._failure))
