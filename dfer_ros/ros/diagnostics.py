"""A node's streams on /diagnostics, once a second, in the conventions of diagnostic_updater.

diagnostic_updater itself is not used: its Python updater runs by the clock of the node, which stands still with a
paused simulation, and it is not to be had from pip.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from dfer_ros.ros.topics import OUTPUT
from dfer_ros.streams.health import Health, HealthLimits, Level, judge, merge
from dfer_ros.streams.statistics import WINDOW_SECONDS, StreamSnapshot, StreamStatistics

_PERIOD_SECONDS = 1.0
_HARDWARE_ID = "none"
"""What diagnostic_updater asks of those that are no device."""
_CLOCK_STANDS = "the simulated clock stands still; is the simulation or bag paused or over, or use_sim_time not meant?"
ABSENT = "n/a"


@dataclass(frozen=True)
class NodeCondition:
    """What a node says of itself once a second.

    facts: shown with every stream by these keys: lifecycle state, enabled, model, provider and the like.
    idle: why the node takes no frames ("inactive", "disabled"); empty while it does. An idle node is well.
    warning: a sentence on what works less well than asked for, a provider that is missing, say; empty: nothing.
    failure: a sentence on why the node cannot work, a model that cannot be loaded, say; empty: it can.
    """

    facts: Mapping[str, str]
    idle: str = ""
    warning: str = ""
    failure: str = ""


class Diagnostics:
    """Publishes one status for every stream of a node, named '<namespace and name of the node>: <stream>'.

    streams: by name; the names should stay as they are, since an aggregator takes a status that no longer comes for
    stale. Their times are those of time.monotonic(). source: who sends the frames, as in "is the camera running?".
    limits: may be set at any time. Call close() before the node is destroyed.
    """

    def __init__(
        self,
        node: Node,
        streams: Mapping[str, StreamStatistics],
        condition: Callable[[], NodeCondition],
        limits: HealthLimits,
        source: str,
    ) -> None:
        self.limits = limits
        self._node = node
        self._streams = streams
        self._condition = condition
        self._source = source
        self._expecting_since: float | None = None
        self._last_stamp = 0
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", OUTPUT)
        self._timer = node.create_timer(_PERIOD_SECONDS, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        now = time.monotonic()
        condition = self._condition()
        # Only what was seen to take frames can miss some: the node may have loaded its model for seconds before.
        if condition.idle or condition.failure:
            self._expecting_since = None
        elif self._expecting_since is None:
            self._expecting_since = now
        clock_stands = self._clock_stands_still()
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        for name, statistics in self._streams.items():
            snapshot = statistics.snapshot(now)
            health = self._health(condition, snapshot, now, clock_stands)
            message.status.append(self._status(name, health, {**condition.facts, **_numbers(snapshot)}))
        self._publisher.publish(message)

    def _clock_stands_still(self) -> bool:
        clock = self._node.get_clock()
        before, self._last_stamp = self._last_stamp, clock.now().nanoseconds
        return bool(clock.ros_time_is_active) and self._last_stamp == before

    def _health(self, condition: NodeCondition, snapshot: StreamSnapshot, now: float, clock_stands: bool) -> Health:
        if condition.failure:
            return Health(Level.ERROR, condition.failure)
        if condition.idle:
            return Health(Level.OK, f"Takes no frames: {condition.idle}.")
        limits, hint = self.limits, f"is {self._source} running, and is the topic the right one?"
        if clock_stands:
            # By the robot's own time nothing is late: never an error, but use_sim_time may be set by mistake.
            limits, hint = replace(limits, stale_error_seconds=math.inf), _CLOCK_STANDS
        health = judge(snapshot, limits, self._silent_seconds(snapshot, now), hint)
        return merge([health, Health(Level.WARN, condition.warning)]) if condition.warning else health

    def _silent_seconds(self, snapshot: StreamSnapshot, now: float) -> float:
        expected = 0.0 if self._expecting_since is None else now - self._expecting_since
        return expected if snapshot.input_age is None else min(expected, snapshot.input_age)

    def _status(self, stream: str, health: Health, values: Mapping[str, str]) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([health.level]),
            name=f"{self._node.get_fully_qualified_name()}: {stream}",
            message=health.message,
            hardware_id=_HARDWARE_ID,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )


def _numbers(snapshot: StreamSnapshot) -> dict[str, str]:
    """Return the values of a status by their keys."""
    drops = {f"dropped: {reason.value}": str(count) for reason, count in snapshot.dropped.items()}
    recent = {
        f"dropped in {WINDOW_SECONDS:.0f} s: {reason.value}": str(count)
        for reason, count in snapshot.recent_dropped.items()
    }
    return {
        "input rate (Hz)": _number(snapshot.input_rate),
        "output rate (Hz)": _number(snapshot.output_rate),
        "latency p50 (ms)": _number(snapshot.latency_p50, 1e3),
        "latency p95 (ms)": _number(snapshot.latency_p95, 1e3),
        "faces": ABSENT if snapshot.faces is None else str(snapshot.faces),
        "input age (s)": _number(snapshot.input_age),
        "drop share (%)": _number(snapshot.drop_share, 1e2),
        "frames in": str(snapshot.received),
        "frames processed": str(snapshot.processed),
        "frames dropped": str(sum(snapshot.dropped.values())),
        **drops,
        **recent,
        f"repeated stamps in {WINDOW_SECONDS:.0f} s": str(snapshot.recent_repeated),
    }


def _number(value: float | None, scale: float = 1.0) -> str:
    return ABSENT if value is None else f"{scale * value:.1f}"
