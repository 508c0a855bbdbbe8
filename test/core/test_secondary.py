"""When a face has two names."""

import numpy as np
import pytest

from dfer_ros.core.decision import DecisionConfig, decide_secondary
from dfer_ros.core.labels import LABELS

CONFIG = DecisionConfig(0.35, secondary_threshold=0.3, secondary_hysteresis=0.05)


def secondary(named, before=None, **shares):
    probabilities = np.zeros(7, dtype=np.float32)
    for label, share in shares.items():
        probabilities[LABELS.index(label)] = share
    index = {None: None} | {label: number for number, label in enumerate(LABELS)}
    answer = decide_secondary(probabilities, index[named], index[before], CONFIG)
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
