"""The figures of a recording as rows for studies: comma-separated, one header, units in the names of the columns."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from dfer_ros.recordings.emotion_track import FIRST_CLOCK_TIME, RecordedEmotions
from dfer_ros.report.person import Person
from dfer_ros.text.tables import csv_text

LONGITUDINAL_COLUMNS = (
    "recording",
    "begin_utc",
    "face_id",
    "expression",
    "seen_seconds",
    "seconds",
    "share",
    "episodes",
    "episodes_per_minute",
    "mean_duration_seconds",
    "mean_intensity",
    "mean_apex_intensity",
    "median_onset_speed_per_second",
    "mean_confidence",
)
EPISODE_COLUMNS = (
    "recording",
    "face_id",
    "expression",
    "onset_seconds",
    "apex_seconds",
    "offset_seconds",
    "duration_seconds",
    "onset_seen",
    "offset_seen",
    "apex_intensity",
    "onset_speed_per_second",
    "mean_confidence",
)

DIGITS = 5
"""Of numbers in the files for studies."""


def longitudinal_table(recording: RecordedEmotions, people: Sequence[Person]) -> str:
    """Return the CSV text with one row for each person and state: the seven expressions and unknown.

    Files of several recordings can be put one below the other. An empty cell: there is no such figure.
    """
    begin = clock_time(recording.begin)
    return csv_text(
        LONGITUDINAL_COLUMNS,
        (
            (
                recording.name,
                begin.isoformat(timespec="seconds") if begin else "",
                person.face_id,
                figures.state,
                person.seen_seconds,
                figures.seconds,
                figures.share,
                figures.episodes,
                60 * figures.episodes / max(person.seen_seconds, 1e-9),
                figures.mean_duration,
                figures.mean_intensity,
                figures.apex_intensity,
                figures.onset_speed,
                figures.confidence,
            )
            for person in people
            for figures in person.figures
        ),
        DIGITS,
    )


def episode_table(recording: RecordedEmotions, people: Sequence[Person]) -> str:
    """Return the CSV text with one row for each expression of each person; seconds count from recording.origin."""
    return csv_text(
        EPISODE_COLUMNS,
        (
            (
                recording.name,
                person.face_id,
                episode.expression,
                episode.onset - recording.origin,
                episode.apex - recording.origin,
                episode.offset - recording.origin,
                episode.duration,
                episode.onset_seen,
                episode.offset_seen,
                episode.intensity,
                episode.onset_speed,
                episode.confidence,
            )
            for person in people
            for episode in person.episodes
        ),
        DIGITS,
    )


def clock_time(stamp: float) -> datetime.datetime | None:
    """Return the time (UTC) that a stamp tells; None where it does not count from 1970."""
    if not FIRST_CLOCK_TIME <= stamp < 1e11:
        return None
    return datetime.datetime.fromtimestamp(stamp, tz=datetime.timezone.utc)
