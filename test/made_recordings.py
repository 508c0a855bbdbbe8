"""Recordings whose every answer is known."""

import numpy as np

from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.track_builder import TrackBuilder

FPS = 10.0


def made_recording(*courses, fps=FPS, received=None):
    """Return a recording of one person for each course: a list of answers, None where the person is not in view.

    An answer is an expression, alone or with its intensity, its phase and a dictionary of probabilities.
    """
    rows = TrackBuilder()
    for number, course in enumerate(courses, 1):
        for frame, answer in enumerate(course):
            if answer is not None:
                rows.add(
                    f"face{number}", row_of(frame / fps, frame, *([answer] if isinstance(answer, str) else answer))
                )
    tracks, left_out = rows.tracks()
    assert left_out == 0
    seen = {stamp for track in tracks for stamp in track.stamps.tolist()}
    return RecordedEmotions("made", tracks, np.array(sorted(seen)), received)


def row_of(stamp, frame, expression, intensity=0.5, phase="unknown", probabilities=None):
    shares = probabilities or {EXPRESSIONS[0] if expression == UNKNOWN else expression: 1.0}
    row = [shares.get(name, 0.0) for name in EXPRESSIONS]
    numbers = (max(row), 0.1, 0.2, intensity)
    return (stamp, frame, 10, 20, 30, 40, STATES.index(expression), PHASES.index(phase), *numbers, *row)
