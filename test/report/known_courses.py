"""Recordings whose course is known."""

import numpy as np

from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN, VALENCE_AROUSAL
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.track_builder import TrackBuilder

FPS = 30.0


def recording_of(courses, name="made", fps=FPS, received=None, remarks=()):
    """Return a recording: for each face id the pieces of its course, of an expression (None: out of view) and seconds.

    The intensity of an expression other than neutral rises and falls; the probability follows.
    """
    rows = TrackBuilder()
    frames = set()
    for face_id, pieces in courses.items():
        frame = 0
        for state, seconds in pieces:
            count = round(seconds * fps)
            for index in range(count if state else 0):
                strength = np.sin(np.pi * (index + 0.5) / count)
                rows.add(face_id, _row(frame + index, fps, state, strength))
                frames.add((frame + index) / fps)
            frame += count
    stamps = np.array(sorted(frames))
    return RecordedEmotions(name, rows.tracks()[0], stamps, received and received(stamps), remarks)


def _row(frame, fps, state, strength):
    shares = np.full(len(EXPRESSIONS), 0.02)
    if state == UNKNOWN:
        shares[[1, 4]] = 0.4
    else:
        shares[EXPRESSIONS.index(state)] = 0.6 + 0.2 * strength
    shares[0] += 1 - shares.sum()
    valence, arousal = np.clip(shares @ VALENCE_AROUSAL, -1, 1).tolist()
    intensity = 0.1 if state == "neutral" else 0.2 + 0.7 * strength
    phase = PHASES.index("neutral" if state == "neutral" else "apex" if strength > 0.9 else "onset")
    numbers = (float(shares.max()), valence, arousal, float(intensity))
    return (frame / fps, frame, 200, 100, 80, 80, STATES.index(state), phase, *numbers, *shares.tolist())
