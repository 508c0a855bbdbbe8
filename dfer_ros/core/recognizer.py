"""From the faces of a frame to the emotion of each person, over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.core.decision import DecisionConfig, calibrated_probabilities, decide, decide_secondary
from dfer_ros.core.emotion import PHASE_UNKNOWN, Emotion
from dfer_ros.core.faces import FloatArray, SeenFace
from dfer_ros.core.labels import EXPRESSIONS, NEUTRAL, UNKNOWN, VALENCE_AROUSAL
from dfer_ros.core.model.emotion_model import EmotionModel
from dfer_ros.core.model.temporal_head import HeadAnswer
from dfer_ros.core.parameter import parameter
from dfer_ros.core.window import FrameWindow, WindowConfig

_OWN = -1.0
"""Stands for the model's own value."""


@dataclass(frozen=True)
class RecognizerConfig:
    """How emotions are read; of the hysteresis see DecisionConfig."""

    window_seconds: float = parameter(
        _OWN, "Longest span of a person's window; -1: the model's own.", "s", 0.1, 60.0, stand_in=_OWN, changeable=True
    )
    unknown_threshold: float = parameter(
        _OWN, "Least probability of a named expression; -1: the model's own.", "", 0.0, 1.0, (), _OWN, changeable=True
    )
    hysteresis: float = parameter(
        DecisionConfig.hysteresis,
        "How much more likely another expression must be to take over, and one above the threshold after unknown.",
        "",
        0.0,
        1.0,
        changeable=True,
    )
    min_quality: float = parameter(
        0.05, "A person none of whose crops reaches this quality is unknown.", "", 0.0, 1.0, changeable=True
    )


@dataclass
class _Person:
    window: FrameWindow
    named: int | None = None
    secondary: int | None = None


class Recognizer:
    """Turns the faces of a frame into emotions: the second half of what happens to a frame.

    Not thread safe: one recognizer belongs to one stream and one thread.
    model: what it answers with.
    cleared: whether the last frame was older than the one before it, so that all windows were cleared. Frames that
    come late only are to be dropped before: see StampOrder.
    """

    def __init__(self, model: EmotionModel, config: RecognizerConfig | None = None) -> None:
        self.model = model
        self._description = model.folder.description
        self._window = WindowConfig(self._description.window_seconds, self._description.window_frames)
        self.reset()
        self.configure(config or RecognizerConfig())

    def configure(self, config: RecognizerConfig) -> None:
        """Take over the window, threshold and hysteresis of a configuration; windows begin anew if theirs changed."""
        own = self._description
        threshold = own.unknown_threshold if config.unknown_threshold == _OWN else config.unknown_threshold
        self._decision = DecisionConfig(threshold, config.hysteresis)
        self._min_quality = config.min_quality
        seconds = own.window_seconds if config.window_seconds == _OWN else config.window_seconds
        window = WindowConfig(seconds, own.window_frames)
        if window != self._window:
            self._persons.clear()
        self._window = window

    def reset(self) -> None:
        """Forget every person and the last stamp."""
        self._persons: dict[str, _Person] = {}
        self._newest = -math.inf
        self.cleared = False

    def update(self, stamp: float, faces: Sequence[SeenFace]) -> list[Emotion]:
        """Return the emotion of every face of a frame, in the order given; stamp: seconds.

        The encoder runs once, on the crops of these faces only; the head runs once, over all persons.
        """
        return update_together([(self, stamp, faces)])[0]

    def _take_in(self, stamp: float, faces: Sequence[SeenFace], embeddings: Sequence[FloatArray]) -> list[_Person]:
        """Return whose faces these are, with the embedding [D] of each in their windows."""
        self.cleared, self._newest = stamp < self._newest, stamp
        if self.cleared:
            self._persons.clear()
        self._forget_before(stamp - self._window.seconds)
        persons = [self._person(face.id) for face in faces]
        for face, person, embedding in zip(faces, persons, embeddings):
            person.window.add(stamp, embedding, face.quality)
        return persons

    def _person(self, face_id: str) -> _Person:
        if face_id not in self._persons:
            self._persons[face_id] = _Person(FrameWindow(self._window, self.model.encoder.embedding_size))
        return self._persons[face_id]

    def _forget_before(self, stamp: float) -> None:
        gone = [face_id for face_id, person in self._persons.items() if person.window.newest < stamp]
        for face_id in gone:
            del self._persons[face_id]

    def _answer(
        self, face_id: str, person: _Person, probabilities: FloatArray, intensity: float, phase: int
    ) -> Emotion:
        recognisable = person.window.best_quality >= self._min_quality
        person.named = decide(probabilities, person.named, self._decision) if recognisable else None
        secondary = person.secondary = decide_secondary(probabilities, person.named, person.secondary, self._decision)
        valence, arousal = np.clip(probabilities @ VALENCE_AROUSAL, -1.0, 1.0)
        return Emotion(
            face_id=face_id,
            expression=UNKNOWN if person.named is None else EXPRESSIONS[person.named],
            confidence=float(probabilities.max() if person.named is None else probabilities[person.named]),
            probabilities=probabilities,
            valence=float(valence),
            arousal=float(arousal),
            intensity=intensity,
            phase=phase if recognisable else PHASE_UNKNOWN,
            window_seconds=person.window.seconds,
            window_frames=len(person.window),
            secondary="" if secondary is None else EXPRESSIONS[secondary],
            secondary_confidence=0.0 if secondary is None else float(probabilities[secondary]),
        )


def update_together(frames: Sequence[tuple[Recognizer, float, Sequence[SeenFace]]]) -> list[list[Emotion]]:
    """Return what update() of each recognizer returns for its stamp and faces, with one run of the model for all.

    frames: of recognizers of one model, each of them once.
    """
    model = frames[0][0].model
    crops = [face.crop for _, _, faces in frames for face in faces]
    embeddings: Sequence[FloatArray] = list(model.encoder.encode(crops)) if crops else []
    persons: list[_Person] = []
    for recognizer, stamp, faces in frames:
        persons += recognizer._take_in(stamp, faces, embeddings[len(persons) :])
    if not persons:
        return [[] for _ in frames]
    answer = model.head.answer([person.window for person in persons])
    probabilities = calibrated_probabilities(answer.logits, model.folder.description.temperature)
    rows = zip(persons, probabilities, _intensities(answer, probabilities), _phases(answer))
    return [[recognizer._answer(face.id, *next(rows)) for face in faces] for recognizer, _, faces in frames]


def _intensities(answer: HeadAnswer, probabilities: FloatArray) -> list[float]:
    """Return the intensity 0..1 of each person: the head's, else all that is not neutral."""
    if answer.intensity is None:
        return [float(value) for value in 1.0 - probabilities[:, NEUTRAL]]
    return [float(value) for value in np.clip(answer.intensity, 0.0, 1.0)]


def _phases(answer: HeadAnswer) -> list[int]:
    """Return the phase of each person as an index into emotion.PHASES."""
    if answer.phase is None:
        return [PHASE_UNKNOWN] * len(answer.logits)
    return [int(phase) for phase in answer.phase.argmax(axis=1) + 1]
