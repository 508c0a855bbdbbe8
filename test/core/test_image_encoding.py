from array import array
from types import SimpleNamespace

import numpy as np
import pytest

from dfer_ros.core.errors import ImageError
from dfer_ros.core.image_encoding import encoding_remark, image_to_bgr

PADDINGS = (0, 1, 13)


@pytest.fixture(scope="module")
def bgr():
    """A small picture in which every byte is another colour value."""
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def message(pixels, encoding, padding=0, container=bytes):
    """Return what has the fields of sensor_msgs/Image; pixels: [H, W, channels] uint8, rows end in padding bytes."""
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    data = container(rows.tobytes()) if container is bytes else container("B", rows.tobytes())
    height, width = pixels.shape[:2]
    return SimpleNamespace(height=height, width=width, encoding=encoding, step=rows.shape[1], data=data, is_bigendian=0)


def with_alpha(pixels):
    return np.dstack([pixels, np.full(pixels.shape[:2], 17, np.uint8)])


def mosaic(pattern, colours):
    """Return the raw Bayer image [8, 10, 1] of one colour; pattern: rggb and so on, row by row."""
    tile = np.array([colours[letter] for letter in pattern], np.uint8).reshape(2, 2)
    return np.tile(tile, (4, 5))[..., None]


def bgr_of_yuv(y, u, v):
    """Return the colour of YUV in video range by ITU-R BT.601."""
    luma = 1.164 * (y - 16)
    colour = (luma + 2.018 * (u - 128), luma - 0.813 * (v - 128) - 0.391 * (u - 128), luma + 1.596 * (v - 128))
    return np.clip(np.rint(colour), 0, 255)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["bgr8", "8UC3"])
def test_bgr_comes_as_it_is(bgr, encoding, padding):
    assert (image_to_bgr(message(bgr, encoding, padding)) == bgr).all()


@pytest.mark.parametrize("padding", PADDINGS)
def test_rgb_is_swapped(bgr, padding):
    assert (image_to_bgr(message(bgr[..., ::-1], "rgb8", padding)) == bgr).all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["bgra8", "8UC4"])
def test_bgra_loses_its_alpha(bgr, encoding, padding):
    assert (image_to_bgr(message(with_alpha(bgr), encoding, padding)) == bgr).all()


@pytest.mark.parametrize("padding", PADDINGS)
def test_rgba_is_swapped_and_loses_its_alpha(bgr, padding):
    assert (image_to_bgr(message(with_alpha(bgr[..., ::-1]), "rgba8", padding)) == bgr).all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_mono_has_three_equal_channels(bgr, encoding, padding):
    grey = bgr[..., :1]
    assert (image_to_bgr(message(grey, encoding, padding)) == np.repeat(grey, 3, axis=2)).all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(
    ("encoding", "order"),
    [
        ("yuv422", ("u", "y1", "v", "y2")),
        ("uyvy", ("u", "y1", "v", "y2")),
        ("yuv422_yuy2", ("y1", "u", "y2", "v")),
        ("yuyv", ("y1", "u", "y2", "v")),
    ],
)
def test_yuv_gives_the_colours_of_bt_601(encoding, order, padding):
    samples = [
        {"y1": 60, "u": 90, "v": 150, "y2": 180},
        {"y1": 120, "u": 160, "v": 100, "y2": 90},
        {"y1": 235, "u": 128, "v": 128, "y2": 16},
    ]
    row = [[pair[name] for name in order] for pair in samples]
    pixels = np.array([row, row], np.uint8).reshape(2, 6, 2)
    expected = [bgr_of_yuv(pair[y], pair["u"], pair["v"]) for pair in samples for y in ("y1", "y2")]
    converted = image_to_bgr(message(pixels, encoding, padding)).astype(float)
    assert np.abs(converted - [expected, expected]).max() <= 1


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_every_bayer_pattern_gives_the_colour_it_was_made_of(pattern, padding):
    raw = mosaic(pattern, {"r": 220, "g": 120, "b": 30})
    converted = image_to_bgr(message(raw, f"bayer_{pattern}8", padding))
    assert converted.shape == (8, 10, 3)
    assert (converted == (30, 120, 220)).all()


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8", "bayer_rggb8", "mono8", "yuv422"])
def test_an_array_as_ros_gives_it_is_read_like_bytes(bgr, encoding):
    pixels = bgr[..., : {"bayer_rggb8": 1, "mono8": 1, "yuv422": 2}.get(encoding, 3)]
    as_array, as_bytes = (image_to_bgr(message(pixels, encoding, 4, kind)) for kind in (array, bytes))
    assert (as_array == as_bytes).all()


