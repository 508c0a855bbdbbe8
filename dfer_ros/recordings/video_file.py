"""Videos through FFmpeg (PyAV): every frame as a player shows it, and how many of how many could be read."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dfer_ros.core.errors import SourceError
from dfer_ros.core.faces import Image
from dfer_ros.recordings.container_structure import is_cut_or_damaged
from dfer_ros.recordings.frame_source import Frame, Shortfall, sane_fps
from dfer_ros.recordings.shown_picture import fitted, orientation_of, shown_size

_ANNOUNCING = {"mov", "matroska", "avi", "flv", "asf", "mxf", "nut", "rm", "gxf", "wtv"}
"""Formats, by FFmpeg's names, whose header tells how long a file is to be; of others FFmpeg makes a guess."""
_NO_VIDEOS = {"tty", "bin", "xbin", "adf", "idf", "image2", "lavfi"}
"""What FFmpeg makes of texts and of single pictures."""
_LIVE = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp")
_ADDRESSES = (*_LIVE, "http", "https")
_LONGEST_SILENCE = 10.0
"""Of an address, seconds."""
_MOST_PIXELS = 2**27
"""Of a frame: four times 8K. What claims more is damaged, and would take the memory."""
_END_FRAMES, _END_SECONDS = 2.5, 0.1
"""By how much the last frame may miss the announced end, as rounded times do."""
_ATTACHED_PICTURE = 0x400


def is_address(name: str) -> bool:
    """Return whether a source is the address of a stream or file in a network, such as rtsp://camera/stream."""
    return "://" in name and name.partition("://")[0].lower() in _ADDRESSES


