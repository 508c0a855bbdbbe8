"""The temporal head: windows of embeddings in, one row of logits for each person out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model_folder import HEAD_FILE, ModelFolder
from dfer_ros.core.onnx_session import SessionConfig, create_session, first_line
from dfer_ros.core.window import FrameWindow


class TemporalHead:
    """Runs head.onnx of a model folder. Raises ModelError where it is missing, damaged or does not fit."""

    def __init__(self, folder: ModelFolder, embedding_size: int, session_config: SessionConfig) -> None:
        self._session = create_session(folder.verified(HEAD_FILE), session_config)
        self._embedding_size = embedding_size
        self._order = [folder.description.labels.index(label) for label in LABELS]
        self._try_out(folder)

    def logits(self, windows: Sequence[FrameWindow]) -> FloatArray:
        """Return the logits [P, 7] in the order of LABELS for the windows of P >= 1 persons, in one run."""
        persons, frames = len(windows), max(len(window) for window in windows)
        embeddings = np.zeros((persons, frames, self._embedding_size), dtype=np.float32)
        ages = np.zeros((persons, frames), dtype=np.float32)
        mask = np.zeros((persons, frames), dtype=np.float32)
        for row, window in enumerate(windows):
            window.write_to(embeddings[row], ages[row], mask[row])
        logits: FloatArray = self._session.run(["logits"], {"embeddings": embeddings, "ages": ages, "mask": mask})[0]
        return logits[:, self._order]

    def _try_out(self, folder: ModelFolder) -> None:
        """Run once on a window of one frame, so that a head of another encoder is refused before the first face."""
        embeddings = np.zeros((1, 1, self._embedding_size), dtype=np.float32)
        one = np.ones((1, 1), dtype=np.float32)
        try:
            logits = self._session.run(["logits"], {"embeddings": embeddings, "ages": one, "mask": one})[0]
            fits, problem = logits.shape == (1, len(LABELS)), f"it gives logits {list(logits.shape)}"
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            fits, problem = False, first_line(error)
        if not fits:
            raise ModelError(
                f"{folder.path / HEAD_FILE} does not fit: it must take embeddings [P, T, {self._embedding_size}], "
                f"ages [P, T] and mask [P, T] and give logits [P, {len(LABELS)}], but {problem}."
            )
