"""What a robot's camera does to a face, done to stills: distance, blur, compression, light, colour, occlusion, pose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dfer_ros.core.alignment import ALIGNED_SIZE, TEMPLATE
from dfer_ros.core.faces import FloatArray, Image


@dataclass(frozen=True)
class AugmentationConfig:
    """Probabilities 0..1 and strengths.

    rotation: degrees. shift: pixels of the aligned crop. scale, stretch: share of the size. The others: how often;
    tint: light as in films, dark or of one colour. mouth: the mouth covered, so that speech does not decide alone.
    """

    rotation: float = 12.0
    shift: float = 5.0
    scale: float = 0.12
    stretch: float = 0.06
    low_resolution: float = 0.3
    blur: float = 0.15
    jpeg: float = 0.25
    exposure: float = 0.6
    colour: float = 0.4
    grey: float = 0.25
    noise: float = 0.2
    occlusion: float = 0.25
    tint: float = 0.0
    mouth: float = 0.0


def augment(crop: Image, part: int, size: int, config: AugmentationConfig, chance: np.random.Generator) -> Image:
    """Return [size, size, 3] uint8 BGR of the central `part` pixels of an aligned crop as a camera might give it."""
    if config.mouth and chance.random() < config.mouth:
        crop = _cover_mouth(crop, chance)
    if chance.random() < config.low_resolution:
        crop = _lower_resolution(crop, chance)
    if chance.random() < config.blur:
        crop = _blur(crop, chance)
    crop = cv2.warpAffine(
        crop, _placement(part, size, config, chance), (size, size), flags=cv2.INTER_LINEAR, borderMode=_border(chance)
    )
    crop = _light(crop, config, chance)
    if config.tint and chance.random() < config.tint:
        crop = _tint(crop, chance)
    if chance.random() < config.grey:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if chance.random() < config.noise:
        crop = _noise(crop, chance)
    if chance.random() < config.jpeg:
        crop = _jpeg(crop, chance)
    if chance.random() < config.occlusion:
        crop = _occlude(crop, chance)
    return crop


def central_part(crop: Image, part: int, size: int) -> Image:
    """Return [size, size, 3] uint8: the central `part` pixels of an aligned crop, as the robot cuts them."""
    edge = (ALIGNED_SIZE - part) // 2
    return cv2.resize(crop[edge : edge + part, edge : edge + part], (size, size), interpolation=cv2.INTER_LINEAR)


def _placement(part: int, size: int, config: AugmentationConfig, chance: np.random.Generator) -> FloatArray:
    """Return the affine map [2, 3] from the aligned crop to the encoder's input, flipped half of the time."""
    angle = np.deg2rad(chance.normal(0.0, config.rotation / 2))
    zoom = size / part * np.exp(chance.uniform(-config.scale, config.scale))
    across = zoom * np.exp(chance.uniform(-config.stretch, config.stretch)) * (1 if chance.random() < 0.5 else -1)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[across * cos, -across * sin], [zoom * sin, zoom * cos]])
    middle = (ALIGNED_SIZE - 1) / 2
    shift = chance.normal(0.0, config.shift / 2, 2) * (size / part)
    offset = (size - 1) / 2 + shift - linear @ np.array([middle, middle])
    return np.column_stack([linear, offset]).astype(np.float32)


def _border(chance: np.random.Generator) -> int:
    return cv2.BORDER_CONSTANT if chance.random() < 0.5 else cv2.BORDER_REFLECT


def _lower_resolution(crop: Image, chance: np.random.Generator) -> Image:
    side = int(chance.integers(24, 80))
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    way_back = cv2.INTER_LINEAR if chance.random() < 0.7 else cv2.INTER_CUBIC
    return cv2.resize(small, crop.shape[1::-1], interpolation=way_back)


def _blur(crop: Image, chance: np.random.Generator) -> Image:
    if chance.random() < 0.5:
        return cv2.GaussianBlur(crop, (0, 0), float(chance.uniform(0.5, 2.5)))
    length = int(chance.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(chance.uniform(0, 180)), 1.0)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(crop, -1, kernel / max(kernel.sum(), 1e-3))


def _light(crop: Image, config: AugmentationConfig, chance: np.random.Generator) -> Image:
    """Change exposure (gamma, gain, offset) and the balance of the colours through one table per channel."""
    levels = np.arange(256, dtype=np.float32) / 255.0
    tables = np.repeat(levels[:, None], 3, axis=1)
    if chance.random() < config.exposure:
        tables = tables ** np.exp(chance.normal(0.0, 0.35))
        tables = (tables - 0.5) * np.exp(chance.normal(0.0, 0.2)) + 0.5 + chance.normal(0.0, 0.08)
    if chance.random() < config.colour:
        tables = tables * np.exp(chance.normal(0.0, 0.12, 3)) + chance.normal(0.0, 0.02, 3)
    table = np.clip(tables * 255.0, 0, 255).astype(np.uint8)[None]
    return cv2.LUT(crop, table)


def _tint(crop: Image, chance: np.random.Generator) -> Image:
    """Light a crop as films do: darker, in one colour, from one side."""
    gains = np.exp(chance.normal(-0.25, 0.35, 3))
    side, turn = np.linspace(-1.0, 1.0, crop.shape[0]), chance.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * side[None, :] + np.sin(turn) * side[:, None]
    shade = np.exp(chance.uniform(0.0, 0.7) * slope)[:, :, None]
    return np.clip(crop * (gains * shade), 0, 255).astype(np.uint8)


def _cover_mouth(crop: Image, chance: np.random.Generator) -> Image:
    """Hide the mouth of an aligned crop behind its own colours, blurred, or behind one colour."""
    middle = TEMPLATE[3] + chance.normal(0, 0.02, 2)
    centre = (int(middle[0] * ALIGNED_SIZE), int(middle[1] * ALIGNED_SIZE))
    half = (int(chance.uniform(0.17, 0.27) * ALIGNED_SIZE), int(chance.uniform(0.11, 0.2) * ALIGNED_SIZE))
    blurred = chance.random() < 0.5
    covered = cv2.blur(crop, (25, 25)) if blurred else np.full_like(crop, chance.integers(0, 256, 3))
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.ellipse(mask, centre, half, 0.0, 0, 360, 1, -1)
    return np.where(mask[:, :, None] > 0, covered, crop)


def _noise(crop: Image, chance: np.random.Generator) -> Image:
    noise = chance.standard_normal(crop.shape, dtype=np.float32) * chance.uniform(2.0, 14.0)
    return np.clip(crop + noise, 0, 255).astype(np.uint8)


def _jpeg(crop: Image, chance: np.random.Generator) -> Image:
    quality = int(chance.integers(20, 85))
    return cv2.imdecode(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def _occlude(crop: Image, chance: np.random.Generator) -> Image:
    """Cover a part with an ellipse or a rectangle of one colour or of noise: a hand, a cup, a microphone."""
    size = crop.shape[0]
    centre = tuple(int(value) for value in chance.integers(0, size, 2))
    half = tuple(int(value) for value in chance.uniform(0.06, 0.22, 2) * size)
    colour = tuple(int(value) for value in chance.integers(0, 256, 3))
    covered = crop.copy()
    if chance.random() < 0.5:
        cv2.ellipse(covered, centre, half, float(chance.uniform(0, 180)), 0, 360, colour, -1)
    else:
        first = (centre[0] - half[0], centre[1] - half[1])
        cv2.rectangle(covered, first, (centre[0] + half[0], centre[1] + half[1]), colour, -1)
    return covered
