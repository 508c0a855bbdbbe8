"""The expressions of one person that last, and the transitions between them; flicker is ignored.

What is read from image to image has to be read for a while without a break before it counts. A transition is told when
an expression settles after another one: it begins with the last image in which the old one was read and ends with the
first of those in which the new one was read without a break. Unknown in between, and labels that only pass, do not hide
it; a longer time than `transition_seconds` does, as nobody knows what was between.
"""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.core.labels import UNKNOWN


@dataclass(frozen=True)
class SettleConfig:
    """How stable is stable, in seconds.

    settle_seconds: how long another expression must be read without a break before it counts. unsure_seconds: the same
    for unknown. transition_seconds: longest time between the old and the new expression of a transition.
    """

    settle_seconds: float = 0.5
    unsure_seconds: float = 1.0
    transition_seconds: float = 2.0


@dataclass(frozen=True)
class Transition:
    """One expression turned into another; both by their REP-155 names. begin, end: stamps, seconds; see above."""

    old: str
    new: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long the change took."""
        return self.end - self.begin


@dataclass(frozen=True)
class Settled:
    """The settled expression changed; either may be unknown. transition: None where it is no transition."""

    old: str
    new: str
    transition: Transition | None


class SettledExpression:
    """Follows one person.

    expression: the settled one, a REP-155 name or unknown. since: stamp (s) of the first image that showed it.
    """

    def __init__(self, config: SettleConfig, stamp: float) -> None:
        self._config = config
        self.expression = UNKNOWN
        self.since = stamp
        self._rival: str | None = None
        self._rival_at = stamp
        self._known = UNKNOWN
        self._known_at = stamp

    def interrupt(self) -> None:
        """Note a gap: what was about to settle must be read from the start again."""
        self._rival = None

    def read(self, stamp: float, expression: str) -> Settled | None:
        """Take in the expression read in an image (stamp in seconds, rising); return the change, mostly None."""
        if expression == self._known:
            self._known_at = stamp
        if expression == self.expression:
            self._rival = None
            return None
        if expression != self._rival:
            self._rival, self._rival_at = expression, stamp
        needed = self._config.unsure_seconds if expression == UNKNOWN else self._config.settle_seconds
        return self._settle(expression, stamp) if stamp - self._rival_at >= needed else None

    def _settle(self, expression: str, stamp: float) -> Settled:
        old, self.expression, self.since, self._rival = self.expression, expression, self._rival_at, None
        transition = None
        if self.expression != UNKNOWN:
            if UNKNOWN != self._known != self.expression:
                transition = Transition(self._known, self.expression, self._known_at, self.since)
            self._known, self._known_at = self.expression, stamp
        known = transition is not None and transition.seconds <= self._config.transition_seconds
        return Settled(old, self.expression, transition if known else None)
