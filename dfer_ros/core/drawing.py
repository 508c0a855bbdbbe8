"""Faces and emotions drawn into an image, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from dfer_ros.core.faces import Image
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.core.palette import ON_DARK

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    expression: (int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16))
    for expression, colour in ON_DARK.items()
}
"""BGR by expression."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DARK: Colour = (32, 32, 32)
_LIGHT: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Annotation:
    """What is drawn for one face.

    roi: x, y, width, height in pixels. expression: empty while nothing is known.
    probabilities: in the order of EXPRESSIONS.
    """

    face_id: str
    roi: tuple[int, int, int, int]
    expression: str = ""
    confidence: float = 0.0
    probabilities: Sequence[float] = ()


def draw_annotations(image: Image, annotations: Sequence[Annotation]) -> Image:
    """Return a copy of image [H, W, 3] uint8 BGR with a box, a label and seven probability bars for every face."""
    canvas = image.copy()
    for annotation in annotations:
        _draw_annotation(canvas, annotation)
    return canvas


def _draw_annotation(canvas: Image, annotation: Annotation) -> None:
    x, y, width, height = annotation.roi
    colour = COLOURS.get(annotation.expression, COLOURS[UNKNOWN])
    scale = min(max(width / 220, 0.4), 0.8)
    thickness = 2 if width > 80 else 1
    cv2.rectangle(canvas, (x, y), (x + width, y + height), colour, thickness, cv2.LINE_AA)
    _draw_label(canvas, annotation, (x, y), colour, scale)
    if annotation.probabilities and width > 60:
        _draw_bars(canvas, annotation.probabilities, (x, y + height + 4), width)


def _draw_label(canvas: Image, annotation: Annotation, corner: tuple[int, int], colour: Colour, scale: float) -> None:
    text = annotation.face_id
    if annotation.expression:
        text += f"  {annotation.expression} {annotation.confidence:.0%}"
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    x = max(0, min(corner[0], canvas.shape[1] - text_width - 8))
    bottom = max(corner[1], text_height + baseline + 4)
    cv2.rectangle(canvas, (x, bottom - text_height - baseline - 4), (x + text_width + 8, bottom), colour, cv2.FILLED)
    cv2.putText(canvas, text, (x + 4, bottom - baseline), _FONT, scale, _text_colour(colour), 1, cv2.LINE_AA)


def _text_colour(ground: Colour) -> Colour:
    """Return what can be read on a colour: dark on light ground, and light on dark."""
    blue, green, red = ground
    return _DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 128 else _LIGHT


def _draw_bars(canvas: Image, probabilities: Sequence[float], corner: tuple[int, int], width: int) -> None:
    row, name_width = 12, 62
    x, y = corner
    if y + row * len(EXPRESSIONS) > canvas.shape[0]:
        return
    panel = canvas[y : y + row * len(EXPRESSIONS) + 2, max(x, 0) : x + max(width, name_width + 40)]
    panel[:] = (panel * 0.35).astype(panel.dtype)
    length = max(width, name_width + 40) - name_width - 6
    for index, (name, probability) in enumerate(zip(EXPRESSIONS, probabilities)):
        top = y + 2 + index * row
        cv2.putText(canvas, name, (x + 3, top + row - 4), _FONT, 0.34, (235, 235, 235), 1, cv2.LINE_AA)
        end = x + name_width + max(1, round(length * float(probability)))
        cv2.rectangle(canvas, (x + name_width, top + 2), (end, top + row - 3), COLOURS[name], cv2.FILLED)
