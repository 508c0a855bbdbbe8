"""Images to BGR pixels: raw ones from any object that has the fields of sensor_msgs/Image, and JPEG or PNG bytes."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import ImageError
from dfer_ros.core.faces import Image

_Pixels = npt.NDArray[Any]
_LONGEST_NAME = 40
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8"
_OTHER_SIGNATURES = (b"BM", b"RIFF", b"II*\0", b"MM\0*", b"GIF8", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"P", b"#?")
"""Of the other kinds of images that OpenCV may read: BMP, WebP, TIFF, GIF, JPEG 2000, PNM, HDR."""
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG image after which its size stands."""
_HALVED_PLANES = 1.5
"""Planes of YUV whose colours have half the width and half the height of the brightness."""
_YUV_TO_BGR = np.array([(1.164, 2.018, 0.0), (1.164, -0.391, -0.813), (1.164, 0.0, 1.596)])
"""ITU-R BT.601 in video range, as OpenCV has it."""
_YUV_OFFSET = np.array([16.0, 128.0, 128.0])


@dataclass(frozen=True)
class _Encoding:
    """channels: of a pixel. kind: of each, as numpy names it. conversion: OpenCV's to BGR; None where it is BGR.

    planes: of brightness and colours, one after the other, instead of pixels: rows of bytes for each row of pixels.
    """

    channels: int = 1
    kind: str = "u1"
    conversion: int | None = None
    planes: float = 0.0

    @property
    def pixel_bytes(self) -> int:
        return self.channels * np.dtype(self.kind).itemsize


def _known_encodings() -> dict[str, _Encoding]:
    colours = {
        "bgr": (3, None),
        "rgb": (3, cv2.COLOR_RGB2BGR),
        "bgra": (4, cv2.COLOR_BGRA2BGR),
        "rgba": (4, cv2.COLOR_RGBA2BGR),
        "mono": (1, cv2.COLOR_GRAY2BGR),
        # OpenCV names a Bayer pattern by its second row.
        "bayer_rggb": (1, cv2.COLOR_BayerBG2BGR),
        "bayer_bggr": (1, cv2.COLOR_BayerRG2BGR),
        "bayer_gbrg": (1, cv2.COLOR_BayerGR2BGR),
        "bayer_grbg": (1, cv2.COLOR_BayerGB2BGR),
    }
    known = {
        f"{name}{8 * size}": _Encoding(channels, f"u{size}", conversion)
        for size in (1, 2)
        for name, (channels, conversion) in colours.items()
    }
    for size in (1, 2):
        for channels, like in ((1, "mono"), (3, "bgr"), (4, "bgra")):
            known[f"{8 * size}UC{channels}"] = known[f"{like}{8 * size}"]
    known["32FC1"] = _Encoding(1, "f4", cv2.COLOR_GRAY2BGR)
    for name in ("yuv422", "uyvy"):
        known[name] = _Encoding(2, "u1", cv2.COLOR_YUV2BGR_UYVY)
    for name in ("yuv422_yuy2", "yuyv"):
        known[name] = _Encoding(2, "u1", cv2.COLOR_YUV2BGR_YUYV)
    known["nv12"] = _Encoding(conversion=cv2.COLOR_YUV2BGR_NV12, planes=_HALVED_PLANES)
    known["nv21"] = _Encoding(conversion=cv2.COLOR_YUV2BGR_NV21, planes=_HALVED_PLANES)
    known["nv24"] = _Encoding(planes=3.0)
    return known


_ENCODINGS = _known_encodings()
_LOWER = {name.lower(): name for name in _ENCODINGS}


def knows_encoding(encoding: str) -> bool:
    """Return whether image_to_bgr() reads an encoding; capitals do not matter."""
    return encoding.lower() in _LOWER


def encoding_remark(encoding: str) -> str:
    """Return what is to be said once of images in an encoding, in a sentence; empty where there is nothing."""
    if encoding.lower() != "32fc1":
        return ""
    return "The images are 32FC1, which has no range of its own: each is scaled by its darkest and its brightest pixel."


def check_image(message: Any) -> None:
    """Raise ImageError where image_to_bgr() would: for an unknown encoding, and for sizes that do not fit it."""
    check_image_size(message)
    name = _LOWER.get(message.encoding.lower())
    if name is None:
        raise ImageError(
            f"The image encoding '{_shown(message.encoding)}' is not supported: use bgr8, rgb8, bgra8, rgba8 or mono8, "
            f"these with 16 bits, uyvy, yuyv, nv12, nv21, nv24, 32FC1, or a Bayer pattern such as bayer_grbg8."
        )
    encoding = _ENCODINGS[name]
    halved = encoding.planes == _HALVED_PLANES
    if ((encoding.channels == 2 or halved) and message.width % 2) or (halved and message.height % 2):
        must = "even width and height" if halved else "even width"
        raise ImageError(
            f"An image in {_shown(message.encoding)} must be of {must}, not {message.width}x{message.height}: check "
            "the camera driver."
        )


def check_image_size(message: Any) -> None:
    """Raise ImageError where an image has no pixels, or fewer bytes than its size or its encoding asks for."""
    if message.width == 0 or message.height == 0:
        raise ImageError(f"The image is {message.width}x{message.height} pixels: check the camera driver.")
    encoding = _ENCODINGS.get(_LOWER.get(message.encoding.lower(), ""), _Encoding())
    step, rows = message.step, message.height
    if encoding.planes:
        # Drivers tell the rows of one plane, or those of an image with so many channels.
        step, rows = _plane_step(message, encoding), round(message.height * encoding.planes)
    if step * rows > len(message.data):
        raise ImageError(
            f"The image is truncated: {rows} rows of {step} bytes need more than the "
            f"{len(message.data)} bytes it has; check the camera driver and the transport."
        )
    if step < message.width * encoding.pixel_bytes:
        raise ImageError(
            f"The image's rows are {step} bytes, too few for {message.width} pixels of "
            f"{_shown(message.encoding)}: check the camera driver."
        )


