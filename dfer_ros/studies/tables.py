"""Sessions and events as tidy tables: one value a row, one header, for pandas and R."""

from __future__ import annotations

from collections.abc import Sequence

from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.person import Person
from dfer_ros.report.study_tables import DIGITS
from dfer_ros.studies.events import Event, events_of
from dfer_ros.studies.measures import SessionValues
from dfer_ros.studies.sessions import Session
from dfer_ros.text.tables import csv_text

SESSION_COLUMNS = (
    "person",
    "session",
    "begin_utc",
    "days",
    "expression",
    "measure",
    "unit",
    "values",
    "mean",
    "low_95",
    "high_95",
)
EVENT_COLUMNS = ("recording", "person", "event", "expression", "other", "onset_seconds", "duration_seconds", "value")


def session_table(name: str, sessions: Sequence[Session], values: Sequence[SessionValues]) -> str:
    """Return the CSV text with a row for each session, expression and measure; an empty cell: there is no value."""
    begins = {session.name: session.begin.isoformat(timespec="seconds") for session in sessions}
    return csv_text(
        SESSION_COLUMNS,
        (
            (
                name,
                value.session,
                begins[value.session],
                value.days,
                value.expression,
                value.measure.name,
                value.measure.unit,
                len(value.values),
                *(None if number != number else number for number in (value.mean, *value.interval())),
            )
            for value in values
        ),
        DIGITS,
    )


def event_table(recording: RecordedEmotions, people: Sequence[Person]) -> str:
    """Return the CSV text with a row for each event of each person, by time; see events.Event."""
    return csv_text(
        EVENT_COLUMNS,
        (
            (
                recording.name,
                person.face_id,
                event.kind,
                event.expression,
                event.other,
                event.onset,
                event.duration,
                event.value,
            )
            for person in people
            for event in events_of(recording, person)
        ),
        DIGITS,
    )


def bids_events(recording: RecordedEmotions, person: Person) -> str:
    """Return the text of a BIDS events file (tab-separated, onset and duration in seconds first) of one person."""
    rows = [
        (f"{event.onset:.3f}", f"{event.duration:.3f}", trial_type(event), person.face_id, _number(event))
        for event in events_of(recording, person)
    ]
    lines = [("onset", "duration", "trial_type", "face_id", "value"), *rows]
    return "".join("\t".join(line) + "\n" for line in lines)


def trial_type(event: Event) -> str:
    """Return the name of an event: expression/happy, transition/happy/sad, blend/happy/surprised."""
    return "/".join(part for part in (event.kind, event.expression, event.other) if part)


BIDS_COLUMNS = {
    "onset": {
        "Description": "Begin of the event, from the start of the video, or the first frame of a bag",
        "Units": "s",
    },
    "duration": {"Description": "Length of the event", "Units": "s"},
    "trial_type": {
        "LongName": "What happened",
        "Description": "expression/<name>: from onset to offset. transition/<old>/<new>: one settled expression turned "
        "into another. blend/<one>/<other>: two expressions at once. Names are those of REP-155.",
    },
    "face_id": {"Description": "Who, by the id of the face"},
    "value": {"Description": "Intensity at the apex of an expression, smaller probability of a blend, 0 to 1"},
}
"""What a BIDS events.json says of the columns."""


def _number(event: Event) -> str:
    return "n/a" if event.value is None else f"{event.value:.4f}"
