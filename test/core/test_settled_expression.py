"""What settles and what turned into what, in made seconds."""

import pytest

from dfer_ros.core.labels import UNKNOWN
from dfer_ros.core.settled_expression import SettleConfig, SettledExpression

PERIOD = 0.125
CONFIG = SettleConfig(settle_seconds=0.5, unsure_seconds=1.0, transition_seconds=2.0)


def told(*pieces, config=CONFIG):
    """Return what is told, with its stamp, of pieces (expression, seconds) at 8 Hz."""
    follower = SettledExpression(config, 0.0)
    events, stamp = [], 0.0
    for expression, seconds in pieces:
        for _ in range(round(seconds / PERIOD)):
            event = follower.read(stamp, expression)
            events += [(stamp, event)] if event else []
            stamp += PERIOD
    return events


def transitions(*pieces, **options):
    found = [event.transition for _, event in told(*pieces, **options) if event.transition]
    return [(one.old, one.new, one.seconds) for one in found]


def test_one_expression_turns_into_another():
    ((_, first), (stamp, second)) = told(("happy", 1), ("sad", 1))
    assert (first.old, first.new, first.transition) == (UNKNOWN, "happy", None)
    assert (second.old, second.new) == ("happy", "sad")
    assert (second.transition.begin, second.transition.end, stamp) == (0.875, 1.0, 1.5)


@pytest.mark.parametrize("passing", [UNKNOWN, "neutral", "angry"])
def test_what_only_passes_belongs_to_the_change(passing):
    assert transitions(("happy", 1), (passing, 0.375), ("sad", 1)) == [("happy", "sad", 0.5)]


def test_flicker_is_no_change():
    assert transitions(("happy", 1), *[("sad", 0.25), ("happy", 0.125)] * 10, ("happy", 1)) == []


def test_a_change_counts_from_the_last_image_of_the_old_expression():
    flicker = [("sad", 0.25), ("happy", 0.125)] * 2
    assert transitions(("happy", 1), *flicker, ("sad", 1)) == [("happy", "sad", PERIOD)]


def test_unknown_for_a_while_does_not_hide_a_change_and_for_long_it_does():
    assert transitions(("happy", 1), (UNKNOWN, 1.5), ("sad", 1)) == [("happy", "sad", 1.625)]
    assert transitions(("happy", 1), (UNKNOWN, 2.0), ("sad", 1)) == []
    assert transitions(("happy", 1), (UNKNOWN, 1.5), ("happy", 1)) == []


def test_the_first_expression_turned_from_nothing():
    assert transitions(("happy", 3)) == []


def test_a_way_through_neutral_is_two_changes():
    assert transitions(("happy", 1), ("neutral", 1), ("sad", 1)) == [
        ("happy", "neutral", PERIOD),
        ("neutral", "sad", PERIOD),
    ]


def test_a_gap_lets_what_was_about_to_settle_begin_anew():
    follower = SettledExpression(CONFIG, 0.0)
    assert [follower.read(stamp, "happy") for stamp in (0.0, 0.25)] == [None, None]
    follower.interrupt()
    assert follower.read(0.5, "happy") is None
    assert follower.read(1.0, "happy").new == "happy"
