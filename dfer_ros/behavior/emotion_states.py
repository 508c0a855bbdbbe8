"""The emotions of people as a behaviour wants them: settled, told once when they change, never stale.

Independent of ROS. `now` is the time of the caller's clock, stamps are those of the images, all in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dfer_ros.core.emotion import PHASES, Emotion
from dfer_ros.core.errors import DferError
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.core.settled_expression import SettleConfig, Settled, SettledExpression
from dfer_ros.streams.stamps import CLOCK_TOLERANCE, FrameOrder, StampOrder, UsableStamps


class BehaviorError(DferError):
    """Raised for an impossible request to a listener: an unknown emotion or person, or a wait that could never end."""


@dataclass(frozen=True)
class EmotionStatesConfig:
    """How stable is stable, in seconds.

    settle_seconds: how long another expression must be read without a break before it is the person's emotion.
    unsure_seconds: how long unknown must be read without a break before the emotion is unknown.
    transition_seconds: longest time between two expressions of which one turned into the other.
    stale_seconds: age beyond which an emotion is not current, and a message is not used.
    lost_seconds: age beyond which a face is lost; not less than stale_seconds, and better more than the time for which
    face_detector_node keeps the id of an unseen face.
    Raises BehaviorError for values that cannot be.
    """

    settle_seconds: float = SettleConfig.settle_seconds
    unsure_seconds: float = SettleConfig.unsure_seconds
    transition_seconds: float = SettleConfig.transition_seconds
    stale_seconds: float = 1.0
    lost_seconds: float = 2.0

    def __post_init__(self) -> None:
        least = min(self.settle_seconds, self.unsure_seconds, self.transition_seconds)
        if least < 0.0 or not 0.0 < self.stale_seconds <= self.lost_seconds:
            raise BehaviorError(
                f"{self} cannot be: settle_seconds, unsure_seconds and transition_seconds must be at least 0, "
                "stale_seconds more than 0, and lost_seconds at least stale_seconds."
            )

    @property
    def settle(self) -> SettleConfig:
        """When an expression counts."""
        return SettleConfig(self.settle_seconds, self.unsure_seconds, self.transition_seconds)

    @property
    def settle_blend(self) -> SettleConfig:
        """When a compound expression counts, and when no longer."""
        return SettleConfig(self.settle_seconds, self.settle_seconds)


@dataclass(frozen=True)
class PersonEmotion:
    """The emotion of one person now.

    expression: the settled emotion, a REP-155 name, or unknown. secondary: the other half of a compound expression that
    has settled, else empty; secondary_confidence: its newest probability 0..1. confidence: the newest probability 0..1
    of expression; for unknown, that of the most likely class. valence, arousal (-1..1), intensity (0..1) and phase
    (unknown, neutral, onset, apex or offset) are the newest. held_seconds: since when, in the images, the person has
    this emotion. age: seconds since the newest image of the person. topic: where it came from. person_id: who it is
    by a ROS4HRI person manager; empty where none says so, or nobody asked.
    """

    face_id: str
    expression: str
    confidence: float
    secondary: str
    secondary_confidence: float
    valence: float
    arousal: float
    intensity: float
    phase: str
    held_seconds: float
    age: float
    topic: str
    person_id: str = ""


@dataclass(frozen=True)
class EmotionChanged:
    """Another expression settled. old is unknown at first and after EmotionUnsure; new never is."""

    face_id: str
    old: str
    new: str


@dataclass(frozen=True)
class EmotionUnsure:
    """The emotion of a person who is still in view is no longer known; last is the emotion before."""

    face_id: str
    last: str


@dataclass(frozen=True)
class EmotionTransition:
    """One expression turned into another in `seconds`; neither is unknown. Comes after its EmotionChanged."""

    face_id: str
    old: str
    new: str
    seconds: float


@dataclass(frozen=True)
class EmotionBlended:
    """Beside the expression of a person another one has settled: a compound expression, such as happy and surprised.

    It was read for settle_seconds without a break. Told once; what it became later tells PersonEmotion.secondary.
    """

    face_id: str
    expression: str
    secondary: str


@dataclass(frozen=True)
class FaceLost:
    """A face was not seen for lost_seconds, or time jumped back. Whoever comes under its id is somebody new."""

    face_id: str


_AND = "+"
Event = EmotionChanged | EmotionUnsure | EmotionTransition | EmotionBlended | FaceLost


@dataclass
class _Person:
    """report: the newest. stamp: of its image. taken: the same on the caller's clock, never ahead of it.

    settled: the emotion. blend: the two halves of a compound expression, in one text in the order of EXPRESSIONS.
    """

    report: Emotion
    stamp: float
    taken: float
    settled: SettledExpression
    blend: SettledExpression


class EmotionStates:
    """The people of one topic. Not thread safe.

    jumped_back: whether time jumped back in the last call, so that everybody was lost.
    complaint: a sentence where the last message, or a part of it, could not be used; else None.
    """

    def __init__(self, config: EmotionStatesConfig, topic: str = "") -> None:
        self._config = config
        self._topic = topic
        self._people: dict[str, _Person] = {}
        self._stamps = UsableStamps()
        self._order = StampOrder()
        self._now = float("-inf")
        self.jumped_back = False
        self.complaint: str | None = None

    def update(self, stamp: float, now: float, reports: Sequence[Emotion]) -> list[Event]:
        """Take in what was read in one image and return what happened.

        stamp: of the image, 0 if it has none. reports: one a face; the message dfer_msgs/Emotion serves as well.
        """
        events = self.expire(now)
        stamp = self._stamps.usable(stamp, now)
        if self._order.check(stamp) is FrameOrder.JUMPED_BACK:
            events += self._lose_everybody()
        self.complaint = self._complaint(stamp, now)
        if self.complaint is None:
            for report in reports:
                events += self._take_in(report, stamp, min(stamp, now))
        return events

    def expire(self, now: float) -> list[Event]:
        """Return who was lost by now; to be called a few times a second, whether or not messages come."""
        self.jumped_back, self.complaint = False, None
        before, self._now = self._now, now
        if now < before - CLOCK_TOLERANCE:
            return self._lose_everybody()
        gone = [face_id for face_id, person in self._people.items() if now - person.taken > self._config.lost_seconds]
        for face_id in gone:
            del self._people[face_id]
        return [FaceLost(face_id) for face_id in gone]

    def people(self, now: float) -> list[PersonEmotion]:
        """Return everybody whose emotion is current: not too old, nor of the future where the clock was set back."""
        ages = {face_id: now - person.taken for face_id, person in self._people.items()}
        current = [face_id for face_id, age in ages.items() if -CLOCK_TOLERANCE <= age <= self._config.stale_seconds]
        return [self._answer(self._people[face_id], max(0.0, ages[face_id])) for face_id in current]

    def _complaint(self, stamp: float, now: float) -> str | None:
        """Return why a message tells nothing about now, or None if it does."""
        if now <= 0.0:
            return f"{self._topic} is not used: use_sim_time is set, but /clock has not started."
        if now - stamp > self._config.stale_seconds:
            return (
                f"{self._topic} is not used: its images are {now - stamp:.1f} s old when they arrive. A recording is "
                "replayed with --clock and use_sim_time; the clocks of several computers must agree."
            )
        return None

    def _take_in(self, report: Emotion, stamp: float, taken: float) -> list[Event]:
        known = report.expression in EXPRESSIONS if report.secondary else report.expression in (*EXPRESSIONS, UNKNOWN)
        if not known or report.phase >= len(PHASES):
            self.complaint = f"{self._topic} says {report.expression!r}, phase {report.phase}: it is not dfer_node's."
            return []
        person = self._people.get(report.face_id)
        if person is None:
            settled = SettledExpression(self._config.settle, stamp)
            blend = SettledExpression(self._config.settle_blend, stamp)
            person = self._people[report.face_id] = _Person(report, stamp, taken, settled, blend)
        elif stamp <= person.stamp:
            return []
        elif stamp - person.stamp > self._config.stale_seconds:
            person.settled.interrupt()
            person.blend.interrupt()
        person.report, person.stamp, person.taken = report, stamp, taken
        events = _events(report.face_id, person.settled.read(stamp, report.expression))
        if person.blend.read(stamp, _blend(report)) and report.secondary:
            events.append(EmotionBlended(report.face_id, report.expression, report.secondary))
        return events

    def _lose_everybody(self) -> list[Event]:
        self.jumped_back = self.jumped_back or bool(self._people)
        lost: list[Event] = [FaceLost(face_id) for face_id in self._people]
        self._people.clear()
        return lost

    def _answer(self, person: _Person, age: float) -> PersonEmotion:
        report = person.report
        expression = person.settled.expression
        named = EXPRESSIONS.index(expression) if expression in EXPRESSIONS else None
        halves = [half for half in person.blend.expression.split(_AND) if half != UNKNOWN]
        secondary = next((half for half in halves if expression in halves and half != expression), "")
        return PersonEmotion(
            face_id=report.face_id,
            expression=expression,
            confidence=float(max(report.probabilities) if named is None else report.probabilities[named]),
            secondary=secondary,
            secondary_confidence=float(report.probabilities[EXPRESSIONS.index(secondary)]) if secondary else 0.0,
            valence=report.valence,
            arousal=report.arousal,
            intensity=report.intensity,
            phase=PHASES[report.phase],
            held_seconds=person.stamp - person.settled.since,
            age=age,
            topic=self._topic,
        )


def _events(face_id: str, settled: Settled | None) -> list[Event]:
    if settled is None:
        return []
    if settled.new == UNKNOWN:
        return [EmotionUnsure(face_id, settled.old)]
    changed = EmotionChanged(face_id, settled.old, settled.new)
    transition = settled.transition
    if transition is None:
        return [changed]
    return [changed, EmotionTransition(face_id, transition.old, transition.new, transition.seconds)]


def _blend(report: Emotion) -> str:
    """Return both halves of a compound expression, whichever is named first; unknown where there is none."""
    halves = (report.expression, report.secondary)
    return _AND.join(sorted(halves, key=EXPRESSIONS.index)) if report.secondary in EXPRESSIONS else UNKNOWN
