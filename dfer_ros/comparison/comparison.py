"""What a change of model, parameters or version did to the answers about one recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.comparison.labelled_times import LabelledTime, LabelScore, score_answers
from dfer_ros.comparison.matching import (
    Answers,
    Flags,
    Indices,
    Pairs,
    align_answers,
    match_faces,
    meetings,
)
from dfer_ros.comparison.same_recording import check_same_recording, doubt_same_recording
from dfer_ros.recordings.emotion_track import STATES, UNKNOWN_STATE, Floats, RecordedEmotions
from dfer_ros.recordings.label_runs import transitions

_SAME_RATE = 1.2
"""Ratio of two frame intervals up to which both sides processed the same frames."""


@dataclass(frozen=True)
class SideFigures:
    """What one side answered, over all its faces.

    people: face ids. seconds: that faces were seen, added up over people. flips: changes of the label.
    unknown, confidence, valence, arousal: means over its answers; unknown is the share of those that name nothing.
    """

    name: str
    people: int
    answers: int
    seconds: float
    flips: int
    unknown: float
    confidence: float
    valence: float
    arousal: float

    @property
    def flips_per_minute(self) -> float:
        """Changes of the label in a minute of a seen face."""
        return 60.0 * self.flips / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Shift:
    """How a number moved from old to new, over the pairs: its mean change, mean absolute and largest absolute one."""

    mean: float
    mean_absolute: float
    largest: float


@dataclass(frozen=True)
class FacePair:
    """The faces that are one person on both sides. frames: in which both saw it. agreement: 0..1, of the label."""

    old_id: str
    new_id: str
    frames: int
    agreement: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two answers to one recording.

    old, new: each side for itself. frames: that both processed and in which at least one saw a face.
    pairs: the M answers that both gave. agreement: share of these with the same label; agreement_named: of those to
    which both name an expression, None where there are none. changes: [8, 8] pairs by old (row) and new label, in the
    order of STATES. probability_shift: mean total variation distance of the probabilities, 0..1.
    lost, found: share of one side's answers, in frames that both processed, to which the other has none.
    people: who is who, those seen longest first. scores: of old and new, where there are labels.
    remarks: what a reader should know about the input.
    """

    old: SideFigures
    new: SideFigures
    frames: int
    pairs: Pairs
    agreement: float
    agreement_named: float | None
    changes: Indices
    confidence: Shift
    valence: Shift
    arousal: Shift
    probability_shift: float
    lost: float
    found: float
    people: tuple[FacePair, ...]
    scores: tuple[LabelScore, LabelScore] | None
    remarks: tuple[str, ...]
    old_answers: Answers
    new_answers: Answers


def compare_recordings(old: RecordedEmotions, new: RecordedEmotions, labels: Sequence[LabelledTime] = ()) -> Comparison:
    """Return how the answers of two runs over one recording differ.

    Only pairs are compared: answers about the same face in the same frame; labels judge each side by all faces that
    either side saw.
    Raises DataError where it cannot be one recording, or where the labels do not fit to it.
    """
    old_answers, new_answers = align_answers(old, new)
    met = meetings(old_answers, new_answers)
    check_same_recording(old_answers, new_answers, met)
    pairs = match_faces(old_answers, new_answers, met)
    old_states, new_states = old_answers.states[pairs.old], new_answers.states[pairs.new]
    agree = old_states == new_states
    named = (old_states != UNKNOWN_STATE) & (new_states != UNKNOWN_STATE)
    changes = np.zeros((len(STATES), len(STATES)), dtype=np.int64)
    np.add.at(changes, (old_states, new_states), 1)
    frames = _common_frames(old_answers, new_answers)
    distances = np.abs(new_answers.probabilities[pairs.new] - old_answers.probabilities[pairs.old]).sum(axis=1) / 2
    return Comparison(
        old=_side(old),
        new=_side(new),
        frames=len(frames),
        pairs=pairs,
        agreement=float(agree.mean()),
        agreement_named=float(agree[named].mean()) if named.any() else None,
        changes=changes,
        confidence=_shift(old_answers.confidences[pairs.old], new_answers.confidences[pairs.new]),
        valence=_shift(old_answers.valence[pairs.old], new_answers.valence[pairs.new]),
        arousal=_shift(old_answers.arousal[pairs.old], new_answers.arousal[pairs.new]),
        probability_shift=float(distances.mean()),
        lost=_unpaired(old_answers, frames, pairs.old),
        found=_unpaired(new_answers, frames, pairs.new),
        people=_people(old_answers, new_answers, pairs, agree),
        scores=score_answers(labels, old_answers, new_answers, pairs, frames) if labels else None,
        remarks=_remarks(old_answers, new_answers, pairs),
        old_answers=old_answers,
        new_answers=new_answers,
    )


