"""Whether the word better is allowed, and from which probability on an expression is named."""

import numpy as np
import pytest

from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.evaluation.verdict import clip_verdicts, compare_answers
from dfer_ros.training.head.calibration import threshold_for


def answers(right, count, labels):
    """Answers that are right for the first `right` of some labels."""
    given = labels.copy()
    given[right:] = (labels[right:] + 1) % 7
    return given[:count]


def test_a_gain_that_chance_does_not_explain_is_better():
    labels = np.arange(140) % 7
    verdict = compare_answers("stills", "peer", answers(120, 140, labels), answers(60, 140, labels), labels, 0)
    assert verdict.war == pytest.approx(60 / 140) and verdict.word == "better"
    assert 0 < verdict.uar_interval.low < verdict.uar < verdict.uar_interval.high
    other_way = compare_answers("stills", "peer", answers(60, 140, labels), answers(120, 140, labels), labels, 0)
    assert other_way.word == "worse" and other_way.uar == pytest.approx(-verdict.uar)


def test_a_gain_of_one_clip_cannot_be_told():
    labels = np.arange(21) % 7
    verdict = compare_answers("clips", "peer", answers(15, 21, labels), answers(14, 21, labels), labels, 0)
    assert verdict.uar > 0 and verdict.word == "cannot be told"


def test_what_is_hard_for_both_does_not_widen_the_interval():
    labels = np.arange(70) % 7
    ours, theirs = answers(30, 70, labels), answers(30, 70, labels)
    same = compare_answers("clips", "peer", ours, theirs, labels, 0)
    assert (same.uar_interval.low, same.uar_interval.high) == (0.0, 0.0)


def test_clips_are_compared_by_their_name_whatever_their_order():
    rows = np.eye(7, dtype=np.float32)
    ours = [ClipAnswer(str(label), label, "lab", rows[[label]]) for label in range(7)]
    theirs = [ClipAnswer(str(label), label, "lab", rows[[6 - label]]) for label in reversed(range(7))]
    micro = ClipAnswer("tiny", 1, "lab", rows[[0]], "micro")
    (verdict,) = clip_verdicts([*ours, micro], {"peer": [*theirs, micro]}, 0)
    assert (verdict.count, verdict.war) == (7, pytest.approx(6 / 7))
    assert clip_verdicts([micro], {"peer": [micro]}, 0) == []


def test_the_threshold_is_the_lowest_that_reaches_the_precision():
    confidence = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8], dtype=np.float32)
    probabilities = np.repeat(((1 - confidence) / 6)[:, None], 7, axis=1)
    probabilities[:, 0] = confidence
    labels = np.array([1, 1, 0, 1, 0, 0])
    weights = np.ones(6, np.float32)
    found = threshold_for(probabilities, labels, weights, 0.75)
    assert (found.threshold, found.precision, found.named) == (0.41, 0.75, pytest.approx(4 / 6))
    assert threshold_for(probabilities, labels, weights, 0.5).threshold == pytest.approx(0.2)
    assert threshold_for(probabilities, np.ones(6, np.int64), weights, 0.5) is None
    # What counts more, counts.
    assert threshold_for(probabilities, labels, np.array([1, 1, 1, 9, 1, 1], np.float32), 0.75).threshold > 0.6
