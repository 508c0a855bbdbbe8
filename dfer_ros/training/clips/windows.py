"""The windows of clips all at once: at every frame, what the robot's window would hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.clips.embeddings import ClipEmbeddings
from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.head.trainable_head import TrainableHead

_BATCH = 256


@dataclass(frozen=True)
class ClipWindows:
    """The windows of a clip of F frames, each with room for T frames, oldest first.

    embeddings: [F, D], of the frames. rows: [F, T], which of them a window holds. ages: [F, T] float32, seconds before
    the newest. mask: [F, T] float32, quality 0..1, 0 where there is no frame.
    """

    clip: ClipEmbeddings
    embeddings: FloatArray
    rows: npt.NDArray[np.int64]
    ages: FloatArray
    mask: FloatArray

    def inputs(self, frames: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return embeddings [N, T, D], ages [N, T] and mask [N, T] of the windows that end at some frames [N]."""
        return self.embeddings[self.rows[frames]], self.ages[frames], self.mask[frames]


def clip_windows(clip: ClipEmbeddings, config: WindowConfig, of_logits: bool) -> ClipWindows:
    """Return the windows of a clip. of_logits: take the frames' logits [F, 7] in place of the embeddings."""
    count = len(clip)
    # The robot's own window, with the index of each frame in place of its embedding.
    window = FrameWindow(config, 1)
    held = np.zeros((count, config.frames, 1), dtype=np.float32)
    ages, mask = (np.zeros((count, config.frames), dtype=np.float32) for _ in range(2))
    for frame, (stamp, quality) in enumerate(zip(clip.stamps.tolist(), clip.quality.tolist())):
        window.add(stamp, np.array([frame], dtype=np.float32), quality)
        window.write_to(held[frame], ages[frame], mask[frame])
    embeddings = clip.logits if of_logits else clip.embeddings
    return ClipWindows(clip, embeddings, held[:, :, 0].astype(np.int64), ages, mask)


def head_answers(head: TrainableHead, windows: Sequence[ClipWindows]) -> list[ClipAnswer]:
    """Return what a head answers on clips, at each of their frames."""
    return [
        ClipAnswer(one.clip.name, one.clip.label, one.clip.source, _probabilities(head, one), one.clip.kind)
        for one in windows
    ]


def _probabilities(head: TrainableHead, windows: ClipWindows) -> FloatArray:
    head.eval()
    rows = [np.zeros((0, len(head.bias)), dtype=np.float32)]
    with torch.inference_mode():
        for frames in np.array_split(np.arange(len(windows.clip)), len(windows.clip) // _BATCH + 1):
            output = head(*(torch.from_numpy(part) for part in windows.inputs(frames)))
            rows.append(output.logits.softmax(dim=1).numpy())
    return np.concatenate(rows)
