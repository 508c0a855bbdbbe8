"""What others read in a face, beside what we do: the same aligned crops of the made clip, in one run, one thread.

How often they are right on labelled faces is for `dfer evaluate --peers`; here it is time, and how steady they are.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import ModelError
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.faces import Face, Image, SeenFace
from dfer_ros.core.labels import LABELS
from dfer_ros.core.latency import BLOCKS, median_milliseconds
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import open_model_folder
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.demo_clip import FPS, UNHAPPY_FROM_SECONDS, demo_frames

if TYPE_CHECKING:
    from dfer_ros.training.experiments.peers import Peer

SeenFrame = tuple[float, list[Face]]
"""Stamp in seconds and the faces of a frame."""
Answers = Mapping[str, Sequence[tuple[float, str]]]
"""What was read in each person: stamp in seconds and label, by face id."""


@dataclass(frozen=True)
class PeerResult:
    """A model on the made clip. ms: median time of one face of one frame, from aligned crop to probabilities.

    times: ms over that of our first model. changes_per_minute: of the label of a person.
    smiles: share 0..1 of the frames with a smiling face that are named happy. None, all of them, where the peer is not
    here, and problem says why.
    """

    model: str
    temporal: bool
    ms: float | None = None
    times: float | None = None
    changes_per_minute: float | None = None
    smiles: float | None = None
    problem: str = ""


def measure_peers(model: str, console: Console, blocks: Sequence[int] = BLOCKS) -> list[PeerResult]:
    """Return our model by precision, the smallest first, and every peer."""
    frames = _seen(console)
    crop = next(face.aligned for _, faces in frames for face in faces)
    calls: dict[str, Callable[[], object]] = {}
    answers: dict[str, Answers] = {}
    problems: dict[str, str] = {}
    for precision in reversed(open_model_folder(model).precisions):
        loaded = EmotionModel(EmotionModelConfig(model, precision))
        name = f"{loaded.folder.path.name} {precision} (ours)"
        calls[name] = _our_answer(loaded, crop)
        answers[name] = _our_answers(loaded, frames)
    ours = set(calls)
    for peer in _peers(problems):
        calls[peer.name] = _theirs(peer.probabilities, crop)
        answers[peer.name] = _their_answers(peer.probabilities, frames)
    medians = median_milliseconds(calls, track(blocks, description="time", console=console, transient=True))
    first = next(iter(medians))
    results = [
        PeerResult(
            name,
            name in ours,
            medians[name],
            medians[name] / medians[first],
            changes_per_minute(answers[name]),
            share_of_smiles(answers[name]),
        )
        for name in calls
    ]
    return results + [PeerResult(name, False, problem=why) for name, why in problems.items()]


def changes_per_minute(answers: Answers) -> float:
    """Return how often the label of a person changed, per minute that persons were seen."""
    changes = sum(before != after for row in answers.values() for (_, before), (_, after) in itertools.pairwise(row))
    minutes = sum(len(row) for row in answers.values()) / FPS / 60.0
    return changes / minutes


def share_of_smiles(answers: Answers) -> float:
    """Return the share 0..1 of answers that are `happy`, over the part of the clip in which all who are seen smile."""
    labels = [label for row in answers.values() for stamp, label in row if stamp < UNHAPPY_FROM_SECONDS]
    return labels.count("happy") / len(labels)


def _peers(problems: dict[str, str]) -> Iterator[Peer]:
    """Yield the peers that are here; why others are not goes into problems by their name."""
    try:
        from dfer_ros.training.experiments.peers import PEERS, load_peer
    except ImportError as error:
        problems["other people's models"] = f"they are read with the extra `train` of this package ({error})"
        return
    for name in PEERS:
        try:
            yield load_peer(name)
        except ModelError as error:
            problems[name] = str(error)


def _seen(console: Console) -> list[SeenFrame]:
    """Return the faces of the made clip, frame by frame."""
    pipeline = FacePipeline(create_detector(DetectorConfig()), TrackerConfig())
    frames = track(list(demo_frames()), description="faces of the clip", console=console, transient=True)
    return [(index / FPS, pipeline.process(image, index / FPS)) for index, image in enumerate(frames)]


def _our_answer(model: EmotionModel, crop: Image) -> Callable[[], object]:
    """Return a function that answers one more frame of a person whose window is full."""
    recognizer = Recognizer(model)
    stamps = iter(np.arange(1, 1_000_000) / FPS)

    def answer() -> object:
        return recognizer.update(float(next(stamps)), [SeenFace("f", crop, 1.0)])

    for _ in range(round(model.folder.description.window_seconds * FPS)):
        answer()
    return answer


def _theirs(probabilities: Callable[[Sequence[Image]], object], crop: Image) -> Callable[[], object]:
    return lambda: probabilities([crop])


def _our_answers(model: EmotionModel, frames: Sequence[SeenFrame]) -> Answers:
    recognizer = Recognizer(model)
    answers: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for stamp, faces in frames:
        for emotion in recognizer.update(stamp, [face.seen for face in faces]):
            answers[emotion.face_id].append((stamp, emotion.expression))
    return answers


def _their_answers(
    probabilities: Callable[[Sequence[Image]], np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
    frames: Sequence[SeenFrame],
) -> Answers:
    answers: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for stamp, faces in frames:
        if faces:
            best = probabilities([face.aligned for face in faces]).argmax(axis=1)
            for face, index in zip(faces, best):
                answers[face.id].append((stamp, LABELS[index]))
    return answers
