"""The temporal window of a person: the embeddings of the last seconds, whatever the frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dfer_ros.core.faces import FloatArray


@dataclass(frozen=True)
class WindowConfig:
    """seconds: longest time between the newest frame and the oldest one kept. frames: most frames kept."""

    seconds: float
    frames: int


class FrameWindow:
    """Embeddings of one person, oldest first, at most config.frames of them, spread over config.seconds.

    At high rates every frame is seen, but frames closer together than seconds / frames replace each other, so that
    the window spans its full time at any rate; the newest frame is always in it.
    """

    def __init__(self, config: WindowConfig, embedding_size: int) -> None:
        self._config = config
        self._spacing = config.seconds / config.frames
        self._embeddings = np.zeros((config.frames, embedding_size), dtype=np.float32)
        self._qualities = np.zeros(config.frames, dtype=np.float32)
        self._stamps = np.zeros(config.frames, dtype=np.float64)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def newest(self) -> float:
        """Stamp of the newest frame in seconds."""
        return float(self._stamps[self._length - 1])

    @property
    def seconds(self) -> float:
        """Time between the oldest and the newest frame in seconds."""
        return self.newest - float(self._stamps[0])

    @property
    def best_quality(self) -> float:
        """The quality 0..1 of the best frame."""
        return float(self._qualities[: self._length].max())

    def add(self, stamp: float, embedding: FloatArray, quality: float) -> None:
        """Take in the frame of stamp seconds (not before the newest): embedding [D], quality 0..1."""
        self._drop_before(stamp - self._config.seconds)
        if not self._newest_is_replaceable():
            if self._length == self._config.frames:
                self._drop(1)
            self._length += 1
        slot = self._length - 1
        self._stamps[slot], self._embeddings[slot], self._qualities[slot] = stamp, embedding, quality

    def write_to(self, embeddings: FloatArray, ages: FloatArray, mask: FloatArray) -> None:
        """Fill the first len(self) rows of a head's input for one person: embeddings [T, D], ages [T], mask [T].

        ages: seconds before the newest frame. mask: the quality of the frame, above 0; rows beyond stay untouched.
        """
        length = self._length
        embeddings[:length] = self._embeddings[:length]
        ages[:length] = self.newest - self._stamps[:length]
        np.maximum(self._qualities[:length], 1e-3, out=mask[:length])

    def _newest_is_replaceable(self) -> bool:
        if self._length < 2:
            return False
        return bool(self._stamps[self._length - 1] - self._stamps[self._length - 2] < self._spacing)

    def _drop_before(self, stamp: float) -> None:
        self._drop(int(np.searchsorted(self._stamps[: self._length], stamp)))

    def _drop(self, count: int) -> None:
        if count == 0:
            return
        kept = slice(count, self._length)
        self._length -= count
        for column in (self._stamps, self._embeddings, self._qualities):
            column[: self._length] = column[kept]
