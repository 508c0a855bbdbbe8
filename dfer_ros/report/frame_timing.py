"""When frames came and when their answers did: intervals, frames that are missing, pauses and latencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dfer_ros.recordings.emotion_track import Floats, RecordedEmotions
from dfer_ros.text.wording import length, percent

_FUTURE_SECONDS = -0.05
_OTHER_CLOCK_SECONDS = 60.0
_MOSTLY_PAUSE = 0.95
"""Share of a recording from which on one pause leaves no room for anything else."""
_RUNS = {"1": (1, 1), "2": (2, 2), "3 to 5": (3, 5), "6 to 10": (6, 10), "more than 10": (11, np.inf)}


@dataclass(frozen=True, eq=False)
class FrameTiming:
    """The timing of a recording.

    intervals: [I] seconds between frames, pauses left out. missing: frames that did not come, at the typical interval.
    missing_runs: how often how many in a row were missing, by words. pauses: [P] seconds of the times without frames
    that are longer than a gap. latencies: [M] seconds from the stamp of a frame to the recorder receiving its answer;
    None where nobody noted it, or where the two clocks cannot be the same (other_clock).
    """

    interval: float
    frames: int
    intervals: Floats
    missing: int
    missing_runs: Mapping[str, int]
    pauses: Floats
    latencies: Floats | None
    other_clock: bool

    @property
    def missing_share(self) -> float:
        """Share of the frames that should have come and did not, 0..1."""
        return self.missing / max(self.missing + self.frames, 1)


def pause_remarks(recording: RecordedEmotions) -> tuple[str, ...]:
    """Return a sentence where one pause is so long that little else is seen over time, as after a wrong stamp."""
    longest = float(np.diff(recording.stamps).max(initial=0.0))
    if longest <= recording.gap_seconds or longest < _MOSTLY_PAUSE * (recording.end - recording.begin):
        return ()
    return (
        f"A pause of {length(longest)} takes {percent(longest / (recording.end - recording.begin))} of the recording, "
        "so that little else is seen over time; if a wrong stamp is the reason, take its lines out.",
    )


def measure_timing(recording: RecordedEmotions) -> FrameTiming:
    """Return the timing of a recording. A JSONL file has no line for a frame without faces: it counts as missing."""
    steps = np.diff(recording.stamps)
    steps = steps[steps > 0]
    intervals = steps[steps <= recording.gap_seconds]
    missing = np.maximum(np.rint(intervals / recording.interval).astype(np.int64) - 1, 0)
    runs = {words: int(((missing >= low) & (missing <= high)).sum()) for words, (low, high) in _RUNS.items()}
    latencies = None if recording.received is None else recording.received - recording.stamps
    other_clock = latencies is not None and not _FUTURE_SECONDS <= float(np.median(latencies)) <= _OTHER_CLOCK_SECONDS
    return FrameTiming(
        interval=recording.interval,
        frames=len(recording.stamps),
        intervals=intervals,
        missing=int(missing.sum()),
        missing_runs=runs,
        pauses=steps[steps > recording.gap_seconds],
        latencies=None if other_clock else latencies,
        other_clock=other_clock,
    )
