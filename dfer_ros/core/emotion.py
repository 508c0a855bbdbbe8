"""The answer about one person at one frame."""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.core.faces import FloatArray

PHASES = ("unknown", "neutral", "onset", "apex", "offset")
"""Names of the phases by their number in dfer_msgs/Emotion."""

PHASE_UNKNOWN = PHASES.index("unknown")
"""The phase of who cannot be recognised, and of all with a model that does not tell phases apart."""


@dataclass(frozen=True)
class Emotion:
    """The emotion of one person at one frame; the fields are those of dfer_msgs/Emotion.

    probabilities: [7] float32 in the order of labels.LABELS, calibrated, sum 1.
    confidence: the probability of the expression; for unknown, that of the most likely class.
    secondary: the other half of a compound expression, empty where there is one only; secondary_confidence: its
    probability, else 0.
    valence, arousal: -1..1, expected value over the probabilities.
    intensity: 0..1, as the model's head gives it, else all that is not neutral. phase: index into PHASES.
    """

    face_id: str
    expression: str
    confidence: float
    probabilities: FloatArray
    valence: float
    arousal: float
    intensity: float
    phase: int
    window_seconds: float
    window_frames: int
    secondary: str = ""
    secondary_confidence: float = 0.0