def test_bgr_is_a_view_of_the_message():
    image = message(np.zeros((4, 4, 3), np.uint8), "bgr8", container=array)
    pixels = image_to_bgr(image)
    image.data[5] = 200
    assert pixels[0, 1, 2] == 200


@pytest.mark.parametrize(
    ("encoding", "channels"), [("bgr8", 3), ("rgb8", 3), ("yuv422", 2), ("bayer_grbg8", 1), ("rgba8", 4)]
)
def test_a_4k_image_is_converted(encoding, channels):
    pixels = np.full((2160, 3840, channels), 128, np.uint8)
    pixels[0, 0] = 255
    converted = image_to_bgr(message(pixels, encoding))
    assert converted.shape == (2160, 3840, 3)
    assert converted[-1, -1].tolist() == ([130, 130, 130] if encoding == "yuv422" else [128, 128, 128])


@pytest.mark.parametrize(("height", "width"), [(0, 8), (6, 0), (0, 0)])
def test_an_image_without_pixels_is_an_error_that_tells_its_size(height, width):
    image = SimpleNamespace(height=height, width=width, encoding="bgr8", step=3 * width, data=b"")
    with pytest.raises(ImageError, match=f"The image is {width}x{height} pixels"):
        image_to_bgr(image)


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8", "mono8"])
@pytest.mark.parametrize("missing", [1, 60])
def test_a_truncated_image_is_an_error(bgr, encoding, missing):
    image = message(bgr if encoding != "mono8" else np.repeat(bgr[..., :1], 3, axis=1), encoding)
    image.data = image.data[:-missing]
    with pytest.raises(ImageError, match=f"truncated: 6 rows of 24 bytes need more than the {144 - missing} bytes"):
        image_to_bgr(image)


def test_an_image_with_bytes_to_spare_is_read(bgr):
    image = message(bgr, "bgr8")
    image.data += bytes(10)
    assert (image_to_bgr(image) == bgr).all()


@pytest.mark.parametrize("encoding", ["", "64FC1", "16SC1", "yuv444", "bayer_rggb12"])
def test_an_unknown_encoding_is_an_error_that_names_it_and_those_known(bgr, encoding):
    with pytest.raises(ImageError, match=f"'{encoding}' is not supported: use bgr8, .*bayer_grbg8"):
        image_to_bgr(message(bgr, encoding))


@pytest.mark.parametrize(
    ("encoding", "channels"), [("bgr8", 3), ("rgba8", 4), ("yuv422", 2), ("mono8", 1), ("bayer_rggb8", 1)]
)
def test_rows_too_short_for_their_pixels_are_an_error(encoding, channels):
    image = message(np.zeros((6, 8, channels), np.uint8), encoding)
    image.step -= 1
    with pytest.raises(ImageError, match=f"rows are {8 * channels - 1} bytes, too few for 8 pixels of {encoding}"):
        image_to_bgr(image)


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
def test_yuv_of_odd_width_is_an_error(encoding):
    with pytest.raises(ImageError, match=f"{encoding} must be of even width, not 7"):
        image_to_bgr(message(np.zeros((6, 7, 2), np.uint8), encoding))


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8", "mono8", "bgra8"])
def test_an_image_of_one_pixel_is_read(encoding):
    channels = {"mono8": 1, "bgra8": 4}.get(encoding, 3)
    assert image_to_bgr(message(np.full((1, 1, channels), 7, np.uint8), encoding)).tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize("encoding", ["x" * 10_000, "a\nb", "\x1b[31mred"])
def test_an_encoding_that_no_camera_has_is_told_in_one_short_line(bgr, encoding):
    with pytest.raises(ImageError) as error:
        image_to_bgr(message(bgr, encoding))
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


def wide(pixels):
    """Return 16 bits of each channel, which are the same eight bits twice, as bytes that message() takes."""
    return (pixels.astype(np.uint16) * 257).view(np.uint8).reshape(*pixels.shape[:2], -1)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["bgr16", "16UC3", "BGR16"])