def _side(recording: RecordedEmotions) -> SideFigures:
    tracks = recording.tracks
    states, confidence, valence, arousal = (
        np.concatenate([getattr(track, name) for track in tracks])
        for name in ("states", "confidences", "valence", "arousal")
    )
    return SideFigures(
        name=recording.name,
        people=len(tracks),
        answers=len(states),
        seconds=sum(float(recording.durations(track).sum()) for track in tracks),
        flips=sum(int(transitions(track, recording.gap_seconds).sum()) for track in tracks),
        unknown=float((states == UNKNOWN_STATE).mean()),
        confidence=float(confidence.mean()),
        valence=float(valence.mean()),
        arousal=float(arousal.mean()),
    )


def _shift(old: Floats, new: Floats) -> Shift:
    change = new - old
    return Shift(float(change.mean()), float(np.abs(change).mean()), float(np.abs(change).max()))


def _same_rate(old: RecordedEmotions, new: RecordedEmotions) -> bool:
    return max(old.interval, new.interval) <= _SAME_RATE * min(old.interval, new.interval)


def _common_frames(old: Answers, new: Answers) -> Indices:
    """Return the numbers of the frames that both sides processed and in which at least one saw a face.

    A file names only frames with a face. Sides of the same frame rate processed the same frames, so where one names a
    frame and the other does not, that one saw nobody. Of other sides it is known only where both name a frame.
    """
    combine = np.union1d if _same_rate(old.recording, new.recording) else np.intersect1d
    common: Indices = combine(old.frames, new.frames)
    return common


def _unpaired(side: Answers, frames: Indices, paired: Indices) -> float:
    considered = np.isin(side.frames, frames)
    alone = considered.copy()
    alone[paired] = False
    return float(alone.sum() / max(considered.sum(), 1))


def _people(old: Answers, new: Answers, pairs: Pairs, agree: Flags) -> tuple[FacePair, ...]:
    tracks, which, counts = np.unique(
        np.stack([old.tracks[pairs.old], new.tracks[pairs.new]]), axis=1, return_inverse=True, return_counts=True
    )
    agreements = np.bincount(which.ravel(), weights=agree) / counts
    people = [
        FacePair(
            old.recording.tracks[first].face_id, new.recording.tracks[second].face_id, int(count), float(agreement)
        )
        for (first, second), count, agreement in zip(tracks.T, counts, agreements)
    ]
    return tuple(sorted(people, key=lambda pair: -pair.frames))


def _remarks(old: Answers, new: Answers, pairs: Pairs) -> tuple[str, ...]:
    remarks = [f"{side.recording.name}: {remark}" for side in (old, new) for remark in side.recording.remarks]
    if not _same_rate(old.recording, new.recording):
        rates = [1.0 / side.recording.interval for side in (old, new)]
        remarks.append(
            f"The frame rates differ ({rates[0]:.3g} and {rates[1]:.3g} Hz): only frames that both name are compared, "
            "and frames in which one side saw nobody are not counted."
        )
    doubt = doubt_same_recording(old, new, pairs)
    return (*remarks, doubt) if doubt else tuple(remarks)
