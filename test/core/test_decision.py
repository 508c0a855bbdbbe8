import itertools

import numpy as np
import pytest

from dfer_ros.core.decision import DecisionConfig, calibrated_probabilities, decide, decide_secondary
from dfer_ros.core.labels import LABELS

CONFIG = DecisionConfig(unknown_threshold=0.35, hysteresis=0.1)
HAPPY, SAD = 1, 2


def shares(**named):
    """Return probabilities [7] with those of happy and sad as given, the rest spread over the others."""
    probabilities = np.zeros(7, np.float32)
    probabilities[HAPPY], probabilities[SAD] = named.get("happy", 0.0), named.get("sad", 0.0)
    probabilities[[0, 3, 4, 5, 6]] = (1 - probabilities.sum()) / 5
    return probabilities


def decided(sequence, config=CONFIG):
    named, answers = None, []
    for probabilities in sequence:
        named = decide(probabilities, named, config)
        answers.append(named)
    return answers


@pytest.mark.parametrize("temperature", [0.2, 0.863, 1.0, 5.0])
def test_probabilities_are_the_softmax_of_scaled_logits(temperature):
    logits = np.random.default_rng(0).normal(0, 3, (5, 7)).astype(np.float32)
    expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=1, keepdims=True)
    probabilities = calibrated_probabilities(logits, temperature)
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert probabilities.dtype == np.float32


def test_huge_logits_do_not_overflow():
    probabilities = calibrated_probabilities(np.array([[1e4, 0, 0, 0, 0, 0, -1e4]], np.float32), 0.5)
    assert probabilities[0].tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_the_default_hysteresis_is_a_tenth():
    assert DecisionConfig(0.35).hysteresis == 0.1


@pytest.mark.parametrize(("probability", "named"), [(0.34, None), (0.44, None), (0.46, HAPPY), (0.9, HAPPY)])
def test_after_unknown_a_class_needs_the_threshold_and_the_hysteresis(probability, named):
    assert decide(shares(happy=probability), None, CONFIG) == named


@pytest.mark.parametrize(("probability", "named"), [(0.44, HAPPY), (0.36, HAPPY), (0.34, None), (0.2, None)])
def test_a_named_class_stays_down_to_the_threshold(probability, named):
    assert decide(shares(happy=probability), HAPPY, CONFIG) == named


@pytest.mark.parametrize(
    ("happy", "sad", "named"), [(0.40, 0.45, HAPPY), (0.40, 0.49, HAPPY), (0.40, 0.51, SAD), (0.36, 0.60, SAD)]
)
def test_another_class_takes_over_when_it_is_more_likely_by_the_hysteresis(happy, sad, named):
    assert decide(shares(happy=happy, sad=sad), HAPPY, CONFIG) == named


@pytest.mark.parametrize(("sad", "named"), [(0.36, SAD), (0.5, SAD), (0.34, None)])
def test_a_class_follows_at_once_on_one_that_fell_below_the_threshold(sad, named):
    assert decide(shares(happy=0.2, sad=sad), HAPPY, CONFIG) == named


def test_without_hysteresis_the_most_likely_class_is_named():
    config = DecisionConfig(0.35, 0.0)
    assert decide(shares(happy=0.40, sad=0.41), HAPPY, config) == SAD
    assert decide(shares(happy=0.36), None, config) == HAPPY


def test_with_a_threshold_of_zero_a_class_is_always_named():
    assert decide(np.full(7, 1 / 7, np.float32), None, DecisionConfig(0.0, 0.0)) == 0


def test_with_a_threshold_of_one_only_certainty_is_named():
    config = DecisionConfig(1.0)
    assert decide(shares(happy=0.999), None, config) is None
    assert decide(shares(happy=1.0), None, config) == HAPPY
    assert decide(shares(happy=0.999), HAPPY, config) is None


@pytest.mark.parametrize("threshold", [0.2, 0.35, 0.6])
@pytest.mark.parametrize("hysteresis", [0.0, 0.1, 0.3])
def test_a_named_class_always_has_at_least_the_probability_of_the_threshold(threshold, hysteresis):
    rng = np.random.default_rng(1)
    config = DecisionConfig(threshold, hysteresis)
    sequence = rng.dirichlet(np.full(7, 0.15), 3000).astype(np.float32)
    answers = decided(sequence, config)
    named = [(row, answer) for row, answer in zip(sequence, answers) if answer is not None]
    assert len(named) > 100
    assert all(row[answer] >= threshold for row, answer in named)


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_of_nearly_equal_probability_do_not_flicker(seed):
    noise = np.random.default_rng(seed).uniform(-0.04, 0.04, 500)
    sequence = [shares(happy=0.46)] + [shares(happy=0.42 + n, sad=0.42 - n) for n in noise]
    assert sum(row.argmax() == SAD for row in sequence) > 150
    assert set(decided(sequence)) == {HAPPY}


@pytest.mark.parametrize("seed", range(5))
def test_a_probability_just_above_the_threshold_does_not_flicker_with_unknown(seed):
    noise = np.random.default_rng(seed).uniform(-0.04, 0.04, 500)
    assert set(decided([shares(happy=0.4 + n) for n in noise])) == {None}
    assert set(decided([shares(happy=0.5)] + [shares(happy=0.4 + n) for n in noise])) == {HAPPY}


def test_a_real_change_is_followed():
    rise = np.linspace(0, 1, 41)
    answers = decided([shares(happy=0.9 * (1 - s), sad=0.9 * s) for s in rise])
    assert answers[0] == HAPPY
    assert answers[-1] == SAD
    assert sum(a != b for a, b in itertools.pairwise(answers)) == 1


SECONDARY_CONFIG = DecisionConfig(0.35, secondary_threshold=0.3, secondary_hysteresis=0.05)


def secondary(named, before=None, **shares):
    probabilities = np.zeros(7, dtype=np.float32)
    for label, share in shares.items():
        probabilities[LABELS.index(label)] = share
    index = {None: None} | {label: number for number, label in enumerate(LABELS)}
    answer = decide_secondary(probabilities, index[named], index[before], SECONDARY_CONFIG)
    return None if answer is None else LABELS[answer]


def test_two_likely_expressions_have_two_names_whichever_is_named_first():
    assert secondary("happy", happy=0.5, surprise=0.4, neutral=0.1) == "surprise"
    assert secondary("surprise", happy=0.5, surprise=0.4, neutral=0.1) == "happy"


@pytest.mark.parametrize("named", [None, "neutral"])
def test_who_is_unknown_or_neutral_has_no_second_name(named):
    assert secondary(named, neutral=0.4, happy=0.3, surprise=0.3) is None


def test_neutral_is_no_second_name():
    assert secondary("happy", happy=0.5, neutral=0.5) is None


def test_what_is_not_likely_enough_is_none_and_stays_a_little_longer():
    assert secondary("happy", happy=0.6, surprise=0.28) is None
    assert secondary("happy", "surprise", happy=0.6, surprise=0.28) == "surprise"
    assert secondary("happy", "surprise", happy=0.6, surprise=0.24) is None
    assert secondary("happy", "fear", happy=0.6, surprise=0.28) is None