def image_to_bgr(message: Any) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of an image message; bgr8 is a view of its buffer, not a copy.

    Of 16 bits the upper eight count; of 32FC1 see encoding_remark(). Raises ImageError as check_image() does.
    """
    check_image(message)
    encoding = _ENCODINGS[_LOWER[message.encoding.lower()]]
    if encoding.planes:
        return _planes_to_bgr(message, encoding)
    kind = np.dtype(encoding.kind).newbyteorder(">" if message.is_bigendian else "<") if encoding.kind != "u1" else "u1"
    shape: tuple[int, ...] = (message.height, message.width, encoding.channels)
    size = np.dtype(kind).itemsize
    pixels: _Pixels = np.ndarray(shape, kind, message.data, strides=(message.step, encoding.channels * size, size))
    if encoding.channels == 1:
        pixels = pixels[..., 0]
    if encoding.kind != "u1":
        pixels = _eight_bits(pixels)
    return pixels if encoding.conversion is None else cv2.cvtColor(pixels, encoding.conversion)


def check_compressed_image(data: bytes | array[int] | npt.NDArray[np.uint8]) -> None:
    """Raise ImageError where a compressed image cannot be decoded, as far as that can be seen without decoding it."""
    content = np.frombuffer(data, dtype=np.uint8).data
    if bytes(content[: len(_JPEG_SIGNATURE)]) == _JPEG_SIGNATURE:
        damaged = not _has_jpeg_size(content)
    elif bytes(content[: len(_PNG_SIGNATURE)]) == _PNG_SIGNATURE:
        damaged = _is_damaged_png(content)
    else:
        damaged = not bytes(content[:8]).startswith(_OTHER_SIGNATURES)
    if damaged:
        raise _not_decoded(len(content))


def decode_image(data: bytes | array[int] | npt.NDArray[np.uint8]) -> Image:
    """Return the pixels [H, W, 3] uint8 BGR of a compressed image, upright as its EXIF orientation says.

    Raises ImageError if OpenCV cannot decode it.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if not _is_damaged_png(buffer.data) else None
    except cv2.error:  # no bytes, or a header that claims more pixels than OpenCV allows
        image = None
    if image is None:
        raise _not_decoded(len(buffer))
    return image


def _not_decoded(size: int) -> ImageError:
    return ImageError(f"The compressed image of {size} bytes cannot be decoded: does its publisher send JPEG or PNG?")


def _eight_bits(pixels: _Pixels) -> _Pixels:
    if pixels.dtype.kind == "u":
        return (pixels >> 8).astype(np.uint8)
    finite = np.isfinite(pixels)
    if not finite.any():
        return np.zeros(pixels.shape, np.uint8)
    least, most = float(pixels[finite].min()), float(pixels[finite].max())
    scale = 255.0 / (most - least) if most > least else 0.0
    with np.errstate(invalid="ignore"):
        return np.where(finite, np.rint((pixels.astype(np.float64) - least) * scale), 0.0).astype(np.uint8)


def _planes_to_bgr(message: Any, encoding: _Encoding) -> Image:
    height, width, step = message.height, message.width, _plane_step(message, encoding)
    if encoding.conversion is None:
        rows = np.frombuffer(message.data, np.uint8, 3 * step * height)
        yuv = np.empty((height, width, 3), np.uint8)
        yuv[..., 0] = rows[: step * height].reshape(height, step)[:, :width]
        yuv[..., 1:] = rows[step * height :].reshape(height, 2 * step)[:, : 2 * width].reshape(height, width, 2)
        return cv2.transform(yuv, np.column_stack([_YUV_TO_BGR, -_YUV_TO_BGR @ _YUV_OFFSET]))
    rows = np.ndarray((height * 3 // 2, width), np.uint8, message.data, strides=(step, 1))
    return cv2.cvtColor(rows, encoding.conversion)


def _plane_step(message: Any, encoding: _Encoding) -> int:
    """Return the bytes of a row of brightness."""
    told: int = message.step
    fits = told * message.height * encoding.planes <= len(message.data)
    return told if fits or told <= message.width else message.width


def _has_jpeg_size(data: memoryview) -> bool:
    """Return whether the segments of a JPEG image lead to its size, which is not zero."""
    start = len(_JPEG_SIGNATURE)
    while start + 9 <= len(data) and data[start] == 0xFF:
        marker = data[start + 1]
        if marker in _JPEG_FRAMES:
            return any(data[start + 5 : start + 7]) and any(data[start + 7 : start + 9])
        # Bytes that fill, and markers without a segment.
        alone = marker == 0x01 or 0xD0 <= marker <= 0xD8
        start += 1 if marker == 0xFF else 2 if alone else 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    return False


def _is_damaged_png(data: memoryview) -> bool:
    """Return whether this is a PNG with a chunk that is cut off or fails its checksum.

    libpng would say so as well, but on standard error, in a line of its own for every image.
    """
    if bytes(data[:8]) != _PNG_SIGNATURE:
        return False
    start = 8
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if zlib.crc32(data[start + 4 : end]) != int.from_bytes(data[end : end + 4], "big") or end + 4 > len(data):
            return True
        if bytes(data[start + 4 : start + 8]) == b"IEND":
            return False
        start = end + 4
    return True


def _shown(encoding: str) -> str:
    """Return an encoding on one line, and not longer than a name would be, whatever a driver sent."""
    shown = encoding if len(encoding) <= _LONGEST_NAME else encoding[:_LONGEST_NAME] + "..."
    return shown.encode("unicode_escape").decode("ascii")
