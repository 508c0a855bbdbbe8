"""The temporal head: windows of embeddings in, one answer for each person out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from dfer_ros.core.emotion import PHASES
from dfer_ros.core.errors import ModelError, first_line
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.folder import HEAD_FILE, ModelFolder
from dfer_ros.core.model.onnx_session import SessionConfig, create_session
from dfer_ros.core.window import FrameWindow

# The outputs of head.onnx and the shape of each for one person; a head may leave out all but the first.
_OUTPUTS = {"logits": (len(LABELS),), "intensity": (), "phase": (len(PHASES) - 1,)}


@dataclass(frozen=True)
class HeadAnswer:
    """logits: [P, 7] in the order of LABELS. intensity: [P], 0..1. phase: [P, 4] logits of PHASES without unknown.

    intensity and phase are None where the model's head does not give them.
    """

    logits: FloatArray
    intensity: FloatArray | None = None
    phase: FloatArray | None = None


class TemporalHead:
    """Runs head.onnx of a model folder. Raises ModelError where it is missing, damaged or does not fit."""

    def __init__(self, folder: ModelFolder, embedding_size: int, session_config: SessionConfig) -> None:
        self._session = create_session(folder.verified(HEAD_FILE), session_config)
        self._embedding_size = embedding_size
        self._order = [folder.description.labels.index(label) for label in LABELS]
        self._outputs = _outputs(self._session)
        self._try_out(folder)

    def answer(self, windows: Sequence[FrameWindow]) -> HeadAnswer:
        """Return the answers for the windows of P >= 1 persons, in one run."""
        persons, frames = len(windows), max(len(window) for window in windows)
        embeddings = np.zeros((persons, frames, self._embedding_size), dtype=np.float32)
        ages = np.zeros((persons, frames), dtype=np.float32)
        mask = np.zeros((persons, frames), dtype=np.float32)
        for row, window in enumerate(windows):
            window.write_to(embeddings[row], ages[row], mask[row])
        answer = self._run(embeddings, ages, mask)
        return HeadAnswer(answer.pop("logits")[:, self._order], **answer)

    def logits(self, windows: Sequence[FrameWindow]) -> FloatArray:
        """Return the logits [P, 7] of answer() alone."""
        return self.answer(windows).logits

    def _run(self, embeddings: FloatArray, ages: FloatArray, mask: FloatArray) -> dict[str, FloatArray]:
        rows = self._session.run(self._outputs, {"embeddings": embeddings, "ages": ages, "mask": mask})
        return dict(zip(self._outputs, rows))

    def _try_out(self, folder: ModelFolder) -> None:
        """Run once on a window of one frame, so that a head of another encoder is refused before the first face."""
        one = np.ones((1, 1), dtype=np.float32)
        try:
            rows = self._run(np.zeros((1, 1, self._embedding_size), dtype=np.float32), one, one)
            misfits = [name for name, row in rows.items() if row.shape != (1, *_OUTPUTS[name])]
            problem = ", ".join(f"{name} {list(rows[name].shape)}" for name in misfits)
            problem = f"it gives {problem} for one person" if problem else ""
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            problem = first_line(error)
        if problem:
            raise ModelError(
                f"{folder.path / HEAD_FILE} does not fit: it must take embeddings [P, T, {self._embedding_size}], "
                f"ages [P, T] and mask [P, T] and give logits [P, {len(LABELS)}], if it likes with intensity [P] and "
                f"phase [P, {len(PHASES) - 1}], but {problem}."
            )


def _outputs(session: onnxruntime.InferenceSession) -> list[str]:
    """Return the outputs that are asked for: the logits, and the others if they are there."""
    there = [output.name for output in session.get_outputs()]
    return [name for name in _OUTPUTS if name == "logits" or name in there]
