"""The windows of clips replayed on kept embeddings: in their order, and with the order or the motion taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.evaluation.clip_answers import ClipAnswer

WindowHead = Callable[[Sequence[FrameWindow]], FloatArray]
"""From the windows of P >= 1 persons to their logits [P, 7] in the order of LABELS."""


class WeightedMean:
    """The mean of the frames' logits, weighted by quality * exp(-age / decay_seconds): the head without training.

    Its windows hold the logits of frames in place of embeddings. decay_seconds 0: the newest frame alone.
    """

    # TrainableHead.weighted_mean is the same over tensors. An evaluation reads the windows of the robot, and gets by
    # without torch, which takes seconds to import.

    def __init__(self, decay_seconds: float) -> None:
        self._decay_seconds = decay_seconds

    def __call__(self, windows: Sequence[FrameWindow]) -> FloatArray:
        """Return the logits [P, 7] for the windows of P >= 1 persons."""
        return np.stack([self._of_window(window) for window in windows])

    def _of_window(self, window: FrameWindow) -> FloatArray:
        logits = np.zeros((len(window), len(LABELS)), dtype=np.float32)
        ages, quality = np.zeros(len(window), dtype=np.float32), np.zeros(len(window), dtype=np.float32)
        window.write_to(logits, ages, quality)
        if self._decay_seconds == 0:
            return logits[-1]
        mean: FloatArray = np.average(logits, axis=0, weights=quality * np.exp(-ages / self._decay_seconds))
        return mean


def on_frame_logits(clip: ClipEmbeddings) -> ClipEmbeddings:
    """Return the clip with the logits of its frames in place of their embeddings, for WeightedMean."""
    return replace(clip, embeddings=clip.logits)


def replay(clips: Sequence[ClipEmbeddings], head: WindowHead, config: WindowConfig) -> list[FloatArray]:
    """Return the logits [F, 7] of each clip at each of its frames, through the windows of the robot.

    All clips go on together, as so many people in view would.
    """
    windows = [FrameWindow(config, clip.embeddings.shape[1]) for clip in clips]
    logits = [np.zeros((len(clip), len(LABELS)), dtype=np.float32) for clip in clips]
    for frame in range(max((len(clip) for clip in clips), default=0)):
        going = [index for index, clip in enumerate(clips) if frame < len(clip)]
        for index in going:
            clip = clips[index]
            windows[index].add(float(clip.stamps[frame]), clip.embeddings[frame], float(clip.quality[frame]))
        for index, row in zip(going, head([windows[index] for index in going])):
            logits[index][frame] = row
    return logits


def replayed_answers(
    clips: Sequence[ClipEmbeddings], head: WindowHead, config: WindowConfig, temperature: float
) -> list[ClipAnswer]:
    """Return the answers that a head gives on clips."""
    return [
        ClipAnswer(clip.name, clip.label, clip.source, calibrated_probabilities(logits, temperature), clip.kind)
        for clip, logits in zip(clips, replay(clips, head, config))
    ]


def shuffled(clip: ClipEmbeddings, seed: int) -> ClipEmbeddings:
    """Return the clip with its frames in random order, at the stamps that there were."""
    return _reordered(clip, np.random.default_rng(seed).permutation(len(clip)))


def reversed_in_time(clip: ClipEmbeddings) -> ClipEmbeddings:
    """Return the clip as played backwards; the gaps between frames are reversed with it."""
    backwards = _reordered(clip, np.arange(len(clip))[::-1])
    return (
        backwards if len(clip) == 0 else replace(backwards, stamps=clip.stamps[0] + clip.stamps[-1] - clip.stamps[::-1])
    )


def frozen(clip: ClipEmbeddings) -> ClipEmbeddings:
    """Return the clip with its middle frame in place of every frame."""
    return _reordered(clip, np.full(len(clip), len(clip) // 2))


def _reordered(clip: ClipEmbeddings, order: npt.NDArray[np.int64]) -> ClipEmbeddings:
    return replace(clip, embeddings=clip.embeddings[order], logits=clip.logits[order], quality=clip.quality[order])
