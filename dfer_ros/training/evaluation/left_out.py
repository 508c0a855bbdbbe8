"""What was answered on clips by models that never saw their source, kept beside the model that is shipped.

The model of a folder has learned from the clips, so what it answers on them says too much. These answers do not: each
is of an encoder and a head that were trained in the same way, without the source of the clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dfer_ros.training.clips.clip_file import StoredClip, read_clips, write_clips
from dfer_ros.training.data.manifest import MICRO
from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.evaluation.clips import at_temperature

ANSWERS_FILE = "left_out.npz"
_ROWS = "probabilities"


def save_answers(path: Path, answers: Sequence[ClipAnswer]) -> None:
    """Write answers, frame by frame; the file appears whole or not at all. Raises TrainingError where it cannot."""
    rows = [answer.probabilities.astype(np.float16) for answer in answers]
    clips = [StoredClip(answer.name, answer.label, answer.source, "", answer.kind, ()) for answer in answers]
    write_clips(path, clips, {_ROWS: rows}, "")


def load_answers(path: Path) -> list[ClipAnswer]:
    """Return the answers that save_answers wrote. Raises DataError where the file is missing or damaged."""
    return [
        ClipAnswer(clip.name, clip.label, clip.source, clip.frames[0].astype(np.float32), clip.kind)
        for clip in read_clips(path, (_ROWS,), "answers on clips", "")
    ]


def answers_without_source(model: Path, answers: Sequence[ClipAnswer], temperature: float) -> list[ClipAnswer]:
    """Return what came with a model for all the clips of some answers, in their order; nothing where one lacks.

    model: its folder. temperature: with which its probabilities are made; those that are kept are made with 1.
    """
    path = model / ANSWERS_FILE
    if not path.is_file():
        return []
    kept = {(answer.source, answer.name): answer for answer in load_answers(path)}
    wanted = [(answer.source, answer.name) for answer in answers if answer.kind != MICRO]
    if any(key not in kept for key in wanted):
        return []
    return [at_temperature(kept[key], 1.0, temperature) for key in wanted]
