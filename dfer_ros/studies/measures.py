"""What is followed over sessions: one number for each expression that was shown, or one for the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.recordings.episodes import Episode
from dfer_ros.studies.sessions import Session

ALL = "all"
"""Stands for every expression other than neutral together."""
_DRAWS = 1000


@dataclass(frozen=True)
class Measure:
    """name: of the column. unit: of its values. each: whether every expression shown has a value, else the session.

    logarithm: whether it is judged by its logarithm, so that a change is a factor.
    """

    name: str
    unit: str
    each: bool
    logarithm: bool


INTENSITY = Measure("apex_intensity", "0 to 1", True, False)
ONSET_SPEED = Measure("onset_speed", "1/s", True, True)
OFFSET_SPEED = Measure("offset_speed", "1/s", True, True)
DURATION = Measure("duration", "s", True, True)
PER_MINUTE = Measure("per_minute", "1/min", False, False)
SHARE = Measure("share", "0 to 1", False, False)
MEASURES = (INTENSITY, ONSET_SPEED, OFFSET_SPEED, DURATION, PER_MINUTE, SHARE)


@dataclass(frozen=True, eq=False)
class SessionValues:
    """The values of one measure in one session, for one expression or ALL of them.

    days: since the first session. expressions: [n] of the values. values: [n], in the measure's unit.
    """

    session: str
    days: float
    expression: str
    measure: Measure
    expressions: tuple[str, ...]
    values: Floats

    @property
    def mean(self) -> float:
        """The mean; not a number where there is no value."""
        return float(self.values.mean()) if len(self.values) else float("nan")

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % interval of the mean over its expressions, by bootstrap; NaN for fewer than three of them."""
        if len(self.values) < 3:
            return float("nan"), float("nan")
        chance = np.random.default_rng(seed)
        means = self.values[chance.integers(0, len(self.values), (_DRAWS, len(self.values)))].mean(axis=1)
        low, high = np.percentile(means, (2.5, 97.5)).tolist()
        return low, high


def session_values(sessions: Sequence[Session]) -> list[SessionValues]:
    """Return all measures of sessions, for ALL expressions and for each that was ever shown."""
    shown = {episode.expression for session in sessions for episode in session.person.episodes}
    return [
        _values(session, sessions[0], expression, measure)
        for measure in MEASURES
        for expression in (ALL, *sorted(shown))
        for session in sessions
    ]


def _values(session: Session, first: Session, expression: str, measure: Measure) -> SessionValues:
    episodes = [one for one in session.person.episodes if expression in (ALL, one.expression)]
    if measure.each:
        pairs = [(one.expression, value) for one in episodes for value in [_value(one, measure)] if value is not None]
    else:
        seconds = max(session.person.seen_seconds, 1e-9)
        total = 60 * len(episodes) / seconds if measure is PER_MINUTE else _shown(session, expression) / seconds
        pairs = [(expression, total)]
    return SessionValues(
        session.name,
        (session.begin - first.begin).total_seconds() / 86400,
        expression,
        measure,
        tuple(name for name, _ in pairs),
        np.array([value for _, value in pairs], dtype=np.float64),
    )


def _value(episode: Episode, measure: Measure) -> float | None:
    """Return the value of an expression, None where its begin or end was out of view or it has none."""
    if measure is INTENSITY:
        return episode.intensity
    if measure is ONSET_SPEED:
        return episode.onset_speed
    if measure is OFFSET_SPEED:
        return episode.offset_speed
    return episode.duration if episode.onset_seen and episode.offset_seen else None


def _shown(session: Session, expression: str) -> float:
    figures = session.person.figures
    names = ("neutral", "unknown")
    return sum(
        one.seconds for one in figures if (one.state == expression if expression != ALL else one.state not in names)
    )
