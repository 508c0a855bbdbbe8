"""A camera for benches, as a process that is told on its standard input what to send.

    python -m dfer_ros.bench.camera --ros-args -r __ns:=/bench

Every line of input is the JSON of a CameraSetting. It answers `applied` when a setting is in force, and the stamp of
every image sent, in nanoseconds. It ends with its input.
"""

from __future__ import annotations

import json
import math
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import rclpy
from sensor_msgs.msg import Image as ImageMessage

from dfer_ros.core.faces import Image
from dfer_ros.recordings.demo_clip import crowd_frame
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.messages import header_nanoseconds
from dfer_ros.ros.starting import start_node
from dfer_ros.ros.topics import OUTPUT

APPLIED = "applied"
_PHASES = 10
_SWAY_PIXELS = 4
_LARGEST_DRAWN = 720
_BACKGROUND = 90
_SECONDS_BETWEEN_COMINGS = 1.0
_CLOCKS_APART = 1 / 75
"""By which share of a period the images of a camera are further apart than those of the one before."""


@dataclass(frozen=True)
class CameraSetting:
    """What the camera sends: images of so many pixels with so many heads, rate a second; 0: none.

    changing: heads go and come, one a second, between `faces` (two or more) and one of them.
    cameras: it is so many of them, each with a clock of its own, so that their images meet and pass each other.
    """

    rate: float = 30.0
    faces: int = 1
    width: int = 640
    height: int = 480
    changing: bool = False
    cameras: int = 1

    @property
    def names(self) -> list[str]:
        """Names of the cameras whose images go to <name>/image; an empty one where there is one, whose go to image."""
        return [f"camera{number}" for number in range(self.cameras)] if self.cameras > 1 else [""]


class Crowd:
    """Heads in a grid, put together from cells that are made once: fast enough for any rate."""

    def __init__(self, setting: CameraSetting) -> None:
        self._setting = setting
        columns = math.ceil(math.sqrt(setting.faces * setting.width / setting.height))
        rows = math.ceil(setting.faces / columns)
        width, height = setting.width // columns, setting.height // rows
        places = [(index % columns * width, index // columns * height) for index in range(setting.faces)]
        self._cells = [(slice(y, y + height), slice(x, x + width)) for x, y in places]
        self._heads = _swaying_head(width, height)
        self._present = [True] * setting.faces
        self._growing = False
        self._chance = random.Random(setting.faces)
        self._image: Image = np.full((setting.height, setting.width, 3), _BACKGROUND, np.uint8)

    def image(self, index: int) -> Image:
        """Return the image [height, width, 3] of an index; it is valid until the next one is asked for."""
        if self._setting.changing and (index + 1) % round(_SECONDS_BETWEEN_COMINGS * self._setting.rate) == 0:
            self._come_or_go()
        for place, present in zip(self._cells, self._present):
            self._image[place] = self._heads[index % _PHASES] if present else _BACKGROUND
        return self._image

    def _come_or_go(self) -> None:
        """Have one head go until one is left, then one come until all are there, and so on."""
        here = sum(self._present)
        if here in (1, len(self._present)):
            self._growing = here == 1
        others = [index for index, present in enumerate(self._present) if present != self._growing]
        self._present[self._chance.choice(others)] = self._growing


@cache
def _swaying_head(width: int, height: int) -> list[Image]:
    """Return cells [height, width, 3] with a head that sways from one to the next; drawn once, and small."""
    wide = width + 2 * _SWAY_PIXELS
    scale = min(1.0, _LARGEST_DRAWN / max(wide, height))
    drawn = cv2.resize(crowd_frame(1, round(scale * wide), round(scale * height), 0.0), (wide, height))
    shifts = [round(_SWAY_PIXELS * (1 + math.sin(2 * math.pi * phase / _PHASES))) for phase in range(_PHASES)]
    return [drawn[:, shift : shift + width] for shift in shifts]


def main() -> None:
    """Send what is asked for until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the bench, which closes the input.
    node = start_node("bench_camera", arguments=None)
    topics = cache(lambda camera: node.create_publisher(ImageMessage, f"{camera}/image".lstrip("/"), OUTPUT))
    message = ImageMessage()

    def publish(camera: str, image: Image) -> None:
        fill_image(message, image)
        message.header.stamp = node.get_clock().now().to_msg()
        _print_word(header_nanoseconds(message.header))
        topics(camera).publish(message)

    settings: queue.SimpleQueue[CameraSetting | None] = queue.SimpleQueue()
    threading.Thread(target=_read_settings, args=(settings,), daemon=True).start()
    setting = settings.get()
    while setting is not None:
        setting = _send_images(setting, settings, publish)
    node.destroy_node()
    rclpy.shutdown()


def _read_settings(settings: queue.SimpleQueue[CameraSetting | None]) -> None:
    for line in sys.stdin:
        settings.put(CameraSetting(**json.loads(line)))
    settings.put(None)


def _send_images(
    setting: CameraSetting, settings: queue.SimpleQueue[CameraSetting | None], publish: Callable[[str, Image], None]
) -> CameraSetting | None:
    """Send images of a setting until there is another one, and return that."""
    if not setting.rate:
        _print_word(APPLIED)
        return settings.get()
    crowds = [Crowd(setting) for _ in setting.names]
    _print_word(APPLIED)
    periods = [(1.0 + number * _CLOCKS_APART) / setting.rate for number in range(setting.cameras)]
    due, shown = [time.monotonic()] * setting.cameras, [0] * setting.cameras
    while True:
        number = due.index(min(due))
        try:
            return settings.get(timeout=max(0.0, due[number] - time.monotonic()))
        except queue.Empty:
            publish(setting.names[number], crowds[number].image(shown[number]))
        shown[number] += 1
        # A camera that was held up goes on from there; it does not send what it missed all at once.
        due[number] = max(due[number] + periods[number], time.monotonic())


def _print_word(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
