"""Answers of two runs over one recording, all of them known."""

import numpy as np

from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.track_builder import TrackBuilder

FPS = 25.0
LEFT, MIDDLE, RIGHT = 50, 250, 450
"""Where people are, pixels from the left."""
KEYS = [
    "stamp",
    "frame",
    "face_id",
    "roi",
    "expression",
    "confidence",
    "probabilities",
    "valence",
    "arousal",
    "secondary",
    "secondary_confidence",
    "intensity",
    "phase",
    "window_seconds",
    "window_frames",
]
"""Of a line of `dfer analyze`, in their order."""


def made_answers(faces, name="made", fps=FPS, start=0.0, box=(100, 120), confidence=0.8, valence=0.1, arousal=0.2):
    """Return a recording. faces: by id the place and the course, an expression for each frame, None where not in view.

    People sway to and fro, everybody in a way of his own. box: width and height of a face, pixels.
    """
    rows = TrackBuilder()
    for face_id, (place, course) in faces.items():
        for frame, expression in enumerate(course):
            if expression is None:
                continue
            at = start + frame / fps
            x, y = place + round(20 * np.sin(at * (1 + place / 100))), 100 + round(15 * np.cos(at * (2 + place / 90)))
            likely = EXPRESSIONS[0] if expression == UNKNOWN else expression
            shares = [confidence if each == likely else (1 - confidence) / 6 for each in EXPRESSIONS]
            numbers = (confidence, valence, arousal, 0.5, *shares)
            rows.add(face_id, (at, frame, x, y, *box, STATES.index(expression), 0, *numbers))
    tracks, left_out = rows.tracks()
    assert left_out == 0
    stamps = np.unique(np.concatenate([track.stamps for track in tracks]))
    return RecordedEmotions(name, tracks, stamps)