def test_sixteen_bits_lose_their_lower_half(bgr, encoding, padding):
    assert (image_to_bgr(message(wide(bgr), encoding, padding)) == bgr).all()


@pytest.mark.parametrize("encoding", ["rgb16", "rgba16", "bgra16", "16UC4"])
def test_sixteen_bits_of_other_orders_are_put_in_order(bgr, encoding):
    pixels = bgr[..., ::-1] if encoding.startswith("rgb") else bgr
    pixels = pixels if encoding == "rgb16" else with_alpha(pixels)
    assert (image_to_bgr(message(wide(pixels), encoding)) == bgr).all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "Mono16"])
def test_sixteen_bits_of_grey_have_three_equal_channels(bgr, encoding, padding):
    grey = bgr[..., :1]
    assert (image_to_bgr(message(wide(grey), encoding, padding)) == np.repeat(grey, 3, axis=2)).all()


def test_big_endian_images_are_read_by_their_upper_byte(bgr):
    grey = bgr[..., :1]
    image = message(np.dstack([grey, np.zeros_like(grey)]), "mono16")
    image.is_bigendian = 1
    assert (image_to_bgr(image) == np.repeat(grey, 3, axis=2)).all()


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_of_sixteen_bits_give_the_colour_they_were_made_of(pattern):
    raw = mosaic(pattern, {"r": 220, "g": 120, "b": 30})
    assert (image_to_bgr(message(wide(raw), f"bayer_{pattern}16")) == (30, 120, 220)).all()


@pytest.mark.parametrize(("least", "most"), [(0.0, 1.0), (-3.0, 5.0), (20.0, 40.0)])
def test_floats_are_scaled_by_their_range_and_that_is_said(bgr, least, most):
    grey = bgr[..., 0].astype(np.float32)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    image = message((least + grey * (most - least)).astype(np.float32)[..., None].view(np.uint8), "32FC1")
    assert np.abs(image_to_bgr(image).astype(int) - np.rint(255 * grey)[..., None]).max() <= 1
    assert "32FC1" in encoding_remark("32FC1")
    assert encoding_remark("bgr8") == ""


@pytest.mark.parametrize("values", [np.nan, np.inf, 7.0])
def test_floats_without_a_range_are_black(values):
    image = message(np.full((4, 6, 1), values, np.float32).view(np.uint8), "32FC1")
    assert not image_to_bgr(image).any()


def test_floats_that_are_no_numbers_are_black_among_the_others():
    pixels = np.array([[0.0, 1.0], [np.nan, 0.5]], np.float32)[..., None]
    assert image_to_bgr(message(pixels.view(np.uint8), "32FC1"))[..., 0].tolist() == [[0, 255], [0, 128]]


YUV = [(60, 90, 150), (180, 160, 100), (120, 128, 128)]


def in_planes(colour, encoding, padding):
    """Return an image [4, 6] of one colour, brightness and colours in planes."""
    y, u, v = colour
    first, second = (v, u) if encoding == "nv21" else (u, v)
    rows = [[y] * 6] * 4 + ([[first, second] * 6] * 4 if encoding == "nv24" else [[first, second] * 3] * 2)
    data = b"".join(bytes(row) + bytes(padding * (2 if len(row) == 12 else 1)) for row in rows)
    return SimpleNamespace(height=4, width=6, encoding=encoding, step=6 + padding, data=data, is_bigendian=0)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
@pytest.mark.parametrize("colour", YUV)
def test_planes_of_brightness_and_colours_give_the_colours_of_bt_601(encoding, colour, padding):
    converted = image_to_bgr(in_planes(colour, encoding, padding))
    assert converted.shape == (4, 6, 3)
    assert np.abs(converted.astype(float) - bgr_of_yuv(*colour)).max() <= 1


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
def test_planes_that_are_cut_are_an_error(encoding):
    image = in_planes(YUV[0], encoding, 0)
    image.data = image.data[:-1]
    with pytest.raises(ImageError, match="truncated"):
        image_to_bgr(image)


@pytest.mark.parametrize("encoding", ["BGR8", "Rgb8", "8uc3"])
def test_capitals_do_not_matter(bgr, encoding):
    pixels = bgr[..., ::-1] if encoding == "Rgb8" else bgr
    assert (image_to_bgr(message(pixels, encoding)) == bgr).all()
