"""Images that are none: ten malformed kinds of each transport between good ones."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import cv2
from sensor_msgs.msg import CompressedImage, Image

from dfer_ros.bench.faults.check import Check, Extent, nothing_unexpected, one_after_another, part_of, values
from dfer_ros.bench.load import Advance
from dfer_ros.bench.running_graph import DETECTOR, BenchGraph
from dfer_ros.core.errors import DferError
from dfer_ros.recordings.demo_clip import crowd_frame
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.messages import header_nanoseconds
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until
from dfer_ros.streams.statistics import DropReason

_WIDTH, _HEIGHT = 640, 480
_LARGEST = 2**32 - 1
_ANSWER_SECONDS = 5.0
_BAD_SECONDS = 0.03
"""How long a malformed image has for itself before the good one after it."""
_PATIENT = {"frame_rate": 240.0, "max_wait_seconds": 60.0}
"""So that a good image is dropped for no other reason than a malformed one before it."""
_LOG_PERIOD_SECONDS = 5.0
_LINES_AT_START = 3
_STAMPS_AND_NUMBERS = re.compile(r"\d+|'.*'")

Spoil = Callable[[Any, random.Random], None]


def _set_fields(**fields: object) -> Spoil:
    def spoil(message: Any, _: random.Random) -> None:
        for name, value in fields.items():
            setattr(message, name, value)

    return spoil


def _other_encoding(message: Image, chance: random.Random) -> None:
    message.encoding = f"cmyk{chance.choice('abcdefghij')}"


def _endless_encoding(message: Image, chance: random.Random) -> None:
    message.encoding = "".join(chance.choices("abc \n\t%'", k=10_000))


def _truncated(message: Image, _: random.Random) -> None:
    message.data = message.data[: len(message.data) // 2]


RAW_KINDS: Mapping[str, Spoil] = {
    "an encoding that does not exist": _other_encoding,
    "an encoding of 10,000 characters": _endless_encoding,
    "no encoding": _set_fields(encoding=""),
    "depth instead of colour": _set_fields(encoding="32FC1"),
    "no pixels": _set_fields(width=0, height=0),
    "half the data": _truncated,
    "no data": _set_fields(data=b""),
    "rows too short": _set_fields(step=600),
    "four billion rows and columns": _set_fields(width=_LARGEST, height=_LARGEST),
    "rows of four gigabytes": _set_fields(step=_LARGEST),
}


def _jpeg(image: Any) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def _compressed_kinds(picture: Any) -> Mapping[str, Callable[[random.Random], bytes]]:
    """Return what makes the bytes of each malformed kind of a compressed picture."""
    jpeg, png = _jpeg(picture), bytes(cv2.imencode(".png", picture)[1].tobytes())
    # The size stands in bytes 16 to 24 of a PNG.
    gigantic = png[:16] + b"\x00\x00\xff\xff" * 2 + png[24:]
    return {
        "no bytes": lambda _: b"",
        "one byte": lambda _: b"\xff",
        "a text": lambda _: b"this is no picture",
        "noise": lambda chance: chance.randbytes(20_000),
        "zeros": lambda _: bytes(20_000),
        "a JPEG's first 100 bytes": lambda _: jpeg[:100],
        "a JPEG's second half": lambda _: jpeg[len(jpeg) // 2 :],
        "a PNG's first 100 bytes": lambda _: png[:100],
        "a PNG that claims four billion pixels": lambda _: gigantic,
        "a video's header": lambda chance: b"\x00\x00\x00\x18ftypmp42" + chance.randbytes(5000),
    }


def malformed_images(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Send malformed images of both transports, each followed by a good one that must be answered."""
    half = extent.count(500, 10)
    for index, transport in enumerate(("raw", "compressed")):
        with BenchGraph(
            extent.say, {"image_transport": transport, **_PATIENT}, _PATIENT, way=extent.processes
        ) as graph:
            yield from _send_malformed(graph, transport, half, part_of(advance, index, 2))


