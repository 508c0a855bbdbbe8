"""The seven classes: their order, their names on the wire, and their place in the circumplex of affect."""

from __future__ import annotations

import numpy as np

LABELS = ("neutral", "happy", "sad", "angry", "surprise", "fear", "disgust")
"""Class names in the order of every array of probabilities or logits in this package."""

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "surprised", "scared", "disgusted")
"""REP-155 names of the same classes, as published in messages."""

UNKNOWN = "unknown"
"""What is published instead of an expression while no class is sure."""

NEUTRAL = LABELS.index("neutral")

VALENCE_AROUSAL = np.array(
    [
        (0.00, 0.00),
        (0.81, 0.51),
        (-0.63, -0.27),
        (-0.51, 0.59),
        (0.40, 0.67),
        (-0.64, 0.60),
        (-0.60, 0.35),
    ],
    dtype=np.float32,
)
"""Valence and arousal (-1..1) of each class [7, 2].

Source: Russell & Mehrabian, "Evidence for a three-factor theory of emotions", 1977.
"""
