"""Judges the statistics of a stream: a level, and a sentence for the person who looks after the robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import partial

from dfer_ros.core.parameter import parameter
from dfer_ros.streams.stamps import repeated_stamps
from dfer_ros.streams.statistics import WINDOW_SECONDS, DropReason, StreamSnapshot

_FUTURE_SECONDS = 0.05
"""How far ahead a stamp may lie: two computers whose clocks are synchronised are this close."""
_OTHER_CLOCK_SECONDS = 60.0
"""A latency that cannot be one: nothing is queued that long."""
_FEWEST_LOSSES = 3
"""Fewer lost frames in the window, or fewer whose stamps repeat, tell nothing about their share."""

_limit = partial(parameter, changeable=True)

_CAUSES: Mapping[DropReason, str] = {
    DropReason.REPLACED: "newer ones replaced them, as this computer is too slow or too busy for their rate",
    DropReason.UNUSABLE: "their images cannot be read; the log of the node says why",
    DropReason.LATE_STAMP: "they come out of order, after newer ones; do two publishers send on this topic?",
    DropReason.WAITED: "they waited too long, as this computer is too slow or too busy for their rate",
    DropReason.FAILED: "processing them failed; the log of the node says why",
}


class Level(IntEnum):
    """How well a stream is, in the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class HealthLimits:
    """The limits beyond which a stream gets a warning or an error."""

    latency_warn_seconds: float = _limit(
        0.2, "Stamp-to-publish latency (p95) beyond which /diagnostics says WARN.", "s", 0.001, 60.0
    )
    latency_error_seconds: float = _limit(
        1.0, "Stamp-to-publish latency (p95) beyond which /diagnostics says ERROR.", "s", 0.001, 60.0
    )
    drop_warn_share: float = _limit(
        0.2, "Share of frames dropped beyond which /diagnostics says WARN; 1: never.", "", 0.0, 1.0
    )
    drop_error_share: float = _limit(
        0.9, "Share of frames dropped beyond which /diagnostics says ERROR; 1: never.", "", 0.0, 1.0
    )
    stale_warn_seconds: float = _limit(1.0, "Time without input after which /diagnostics says WARN.", "s", 0.1, 3600.0)
    stale_error_seconds: float = _limit(
        5.0, "Time without input after which /diagnostics says ERROR.", "s", 0.1, 3600.0
    )


@dataclass(frozen=True)
class Health:
    """A level and what it means in one or more sentences."""

    level: Level
    message: str


def judge(snapshot: StreamSnapshot, limits: HealthLimits, silent_seconds: float, silence_hint: str) -> Health:
    """Return the health of a stream.

    silent_seconds: how long frames were expected and none came. silence_hint: the likely reason, if that is too long.
    """
    silence = _silence(snapshot, limits, silent_seconds, silence_hint)
    if silence is not None:
        return silence
    causes = _repeats(snapshot), _delay(snapshot, limits), _drops(snapshot, limits)
    findings = [finding for finding in causes if finding is not None]
    return merge(findings) if findings else Health(Level.OK, _summary(snapshot))


def merge(findings: list[Health]) -> Health:
    """Return the worst level of findings and all their sentences, the worst first."""
    ordered = sorted(findings, key=lambda finding: -finding.level)
    return Health(ordered[0].level, " ".join(finding.message for finding in ordered))


def _silence(snapshot: StreamSnapshot, limits: HealthLimits, seconds: float, hint: str) -> Health | None:
    level = _level(seconds, limits.stale_warn_seconds, limits.stale_error_seconds)
    if level is Level.OK:
        return None
    yet = " yet" if snapshot.input_age is None else ""
    return Health(level, f"No frame{yet} for {_duration(seconds)}: {hint}")


def repeats_in_words(snapshot: StreamSnapshot) -> str:
    """Return a sentence on stamps that repeat or stand still in the window; empty where they do not."""
    if snapshot.recent_repeated < _FEWEST_LOSSES:
        return ""
    return (
        f"{repeated_stamps(snapshot.recent_repeated, snapshot.recent_received)}, and count as taken when they came; "
        "look at the camera driver."
    )


def _repeats(snapshot: StreamSnapshot) -> Health | None:
    sentence = repeats_in_words(snapshot)
    return Health(Level.WARN, sentence) if sentence else None


def _delay(snapshot: StreamSnapshot, limits: HealthLimits) -> Health | None:
    if snapshot.latency_p50 is None or snapshot.latency_p95 is None:
        return None
    typical, slow = snapshot.latency_p50, snapshot.latency_p95
    if typical < -_FUTURE_SECONDS or typical > _OTHER_CLOCK_SECONDS:
        return _other_clock(typical)
    level = _level(slow, limits.latency_warn_seconds, limits.latency_error_seconds)
    if level is Level.OK:
        return None
    limit = limits.latency_error_seconds if level is Level.ERROR else limits.latency_warn_seconds
    return Health(
        level,
        f"Answers come {1e3 * slow:.0f} ms after the image (p95), more than {1e3 * limit:.0f} ms: "
        "this computer is too busy, or the images come late.",
    )


def _other_clock(offset: float) -> Health:
    place = "in the future" if offset < 0 else "in the past"
    return Health(
        Level.WARN,
        f"The stamps of the frames lie {_duration(abs(offset))} {place}: the camera's clock is not synchronised with "
        "this computer's, or a simulation or bag runs by a clock of its own (use_sim_time).",
    )


def _drops(snapshot: StreamSnapshot, limits: HealthLimits) -> Health | None:
    level = _level(snapshot.drop_share, limits.drop_warn_share, limits.drop_error_share)
    if level is Level.OK or snapshot.recent_losses < _FEWEST_LOSSES:
        return None
    cause = max(_CAUSES, key=lambda reason: snapshot.recent_dropped[reason])
    return Health(
        level, f"{100 * snapshot.drop_share:.0f} % of the frames are dropped, mostly because {_CAUSES[cause]}."
    )


def _summary(snapshot: StreamSnapshot) -> str:
    if snapshot.received == 0:
        return "Waiting for the first frame."
    if snapshot.latency_p50 is None:
        return f"Nothing processed in the last {WINDOW_SECONDS:.0f} s."
    faces = "1 face" if snapshot.faces == 1 else f"{snapshot.faces} faces"
    return f"{snapshot.output_rate:.1f} Hz, {1e3 * snapshot.latency_p50:.1f} ms, {faces}"


def _level(value: float, warn: float, error: float) -> Level:
    if value > error:
        return Level.ERROR
    return Level.WARN if value > warn else Level.OK


def _duration(seconds: float) -> str:
    if seconds < 10.0:
        return f"{seconds:.1f} s"
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.0f} h"
