"""What passes through one stream of frames: counted since the start, timed over seconds, in constant memory."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

WINDOW_SECONDS = 5.0
"""Span of the sliding window of rates, latencies and recent drops."""
_MOST_EVENTS = 2048
"""Events of a kind that are kept: the whole window up to 400 Hz; a faster stream has a shorter one."""
_LEAST_SPAN_SECONDS = 1e-3


class DropReason(str, Enum):
    """Why a frame that came in was not processed."""

    FRAME_RATE = "frame_rate"
    """More came than the parameter frame_rate lets through."""
    REPLACED = "replaced"
    """A newer one came before its turn."""
    UNUSABLE = "unusable"
    """Its image cannot be turned into pixels."""
    LATE_STAMP = "late_stamp"
    """Its stamp lies before that of a frame seen already."""
    WAITED = "waited"
    """It was too old when its turn came."""
    FAILED = "failed"
    """An unexpected error ended its processing."""
    DISABLED = "disabled"
    """The node was told to pause."""

    @property
    def intended(self) -> bool:
        """Whether somebody asked for this drop: it says nothing against the health of the stream."""
        return self in (DropReason.FRAME_RATE, DropReason.DISABLED)


@dataclass(frozen=True)
class StreamSnapshot:
    """The state of a stream at one moment.

    received, processed, dropped: frames since the start. recent_received, recent_processed, recent_dropped: frames of
    the window. recent_repeated: those of the frames received in it that have the stamp of the one before.
    input_rate, output_rate: frames a second over the window, received and processed.
    latency_p50, latency_p95: seconds from stamp to publishing over the window; None where nothing was processed.
    faces: in the last frame processed; None where that lies before the window.
    input_age: seconds since the last frame was received; None before the first.
    """

    received: int
    processed: int
    dropped: Mapping[DropReason, int]
    recent_received: int
    recent_repeated: int
    recent_processed: int
    recent_dropped: Mapping[DropReason, int]
    input_rate: float
    output_rate: float
    latency_p50: float | None
    latency_p95: float | None
    faces: int | None
    input_age: float | None

    @property
    def recent_losses(self) -> int:
        """How many frames of the window were dropped for reasons that nobody intended."""
        return sum(count for reason, count in self.recent_dropped.items() if not reason.intended)

    @property
    def drop_share(self) -> float:
        """Which share (0..1) of the frames of the window that were to be processed was dropped."""
        losses = self.recent_losses
        return losses / (losses + self.recent_processed) if losses else 0.0


class StreamStatistics:
    """Counts and times the frames of one stream; every method may be called from any thread.

    All times are seconds of one steady clock (time.monotonic()), given by the caller.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._processed = 0
        self._dropped: Counter[DropReason] = Counter()
        self._faces = 0
        self._last_received: float | None = None
        self._arrivals: deque[float] = deque(maxlen=_MOST_EVENTS)
        self._results: deque[tuple[float, float]] = deque(maxlen=_MOST_EVENTS)
        self._drops: deque[tuple[float, DropReason]] = deque(maxlen=_MOST_EVENTS)
        self._repeats: deque[float] = deque(maxlen=_MOST_EVENTS)

    def received(self, now: float) -> None:
        """Count a frame that came in."""
        with self._lock:
            self._received += 1
            self._last_received = now
            self._arrivals.append(now)

    def repeated(self) -> None:
        """Count that the last frame received has the same stamp as the one before it."""
        with self._lock:
            if self._last_received is not None:
                self._repeats.append(self._last_received)

    def dropped(self, reason: DropReason) -> None:
        """Count a frame that will not be processed; it counts at the time of the last frame received."""
        with self._lock:
            self._dropped[reason] += 1
            if self._last_received is not None:
                self._drops.append((self._last_received, reason))

    def processed(self, now: float, latency_seconds: float, faces: int) -> None:
        """Count a frame whose answer was published, latency_seconds after its stamp, with this many faces."""
        with self._lock:
            self._processed += 1
            self._faces = faces
            self._results.append((now, latency_seconds))

    def snapshot(self, now: float) -> StreamSnapshot:
        """Return the state of the stream at a time."""
        with self._lock:
            received, processed, dropped = self._received, self._processed, dict(self._dropped)
            last_received, last_faces = self._last_received, self._faces
            arrivals, results, drops = list(self._arrivals), list(self._results), list(self._drops)
            repeats = list(self._repeats)
        start = now - WINDOW_SECONDS
        arrivals = [time for time in arrivals if time > start]
        results = [(time, latency) for time, latency in results if time > start]
        recent = Counter(reason for time, reason in drops if time > start)
        p50, p95 = _percentiles([latency for _, latency in results])
        return StreamSnapshot(
            received=received,
            processed=processed,
            dropped={reason: dropped.get(reason, 0) for reason in DropReason},
            recent_received=len(arrivals),
            recent_repeated=sum(time > start for time in repeats),
            recent_processed=len(results),
            recent_dropped={reason: recent[reason] for reason in DropReason},
            input_rate=_rate(arrivals, now),
            output_rate=_rate([time for time, _ in results], now),
            latency_p50=p50,
            latency_p95=p95,
            faces=last_faces if results else None,
            input_age=None if last_received is None else max(0.0, now - last_received),
        )


def _rate(times: Sequence[float], now: float) -> float:
    """Return events a second from their mean spacing; a silence longer than that spacing counts as well."""
    if len(times) < 2:
        return 0.0
    span = times[-1] - times[0]
    intervals = len(times) - 1
    until_now = now - times[0] - span / intervals
    return intervals / max(span, until_now, _LEAST_SPAN_SECONDS)


def _percentiles(latencies: Sequence[float]) -> tuple[float | None, float | None]:
    if not latencies:
        return None, None
    p50, p95 = np.percentile(latencies, (50, 95))
    return float(p50), float(p95)
