"""What happened to a person in a recording, as events with a begin and a length."""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.person import Person

EXPRESSION, TRANSITION, BLEND = "expression", "transition", "blend"


@dataclass(frozen=True)
class Event:
    """kind: EXPRESSION, TRANSITION or BLEND. expression, other: REP-155 names; other is empty for an EXPRESSION.

    onset: seconds from the start of the recording: see RecordedEmotions.origin. duration: seconds. value: intensity at
    the apex, or the smaller probability of a blend, 0..1; None for a transition.
    """

    kind: str
    expression: str
    other: str
    onset: float
    duration: float
    value: float | None


def events_of(recording: RecordedEmotions, person: Person) -> list[Event]:
    """Return the events of a person, by time."""
    origin = recording.origin
    events = [
        Event(EXPRESSION, one.expression, "", one.onset - origin, one.duration, one.intensity)
        for one in person.episodes
    ]
    events += [Event(TRANSITION, one.old, one.new, one.begin - origin, one.seconds, None) for one in person.transitions]
    events += [
        Event(BLEND, *one.expressions, one.begin - origin, one.duration, min(one.probabilities))
        for one in person.blends
    ]
    return sorted(events, key=lambda event: (event.onset, event.kind, event.expression))
