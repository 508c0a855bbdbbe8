"""One test for both ways from an image message to pixels: our own, and cv_bridge where ROS has it."""

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image

from dfer_ros.core.errors import ImageError
from dfer_ros.ros import image_conversion

FIELDS = np.array([[(200, 30, 30), (30, 200, 30)], [(30, 30, 200), (120, 120, 120)]], np.uint8)
COLOURS = np.kron(FIELDS, np.ones((24, 32, 1), np.uint8))
"""Four large fields [48, 64, 3] BGR: blue, green, red and grey."""


@pytest.fixture(params=["own", "cv_bridge"])
def to_bgr(request, monkeypatch):
    if request.param == "cv_bridge":
        pytest.importorskip("cv_bridge", reason="cv_bridge comes from ROS, not from pip")
    else:
        monkeypatch.setattr(image_conversion, "_bridge", None)
    return image_conversion.to_bgr


def uyvy(image):
    """BT.601 in video range, chroma of every second pixel."""
    weights = np.array([(24.966, 128.553, 65.481), (112.0, -74.203, -37.797), (-18.214, -93.786, 112.0)]) / 255
    yuv = np.rint(image @ weights.T + (16, 128, 128)).astype(np.uint8)
    packed = np.empty((*image.shape[:2], 2), np.uint8)
    packed[..., 1] = yuv[..., 0]
    packed[:, 0::2, 0], packed[:, 1::2, 0] = yuv[:, 0::2, 1], yuv[:, 1::2, 2]
    return packed


def bayer(pattern):
    def mosaic(image):
        channel = {"b": 0, "g": 1, "r": 2}
        raw = np.empty(image.shape[:2], np.uint8)
        for place, letter in enumerate(pattern):
            row, column = divmod(place, 2)
            raw[row::2, column::2] = image[row::2, column::2, channel[letter]]
        return raw

    return mosaic


ENCODINGS = {
    "bgr8": lambda image: image,
    "rgb8": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2RGB),
    "bgra8": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA),
    "rgba8": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2RGBA),
    "mono8": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
    "yuv422": uyvy,
    **{f"bayer_{pattern}8": bayer(pattern) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
}


def message(encoding, pixels, padding=0):
    rows = pixels.reshape(pixels.shape[0], -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return Image(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=padded.shape[1],
        data=padded.tobytes(),
    )


@pytest.mark.parametrize("padding", [0, 13])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_colours_back(to_bgr, encoding, padding):
    pixels = to_bgr(message(encoding, ENCODINGS[encoding](COLOURS), padding))
    expected = COLOURS
    if encoding == "mono8":
        expected = cv2.cvtColor(cv2.cvtColor(COLOURS, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    assert pixels.shape == COLOURS.shape
    assert pixels.dtype == np.uint8
    for row, column in ((12, 16), (12, 48), (36, 16), (36, 48)):
        assert np.abs(pixels[row, column].astype(int) - expected[row, column]).max() <= 4


def test_a_big_image_keeps_its_corners(to_bgr):
    big = np.zeros((2160, 3840, 3), np.uint8)
    big[0, 0], big[-1, -1] = (1, 2, 3), (4, 5, 6)
    pixels = to_bgr(message("rgb8", big))
    assert pixels[0, 0].tolist() == [3, 2, 1]
    assert pixels[-1, -1].tolist() == [6, 5, 4]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ({"encoding": "cmyk9"}, "The image encoding 'cmyk9' is not supported"),
        ({"width": 0}, "The image is 0x48 pixels"),
        ({"height": 96}, "The image is truncated"),
        ({"step": 60}, "rows are 60 bytes"),
    ],
)
def test_what_cannot_be_an_image_is_refused_with_a_sentence(to_bgr, spoil, sentence):
    spoiled = message("bgr8", COLOURS)
    for field, value in spoil.items():
        setattr(spoiled, field, value)
    with pytest.raises(ImageError, match=sentence):
        to_bgr(spoiled)


def test_what_goes_in_comes_out():
    filled = Image()
    image_conversion.fill_image(filled, COLOURS)
    assert (filled.width, filled.height, filled.encoding, filled.step) == (64, 48, "bgr8", 192)
    assert (image_conversion.to_bgr(filled) == COLOURS).all()
