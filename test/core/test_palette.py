"""The colours keep their promises: contrast to their ground, and apart from each other for every kind of sight."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.core.palette import ON_DARK, ON_LIGHT

GROUNDS = {"light": (ON_LIGHT, "#FFFFFF"), "dark": (ON_DARK, "#171B21")}
# Machado, Oliveira & Fernandes 2009, severity 1.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ (0.2126, 0.7152, 0.0722))


def seen_as(colour, sight):
    values = np.clip(np.array(SIGHTS[sight]) @ linear(colour), 0, 1)
    return rgb2lab(np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_colour_stands_out_from_its_ground(ground):
    palette, behind = GROUNDS[ground]
    assert set(palette) == {*EXPRESSIONS, UNKNOWN}
    for colour in palette.values():
        low, high = sorted((luminance(colour), luminance(behind)))
        assert (high + 0.05) / (low + 0.05) >= 3.0


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_expressions_are_told_apart(ground, sight):
    palette, _ = GROUNDS[ground]
    seen = {name: seen_as(palette[name], sight) for name in EXPRESSIONS}
    apart = {pair: float(deltaE_ciede2000(*map(seen.get, pair))) for pair in itertools.combinations(EXPRESSIONS, 2)}
    assert min(apart.values()) > 10.0, min(apart.items(), key=lambda item: item[1])
