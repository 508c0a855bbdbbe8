"""Sessions of patients whose course is known."""

import datetime
import json

import numpy as np

from dfer_ros.core.labels import EXPRESSIONS, LABELS
from dfer_ros.studies.measures import ALL, MEASURES, ONSET_SPEED, SessionValues

SESSIONS, SHOWN = 10, 60
WITHIN, BETWEEN = 0.25, 0.03
"""Deviations of the logarithm of a speed: from one expression to the next, and from one day to the next."""
UTC = datetime.timezone.utc


def patient(seed, slowing=0.0, sessions=SESSIONS):
    """Return the values of a patient whose onset slows by a share over all sessions; other measures stay the same."""
    chance = np.random.default_rng(seed)
    values = []
    for measure in MEASURES:
        for session in range(sessions):
            change = np.log1p(-slowing) * session / (sessions - 1) if measure is ONSET_SPEED else 0.0
            count = SHOWN if measure.each else 1
            noise = chance.normal(0, BETWEEN) + chance.normal(0, WITHIN, count) * (1 if measure.each else 0.3)
            names = tuple(chance.choice(["happy", "sad"], count)) if measure.each else (ALL,)
            values.append(
                SessionValues(f"s{session:02}", 7.0 * session, ALL, measure, names, np.exp(0.5 + change + noise))
            )
    return values


def write_session(path, begin, rise_seconds, shown=12, fps=25.0, face_id="face1", seed=0):
    """Write a JSONL file: smiles that rise in so many seconds, held for half a second, with pauses of two seconds."""
    chance = np.random.default_rng(seed)
    course = [np.zeros(round(2 * fps))]
    for _ in range(shown):
        rise = round(fps * rise_seconds * np.exp(chance.normal(0, 0.1)))
        course += [np.linspace(0, 1, rise), np.ones(round(0.5 * fps)), np.linspace(1, 0, round(0.4 * fps))]
        course += [np.zeros(round(2 * fps))]
    start = begin.timestamp() if begin else 0.0
    lines = [
        _line(start + frame / fps, frame, float(level), face_id) for frame, level in enumerate(np.concatenate(course))
    ]
    path.write_text("".join(lines), encoding="utf-8")


def _line(stamp, frame, level, face_id):
    happy = 0.05 + 0.85 * level
    shares = dict.fromkeys(LABELS, 0.02) | {"happy": happy, "neutral": 1 - happy - 0.1}
    named = EXPRESSIONS[1] if happy >= 0.5 else EXPRESSIONS[0]
    record = {
        "stamp": stamp,
        "frame": frame,
        "face_id": face_id,
        "roi": [10, 10, 50, 50],
        "expression": named,
        "confidence": max(shares.values()),
        "probabilities": shares,
        "valence": 0.0,
        "arousal": 0.0,
        "intensity": level,
        "phase": "unknown",
        "window_seconds": 1.0,
        "window_frames": 20,
    }
    return json.dumps(record) + "\n"