class VideoFile:
    """A video or GIF that FFmpeg can read, or its address in a network. Raises SourceError where it cannot.

    Frames are turned as the display matrix says, have square pixels, and all the size of the first.
    threads: of the decoder, None leaves them to FFmpeg, which takes as many as there are cores. The frames are the same
    with any number.
    """

    def __init__(self, source: Path | str, threads: int | None = None) -> None:
        self.unreadable: list[str] = []
        self.remarks: list[str] = []
        self.shortfall: Shortfall | None = None
        self._name = str(source)
        self._address = isinstance(source, str) and is_address(source)
        self._threads = threads
        with self._open() as container:
            stream = _video_stream(container, self._name)
            self.fps = sane_fps(float(stream.average_rate or stream.guessed_rate or 0))
            self._end = _announced_end(container, stream, self.fps)
            self.frame_count = stream.frames or _expected(self._end - _start_seconds(container), self.fps)
            endless = not container.duration
        self.live = self._address and (endless or self._name.partition("://")[0].lower() in _LIVE)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; the stamps are those of the file, or follow its frame rate where it has none."""
        self.shortfall = None
        self.remarks.clear()
        with self._open() as container:
            walk = _Walk(container, _video_stream(container, self._name), self._threads, self.live)
            pictures = _Pictures(walk.stream, self.remarks)
            begin, stamp = 0.0, -1.0
            for index, frame in enumerate(walk.frames()):
                if index == 0:
                    begin, stamp = frame.time or 0.0, 0.0
                else:
                    told = -1.0 if frame.time is None else frame.time - begin
                    stamp = told if told > stamp else stamp + 1.0 / self.fps
                yield Frame(index, stamp, pictures.shown(frame, index))
        if walk.count == 0:
            raise SourceError(f"{self._name} holds no frame that FFmpeg can decode: is it a whole video file?")
        self.shortfall = self._shortfall(walk)
        if self.live:
            raise SourceError(f"{self._name} stopped giving images: is the camera still there?")

    def _shortfall(self, walk: _Walk) -> Shortfall | None:
        whole = walk.count - walk.corrupt
        slack = max(_END_FRAMES / self.fps, _END_SECONDS)
        if self.frame_count > walk.count and (walk.end < self._end - slack or self._is_cut_or_damaged()):
            return Shortfall(whole, self.frame_count, "the file is cut or damaged; copy it again")
        if walk.corrupt or walk.lost:
            return Shortfall(whole, walk.count + walk.lost, "the file is damaged; copy it again")
        return None

    def _is_cut_or_damaged(self) -> bool:
        return not self._address and is_cut_or_damaged(Path(self._name))

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        """Open the file as a container (PyAV)."""
        try:
            import av
        except ImportError as error:
            raise SourceError(
                "Reading videos needs PyAV, which brings FFmpeg: 'pip install av', or 'apt install python3-av'."
            ) from error
        options = {"rtsp_transport": "tcp"} if self._name.lower().startswith("rtsp") else {}
        # Without the protocol, FFmpeg takes what is before a colon in the name of a file for one.
        name = self._name if self._address else "file:" + os.path.abspath(self._name)  # noqa: PTH100  links stay
        try:
            container = av.open(
                name, options=options, timeout=_LONGEST_SILENCE if self._address else None, metadata_errors="replace"
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise self._not_opened(error) from error
        with container:
            yield container

    def _not_opened(self, error: Exception) -> SourceError:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        if self._address:
            return SourceError(f"{self._name} cannot be opened ({reason}): is the address right, and the camera there?")
        if isinstance(error, PermissionError):
            return SourceError(f"{self._name} cannot be read ({reason}): get the right to, with chmod or chown.")
        if Path(self._name).stat().st_size == 0:
            return SourceError(f"{self._name} is empty: was its recording, or its copy, interrupted?")
        return SourceError(f"FFmpeg cannot open {self._name} as a video ({reason}): is it a whole video file?")


class _Walk:
    """One pass through the video stream of a container.

    count: frames handed over. corrupt: those of them in whose data FFmpeg found damage, which it covers up as players
    show it. lost: pieces of data that gave no frame. end: of the data of all streams, seconds; sound lasts longer.
    """

    def __init__(self, container: Any, stream: Any, threads: int | None, live: bool) -> None:
        self.stream = stream
        self.count = self.corrupt = self.lost = 0
        self.end = -math.inf
        self._container = container
        self._live = live
        decoder = stream.codec_context
        # Threads that decode a frame each hold frames back, and lose them where the next one is damaged.
        decoder.thread_type = "SLICE"
        decoder.thread_count = threads or 0
        decoder.options = {**decoder.options, "max_pixels": str(_MOST_PIXELS)}

    def frames(self) -> Iterator[Any]:
        """Yield the frames (PyAV), as far as FFmpeg comes."""
        damaged: set[int] = set()
        for packet in self._packets():
            # Of a transport stream only the packets tell.
            if packet is not None and packet.is_corrupt:
                damaged.add(packet.pts)
            for frame in self._decoded(packet):
                self.count += 1
                self.corrupt += bool(frame.is_corrupt or frame.pts in damaged)
                yield frame

    def _packets(self) -> Iterator[Any]:
        """Yield the packets of the stream, and None, which has the decoder give what it still holds."""
        import av

        try:
            for packet in self._container.demux(*([self.stream] if self._live else [])):
                if packet.dts is not None and packet.time_base is not None:
                    pts = packet.dts if packet.pts is None else packet.pts
                    self.end = max(self.end, float((pts + (packet.duration or 0)) * packet.time_base))
                if packet.stream.index == self.stream.index and packet.size:
                    yield packet
        except av.error.EOFError:
            pass
        except av.error.FFmpegError:
            self.lost += 1
        yield None

    def _decoded(self, packet: Any) -> list[Any]:
        import av

        try:
            return list(self.stream.decode(packet))
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, MemoryError):
            self.lost += 1
            return []


class _Pictures:
    """The pictures of the frames of one stream, all the size of the first. remarks: gets a sentence if that changes."""

    def __init__(self, stream: Any, remarks: list[str]) -> None:
        from av.video.reformatter import VideoReformatter

        self._stream = stream
        self._remarks = remarks
        # One for all frames: each of its own would cost half as much again as to decode.
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None

    def shown(self, frame: Any, index: int) -> Image:
        """Return the picture [H, W, 3] uint8 BGR that a player shows of a frame."""
        width, height = shown_size(frame.width, frame.height, self._stream.sample_aspect_ratio)
        stored: Any = self._reformatter.reformat(frame, width=width, height=height, format="bgr24").to_ndarray()
        image = orientation_of(frame).apply(stored)
        size = image.shape[1], image.shape[0]
        if self._size is None:
            self._size = size
        if size == self._size:
            return image
        if not self._remarks:
            self._remarks.append(
                f"The size of the pictures changes, first at frame {index} from {self._size[0]}x{self._size[1]} to "
                f"{size[0]}x{size[1]}: they are scaled to the first size."
            )
        return fitted(image, self._size)


def _video_stream(container: Any, name: str) -> Any:
    """Return the video stream that a player shows: the one with the largest pictures, and no picture of a cover."""
    if _NO_VIDEOS.intersection(container.format.name.split(",")):
        raise SourceError(f"{name} is no video file: FFmpeg takes it for {container.format.long_name}.")
    streams = [
        stream for stream in container.streams.video if not int(getattr(stream, "disposition", 0)) & _ATTACHED_PICTURE
    ]
    if not streams:
        kind = "sound, but no pictures" if container.streams.audio else "no pictures"
        raise SourceError(f"{name} holds {kind}: give a video.")
    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        raise SourceError(
            f"FFmpeg has no decoder here for the video in {name}: convert it where there is one, with "
            f"'ffmpeg -i IN -c:v libx264 OUT.mp4'."
        )
    return max(known, key=lambda stream: stream.codec_context.width * stream.codec_context.height)


def _expected(seconds: float, fps: float) -> int:
    return max(0, round(seconds * fps)) if math.isfinite(seconds) else 0


def _start_seconds(container: Any) -> float:
    return (container.start_time or 0) * 1e-6


def _announced_end(container: Any, stream: Any, fps: float) -> float:
    """Return the time, in seconds, at which the header of a file says that it ends; -inf where it does not say it."""
    formats = set(container.format.name.split(","))
    if not _ANNOUNCING & formats or not container.duration:
        return -math.inf
    # FFmpeg shortens an AVI file that was cut.
    length = max(container.duration * 1e-6, stream.frames / fps if "avi" in formats else 0.0)
    return _start_seconds(container) + length
