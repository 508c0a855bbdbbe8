"""A track on a grid of time, as fine as a drawing needs: the highest, lowest and mean value of each bin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dfer_ros.recordings.emotion_track import STATES, Floats
from dfer_ros.report.person import Person


@dataclass(frozen=True)
class TimeAxis:
    """begin, end: seconds, as stamps. count: number of bins of the same length in between.

    interval: seconds from one frame to the next.
    """

    begin: float
    end: float
    count: int
    interval: float

    @property
    def seconds(self) -> float:
        """Length of the axis, seconds."""
        return self.end - self.begin

    def bins(self, stamps: Floats) -> npt.NDArray[np.int64]:
        """Return the bins of frames by their stamps, the first or the last one for what lies beyond.

        A frame stands for the interval that it begins, and lies in the bin that holds the middle of it: where each
        frame has a bin, stamps that are rounded or jitter do not move it to the next one.
        """
        middles = stamps - self.begin + self.interval / 2
        return np.clip((middles / self.seconds * self.count).astype(np.int64), 0, self.count - 1)


def create_axis(begin: float, end: float, interval: float, most_bins: int) -> TimeAxis:
    """Return an axis from begin to end (seconds) with a bin for each interval (seconds), as far as allowed."""
    seconds = max(end - begin, interval)
    return TimeAxis(begin, begin + seconds, int(np.clip(round(seconds / interval), 1, most_bins)), interval)


@dataclass(frozen=True, eq=False)
class TimeBins:
    """The answers about a person by bin. An answer fills the bins up to the next one; bins in a gap have no value."""

    person: Person
    axis: TimeAxis
    _firsts: npt.NDArray[np.int64] = field(init=False)
    _sources: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        stamps, axis = self.person.track.stamps, self.axis
        bins = axis.bins(stamps)
        filled, firsts = np.unique(bins, return_index=True)
        sources = np.full(axis.count, -1)
        sources[filled] = np.arange(len(filled))
        centres = axis.begin + (np.arange(axis.count) + 0.5) * axis.seconds / axis.count
        before = np.searchsorted(stamps, centres, side="right") - 1
        held = (before >= 0) & (stamps[before] + self.person.durations[before] > centres) & (sources < 0)
        sources[held] = np.searchsorted(filled, bins[before[held]])
        object.__setattr__(self, "_firsts", firsts)
        object.__setattr__(self, "_sources", sources)

    def highest(self, values: Floats) -> Floats:
        """Return the highest of values [N] in each bin, not a number in gaps."""
        return self._spread(np.maximum.reduceat(values, self._firsts))

    def lowest(self, values: Floats) -> Floats:
        """Return the lowest of values [N] in each bin, not a number in gaps."""
        return self._spread(np.minimum.reduceat(values, self._firsts))

    def mean(self, values: Floats) -> Floats:
        """Return the mean of values [N] over the answers of each bin, not a number in gaps."""
        counts = np.diff(np.append(self._firsts, len(values)))
        return self._spread(np.add.reduceat(values, self._firsts) / counts)

    def seen(self) -> npt.NDArray[np.bool_]:
        """Return the bins in which the person was in view."""
        return self._sources >= 0

    def shares(self) -> Floats:
        """Return the share [8, bins] of the answers of each bin that name each of STATES, 0 in gaps."""
        states = self.person.track.states
        return np.nan_to_num(np.stack([self.mean((states == state).astype(float)) for state in range(len(STATES))]))

    def _spread(self, values: Floats) -> Floats:
        return np.where(self._sources >= 0, values[self._sources], np.nan)
