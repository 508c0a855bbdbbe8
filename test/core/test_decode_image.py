import struct
import zlib
from array import array

import cv2
import numpy as np
import pytest

from dfer_ros.core.errors import ImageError
from dfer_ros.core.image_encoding import check_compressed_image, decode_image


def encoded(image, suffix):
    return cv2.imencode(suffix, image)[1].tobytes()


def png_that_claims(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "container", [bytes, lambda data: array("B", data), lambda data: np.frombuffer(data, np.uint8)]
)
def test_a_png_comes_back_exactly_from_any_buffer(portrait, container):
    assert (decode_image(container(encoded(portrait, ".png"))) == portrait).all()


def test_a_jpeg_comes_back_nearly(portrait):
    decoded = decode_image(encoded(portrait, ".jpg"))
    assert decoded.shape == portrait.shape
    assert np.abs(decoded.astype(float) - portrait).mean() < 3


def test_a_grey_png_has_three_equal_channels(portrait):
    grey = portrait[..., 1]
    assert (decode_image(encoded(grey, ".png")) == grey[..., None]).all()
    assert decode_image(encoded(grey, ".png")).shape == portrait.shape


def test_a_png_with_alpha_loses_it(portrait):
    bgra = np.dstack([portrait, portrait[..., 0]])
    assert (decode_image(encoded(bgra, ".png")) == portrait).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5])
def test_a_truncated_image_is_an_error(portrait, suffix, share):
    data = encoded(portrait, suffix)
    with pytest.raises(ImageError, match=rf"of {int(share * len(data))} bytes cannot be decoded"):
        decode_image(data[: int(share * len(data))])


def test_a_corrupt_png_is_an_error(portrait):
    data = bytearray(encoded(portrait, ".png"))
    data[50000:52000] = bytes(2000)
    with pytest.raises(ImageError, match="cannot be decoded"):
        decode_image(bytes(data))


@pytest.mark.parametrize("data", [b"\x00", b"not an image at all", bytes(5000)])
def test_what_is_no_image_is_an_error(data):
    with pytest.raises(ImageError, match="does its publisher send JPEG or PNG"):
        decode_image(data)


@pytest.mark.parametrize("data", [b"", array("B"), np.empty(0, np.uint8)])
def test_no_bytes_are_an_error(data):
    with pytest.raises(ImageError, match="of 0 bytes"):
        decode_image(data)


def test_a_header_that_claims_ten_thousand_million_pixels_is_an_error():
    with pytest.raises(ImageError, match="cannot be decoded"):
        decode_image(png_that_claims(100_000, 100_000))


@pytest.mark.parametrize("spoil", [lambda png: png[:-20], lambda png: png[:40_000] + bytes(100) + png[40_100:]])
def test_a_damaged_png_is_not_told_by_libpng_as_well(portrait, capfd, spoil):
    with pytest.raises(ImageError, match="cannot be decoded"):
        decode_image(spoil(encoded(portrait, ".png")))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".ppm", ".hdr"])
def test_what_can_be_decoded_passes_the_check_before(portrait, suffix):
    check_compressed_image(encoded(portrait, suffix))


@pytest.mark.parametrize("options", [(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
def test_every_kind_of_jpeg_passes_the_check_before(portrait, options):
    check_compressed_image(cv2.imencode(".jpg", portrait, options)[1])


@pytest.mark.parametrize("data", [b"", b"\x00", b"not an image at all", bytes(5000), b"\xff\xd8", b"\xff\xd8\xff"])
def test_what_is_no_image_fails_the_check_before(data):
    with pytest.raises(ImageError, match=f"of {len(data)} bytes cannot be decoded"):
        check_compressed_image(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_an_image_cut_within_its_header_fails_the_check_before(portrait, suffix):
    data = encoded(portrait, suffix)
    with pytest.raises(ImageError, match="of 100 bytes cannot be decoded"):
        check_compressed_image(data[:100])
