"""All that was answered in one recording: a track of answers for each person, and the frames they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN

STATES: tuple[str, ...] = (*EXPRESSIONS, UNKNOWN)
"""What can be named at a frame: the seven expressions, then unknown."""
NEUTRAL_STATE = STATES.index("neutral")
UNKNOWN_STATE = STATES.index(UNKNOWN)

_GAP_SECONDS = 0.5
_GAP_INTERVALS = 3.0
FIRST_CLOCK_TIME = 1e8
"""Stamps from here on (1973) are seconds since 1970; smaller ones count from the start of a recording."""
_DEFAULT_INTERVAL = 1 / 30

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EmotionTrack:
    """The N answers about one person, by time.

    stamps: [N] seconds. frames: [N] index of the frame in its source, -1 where it is not told.
    rois: [N, 4] x, y, width, height in pixels, all 0 where they are not told.
    states: [N] index into STATES. phases: [N] index into emotion.PHASES.
    probabilities: [N, 7] in the order of labels.LABELS. confidences, valence, arousal, intensity: [N], as in Emotion.
    head_poses: [N, 3] roll, pitch and yaw in degrees, as in HeadPose; no numbers where they are not told.
    """

    face_id: str
    stamps: Floats
    frames: npt.NDArray[np.int64]
    rois: npt.NDArray[np.int64]
    states: npt.NDArray[np.int64]
    phases: npt.NDArray[np.int64]
    confidences: Floats
    probabilities: Floats
    valence: Floats
    arousal: Floats
    intensity: Floats
    head_poses: Floats

    def __len__(self) -> int:
        return len(self.stamps)


@dataclass(frozen=True, eq=False)
class RecordedEmotions:
    """The answers of one recording.

    tracks: who was seen longest comes first. stamps: [M] seconds of all frames known, by time; a JSONL file tells only
    those with a face. received: [M] seconds when their answers were recorded, None where nobody noted it.
    remarks: one sentence for each thing about the input that a reader should know.
    """

    name: str
    tracks: tuple[EmotionTrack, ...]
    stamps: Floats
    received: Floats | None = None
    remarks: tuple[str, ...] = ()
    interval: float = field(init=False)
    """Typical time between two frames, seconds: the median."""

    def __post_init__(self) -> None:
        intervals = np.diff(self.stamps)
        intervals = intervals[intervals > 0]
        # A file name may hold bytes that are no text.
        object.__setattr__(self, "name", self.name.encode("utf-8", "replace").decode())
        object.__setattr__(self, "interval", float(np.median(intervals)) if len(intervals) else _DEFAULT_INTERVAL)

    @property
    def begin(self) -> float:
        """Stamp of the first frame, seconds."""
        return float(self.stamps[0]) if len(self.stamps) else 0.0

    @property
    def origin(self) -> float:
        """Stamp from which times within the recording are counted, seconds.

        0 where stamps count from its start, as those of a video do, of which a JSONL file does not tell the frames
        before the first face; else that of the first frame.
        """
        return self.begin if self.begin >= FIRST_CLOCK_TIME else min(self.begin, 0.0)

    @property
    def end(self) -> float:
        """End of the last frame, seconds."""
        return float(self.stamps[-1]) + self.interval if len(self.stamps) else 0.0

    @property
    def gap_seconds(self) -> float:
        """Time between two frames beyond which it is unknown what was in between.

        Half a second, or three frames where these are further apart.
        """
        return max(_GAP_SECONDS, _GAP_INTERVALS * self.interval)

    def durations(self, track: EmotionTrack) -> Floats:
        """Return how long [N] each answer of a track holds, seconds: until the next one, across a gap one interval."""
        steps = np.append(np.diff(track.stamps), np.inf)
        return np.where(steps > self.gap_seconds, self.interval, steps)
