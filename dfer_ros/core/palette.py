"""One colour for each expression, for drawings on light and on dark ground, told apart by people who are colour-blind.

The hues are those of the scheme "bright" of Paul Tol ("Colour Schemes", SRON/EPS/TN/09-002, issue 3.2, 2021), given to
the expressions as people expect them: yellow happy, blue sad, red angry. Lightness and chroma were moved until every
colour has a contrast of at least 3:1 to its ground (WCAG 2.2, 1.4.11) and every two colours differ by a CIEDE2000
distance above 10, with normal sight and with protanopia, deuteranopia and tritanopia (Machado et al. 2009).
"""

from __future__ import annotations

from collections.abc import Mapping

from dfer_ros.core.labels import UNKNOWN

ON_LIGHT: Mapping[str, str] = {
    "neutral": "#8C8C8C",
    "happy": "#B08800",
    "sad": "#2A62A8",
    "angry": "#D9455F",
    "surprised": "#0A9BC0",
    "scared": "#830D54",
    "disgusted": "#1B5E14",
    UNKNOWN: "#6B7280",
}
"""sRGB by expression, on white."""

ON_DARK: Mapping[str, str] = {
    "neutral": "#BBBBBB",
    "happy": "#F0CF45",
    "sad": "#5B88C7",
    "angry": "#F16D6B",
    "surprised": "#6CE0FC",
    "scared": "#C2378A",
    "disgusted": "#3F8A1F",
    UNKNOWN: "#98A2B0",
}
"""sRGB by expression, on near black and on video."""
