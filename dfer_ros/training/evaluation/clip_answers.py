"""What is answered on labelled clips, frame by frame and clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.faces import FloatArray, SeenFace
from dfer_ros.core.labels import LABELS
from dfer_ros.core.recall import Labels
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.data.manifest import ALL_VIDEOS, MICRO, is_sequence

KIND = "kind "
"""What stands before the name of a kind where it names a group."""


@dataclass(frozen=True)
class ClipAnswer:
    """What was answered on a clip for the person seen longest.

    label: index into LABELS. probabilities: [F, 7], one row for every frame with that person; F may be 0.
    kind: of the clip, see data.manifest.
    """

    name: str
    label: int
    source: str
    probabilities: FloatArray
    kind: str = ""

    @property
    def video(self) -> bool:
        """Whether the clip counts among all videos: neither a sequence nor a micro-expression."""
        return not self.sequence and self.kind != MICRO

    @property
    def sequence(self) -> bool:
        """Whether the clip runs from neutral to the apex, as those of CK+ do."""
        return is_sequence(self.source)

    @property
    def answer(self) -> FloatArray:
        """The probabilities [7] of the clip: the mean over a video, the last of a sequence, zeros without a face."""
        if len(self.probabilities) == 0:
            return np.zeros(len(LABELS), dtype=np.float32)
        return self.probabilities[-1] if self.sequence else self.probabilities.mean(axis=0)

    @property
    def predicted(self) -> int:
        """The answer on the clip as index into LABELS; -1 without a face."""
        return int(self.answer.argmax()) if len(self.probabilities) else -1


def recognized_frames(faces: ClipFaces, recognizer: Recognizer) -> list[Emotion]:
    """Return what the core says about each frame of a clip, with a fresh window."""
    recognizer.reset()
    return [
        recognizer.update(stamp, [SeenFace("face", crop, quality)])[0]
        for crop, stamp, quality in zip(faces.crops, faces.stamps.tolist(), faces.quality.tolist())
    ]


def answer_clip(faces: ClipFaces, recognizer: Recognizer) -> ClipAnswer:
    """Return the answers of the core on a clip, frame by frame, with a fresh window."""
    rows = [emotion.probabilities for emotion in recognized_frames(faces, recognizer)]
    probabilities = np.array(rows, dtype=np.float32).reshape(-1, len(LABELS))
    return ClipAnswer(faces.name, faces.label, faces.source, probabilities, faces.kind)


def answers_and_labels(answers: Sequence[ClipAnswer]) -> tuple[Labels, Labels]:
    """Return what was answered [N] and the labels [N], one of each for a clip."""
    predicted = np.array([answer.predicted for answer in answers], dtype=np.int64)
    return predicted, np.array([answer.label for answer in answers], dtype=np.int64)


def groups(answers: Sequence[ClipAnswer]) -> dict[str, list[ClipAnswer]]:
    """Return the answers on all videos, those of each source, and those of each kind, by name."""
    grouped = {ALL_VIDEOS: [answer for answer in answers if answer.video]}
    for answer in answers:
        grouped.setdefault(answer.source, []).append(answer)
    for answer in answers:
        if answer.kind:
            grouped.setdefault(f"{KIND}{answer.kind}", []).append(answer)
    return {name: group for name, group in grouped.items() if group}


def frame_rows(answers: Sequence[ClipAnswer]) -> tuple[FloatArray, Labels, FloatArray]:
    """Return the probabilities [N, 7], labels [N] and weights [N] of all frames; every clip weighs the same."""
    answers = [answer for answer in answers if len(answer.probabilities)]
    lengths = [len(answer.probabilities) for answer in answers]
    probabilities = np.concatenate([np.zeros((0, len(LABELS)), np.float32), *(a.probabilities for a in answers)])
    labels = np.repeat(np.array([answer.label for answer in answers], dtype=np.int64), lengths)
    weights = np.repeat([1.0 / length for length in lengths], lengths).astype(np.float32)
    return probabilities, labels, weights
