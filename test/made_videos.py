"""Videos whose every frame is known, in the formats that cameras, phones and browsers write."""

from fractions import Fraction

import av
import cv2
import numpy as np

CODECS = {
    ".mp4": "libx264",
    ".mov": "libx264",
    ".mkv": "libx264",
    ".ts": "libx264",
    ".m2ts": "libx264",
    ".flv": "libx264",
    ".f4v": "libx264",
    ".h264": "libx264",
    ".webm": "libvpx",
    ".avi": "mpeg4",
    ".asf": "mpeg4",
    ".3gp": "mpeg4",
    ".vob": "mpeg2video",
    ".mpg": "mpeg2video",
    ".mxf": "mpeg2video",
    ".mjpg": "mjpeg",
    ".mjpeg": "mjpeg",
}
"""What is usual in a file of a suffix."""
_FORMATS = {".mjpg": "mjpeg", ".f4v": "f4v", ".m2ts": "mpegts"}


def numbered(index, width=320, height=240):
    """Return a picture [height, width, 3] that is not the same upside down, mirrored or turned, and tells its index."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[: height // 2, : width // 2] = (40, 40, 220)  # red, top left
    image[: height // 2, width // 2 :] = (40, 220, 40)  # green, top right
    cv2.circle(image, (width // 4 + 3 * (index % 20), 3 * height // 4), height // 12, (255, 255, 255), cv2.FILLED)
    return image


def write_video(path, frames=60, *, fps=30, codec=None, rotation=None, matrix=None, pixel_aspect=None, pictures=None):
    """Write frames, by default numbered ones, and return the path; rotation: degrees against the clock.

    matrix: display matrix of nine numbers, in the place of a rotation.
    """
    pictures = list(pictures or (numbered(index) for index in range(frames)))
    codec = codec or CODECS[path.suffix.lower()]
    with av.open(str(path), "w", format=_FORMATS.get(path.suffix.lower())) as container:
        height, width = pictures[0].shape[:2]
        stream = container.add_stream(codec, rate=fps, options={"preset": "ultrafast"} if codec == "libx264" else {})
        stream.width, stream.height, stream.codec_context.gop_size = width, height, 10
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if matrix is not None:
            stream.set_display_matrix(matrix)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut(path, share=0.5):
    """Write the first share of a file under another name, and return its path."""
    content = path.read_bytes()
    target = path.with_name(f"cut_{path.name}")
    target.write_bytes(content[: int(share * len(content))])
    return target
