import pytest
from made_answers import LEFT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.comparison.labelled_times import LabelledTime
from dfer_ros.comparison.tolerances import MEASURES, check, verdict

HAPPY = ["happy"] * 100


@pytest.fixture(scope="module")
def comparison():
    """Nine in ten labels agree; 7.5 flips a minute more; one face in ten lost; all labelled happy."""
    new = HAPPY[:80] + ["sad"] * 10 + [None] * 10
    old, new = (made_answers({"face1": (LEFT, course)}, confidence=c) for course, c in ((HAPPY, 0.8), (new, 0.7)))
    return compare_recordings(old, new, [LabelledTime(0.0, 10.0, 1, "", 2)])


VALUES = {
    "min-agreement": 8 / 9,
    "max-flips": 60 / 3.6,
    "max-more-flips": 60 / 3.6,
    "max-lost": 0.1,
    "max-found": 0.0,
    "max-more-unknown": 0.0,
    "max-confidence-shift": 0.1,
    "max-probability-shift": (80 * 0.1 + 10 * (0.8 - 0.05)) / 90,
    "max-valence-shift": 0.0,
    "max-arousal-shift": 0.0,
    "min-accuracy": 0.8,
    "min-uar": 0.8,
    "max-accuracy-drop": 0.2,
    "max-uar-drop": 0.2,
}


def test_every_measure_has_a_value_here():
    assert [measure.name for measure in MEASURES] == list(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_a_bound_is_kept_up_to_the_value_itself_and_no_further(comparison, name):
    (at_value,) = check(comparison, {name: 0.5})
    assert at_value.value == pytest.approx(VALUES[name], abs=1e-9)
    worse = 0.001 if name.startswith("min") else -0.001
    (kept,), (broken,) = (check(comparison, {name: at_value.value + add}) for add in (0.0, worse))
    assert (kept.within, broken.within) == (True, False)


def test_only_the_bounds_given_are_checked_in_a_fixed_order(comparison):
    checks = check(comparison, {"max-lost": 0.5, "min-agreement": 0.5})
    assert [each.measure.name for each in checks] == ["min-agreement", "max-lost"]


def test_the_verdict_names_every_bound_that_is_kept(comparison):
    said = verdict(check(comparison, {"min-agreement": 0.85, "max-lost": 0.2}))
    assert said == "Within tolerance: label agreement 88.8889 % (at least 85 %); answers lost 10 % (at most 20 %)."


def test_the_verdict_names_those_that_are_not_kept(comparison):
    said = verdict(check(comparison, {"min-agreement": 0.95, "max-lost": 0.2, "max-flips": 10.0}))
    assert said == (
        "Beyond tolerance, 2 of 3: label agreement 88.8889 % (at least 95 %); "
        "new flips per minute 16.6667 (at most 10)."
    )


def test_without_bounds_nothing_is_judged():
    assert verdict([]) == "No tolerance was given, so nothing was judged."


def test_what_needs_labels_is_not_checked_without_them():
    old = made_answers({"face1": (LEFT, HAPPY)})
    with pytest.raises(ValueError, match="without"):
        check(compare_recordings(old, old), {"min-uar": 0.5})