def _send_malformed(graph: BenchGraph, transport: str, count: int, advance: Advance) -> Iterator[Check]:
    stream = _Images(graph, transport)
    stream.wait_for_graph()
    start, unanswered = time.monotonic(), 0
    for index in one_after_another(count, advance):
        stream.send_malformed(index)
        time.sleep(_BAD_SECONDS)
        unanswered += not stream.answers_good()
    seconds = time.monotonic() - start
    health = values(graph.fresh_healths()[DETECTOR])
    unusable, replaced = (int(health[f"dropped: {r.value}"]) for r in (DropReason.UNUSABLE, DropReason.REPLACED))
    yield Check(
        f"{transport}: the good image after each of them is answered",
        f"{count - unanswered} of {count}",
        not unanswered,
    )
    yield Check(
        f"{transport}: {count} malformed images of {stream.kinds} kinds are counted",
        f"{unusable} unusable" + (f", {replaced} replaced by the next one" if replaced else ""),
        0 < unusable <= count <= unusable + replaced,
    )
    yield _log_is_throttled(graph, transport, seconds)
    check = nothing_unexpected(graph)
    yield replace(check, asked=f"{transport}: {check.asked}")


class _Images:
    """The publisher of good and malformed images of a transport, in a random order of kinds that is always the same."""

    def __init__(self, graph: BenchGraph, transport: str) -> None:
        self._graph = graph
        self._chance = random.Random(4)
        self._picture = crowd_frame(1, _WIDTH, _HEIGHT, 0.0)
        self._compressed = transport == "compressed"
        self._bytes = _compressed_kinds(self._picture)
        kind, topic = (CompressedImage, "image/compressed") if self._compressed else (Image, "image")
        self._publisher = graph.node.create_publisher(kind, topic, OUTPUT)
        self._names = list(self._bytes if self._compressed else RAW_KINDS)
        self.kinds = len(self._names)

    def wait_for_graph(self) -> None:
        """Return when good images are answered; raises DferError where they are not."""
        if not wait_until(lambda: self.answers_good(0.5), 60.0):
            raise DferError("Good images are not answered: is DDS blocked here?")
        # The subscription follows the reliability of the publisher.
        time.sleep(1.0)

    def send_malformed(self, index: int) -> None:
        """Publish the malformed image of an index; all kinds come equally often."""
        if index % self.kinds == 0:
            self._chance.shuffle(self._names)
        name = self._names[index % self.kinds]
        if self._compressed:
            message = CompressedImage(format="jpeg", data=self._bytes[name](self._chance))
        else:
            message = self._good()
            RAW_KINDS[name](message, self._chance)
        self._publish(message)

    def answers_good(self, seconds: float = _ANSWER_SECONDS) -> bool:
        """Publish a good image and tell whether it is answered in time."""
        before = len(self._graph.answers)
        stamp = self._publish(self._good())
        return wait_until(lambda: any(a.stamp == stamp for a in self._graph.answers[before:]), seconds)

    def _good(self) -> Image | CompressedImage:
        if self._compressed:
            return CompressedImage(format="jpeg", data=_jpeg(self._picture))
        message = Image()
        fill_image(message, self._picture)
        return message

    def _publish(self, message: Image | CompressedImage) -> int:
        message.header.stamp = self._graph.node.get_clock().now().to_msg()
        self._publisher.publish(message)
        return header_nanoseconds(message.header)


def _log_is_throttled(graph: BenchGraph, transport: str, seconds: float) -> Check:
    """Return the check that no kind of line comes more often than every five seconds."""
    lines = [line for line in graph.log if line.startswith(DETECTOR)]
    kinds = Counter(_STAMPS_AND_NUMBERS.sub("#", line) for line in lines)
    most = 1 + int(seconds / _LOG_PERIOD_SECONDS)
    worst = max(kinds.values(), default=0)
    return Check(
        f"{transport}: no line of the log more than once in {_LOG_PERIOD_SECONDS:.0f} s",
        f"{len(lines)} lines of {len(kinds)} kinds in {seconds:.0f} s, the same at most {worst} times",
        worst <= most and len(lines) <= most * len(RAW_KINDS) + _LINES_AT_START,
    )
