"""One run of the model for the faces of all cameras of dfer_node that wait at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from dfer_ros.core.emotion import Emotion
from dfer_ros.core.faces import SeenFace
from dfer_ros.core.recognizer import Recognizer, update_together


class SharedRecognition:
    """Answers what was announced before, all of it at once as soon as the first answer is asked for.

    Belongs to one thread. A failure of the model is raised to everybody whose faces were in the run.
    """

    def __init__(self) -> None:
        self._announced: dict[Recognizer, tuple[float, Sequence[SeenFace]]] = {}
        self._answers: dict[Recognizer, list[Emotion] | Exception] = {}

    def announce(self, recognizer: Recognizer, stamp: float, faces: Sequence[SeenFace]) -> None:
        """Say that the recognizer will be asked about these faces; stamp: seconds."""
        self._announced[recognizer] = (stamp, faces)

    def emotions(self, recognizer: Recognizer) -> list[Emotion]:
        """Return what Recognizer.update() returns for the faces that were announced."""
        if recognizer in self._announced:
            frames, self._announced = self._announced, {}
            try:
                self._answers.update(zip(frames, update_together([(one, *frame) for one, frame in frames.items()])))
            except Exception as error:
                self._answers.update(dict.fromkeys(frames, error))
        answer = self._answers.pop(recognizer)
        if isinstance(answer, Exception):
            raise answer
        return answer
