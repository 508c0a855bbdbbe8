"""The lines of a JSONL file: one object for each face and processed frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dfer_ros.core.emotion import PHASES, Emotion
from dfer_ros.core.labels import EXPRESSIONS


def emotion_record(stamp: float, frame: int, roi: Sequence[int], emotion: Emotion) -> dict[str, Any]:
    """Return the object of one face in one frame; the message dfer_msgs/Emotion, of the same fields, serves as well.

    stamp: seconds. frame: index of the frame. roi: x, y, width, height in pixels. Probabilities go by expression.
    """
    return {
        "stamp": round(stamp, 6),
        "frame": frame,
        "face_id": emotion.face_id,
        "roi": list(roi),
        "expression": emotion.expression,
        "confidence": _rounded(emotion.confidence),
        "probabilities": {label: _rounded(p) for label, p in zip(EXPRESSIONS, emotion.probabilities)},
        "valence": _rounded(emotion.valence),
        "arousal": _rounded(emotion.arousal),
        "secondary": emotion.secondary,
        "secondary_confidence": _rounded(emotion.secondary_confidence),
        "intensity": _rounded(emotion.intensity),
        "phase": PHASES[emotion.phase],
        "window_seconds": _rounded(emotion.window_seconds),
        "window_frames": emotion.window_frames,
    }


def record_line(record: dict[str, Any]) -> str:
    """Return the record as one line with its line end."""
    return json.dumps(record) + "\n"


def _rounded(value: float) -> float:
    return round(float(value), 5)
