"""Several participants: the table that a paper prints, mean and standard deviation over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN
from dfer_ros.report.person import Person
from dfer_ros.report.study_tables import DIGITS
from dfer_ros.text.tables import csv_text, markdown_table, table_of
from dfer_ros.text.wording import MISSING

PARTICIPANT_COLUMNS = (
    "expression",
    "participants",
    "shown_by",
    "share_mean",
    "share_sd",
    "per_minute_mean",
    "per_minute_sd",
    "intensity_mean",
    "intensity_sd",
    "duration_mean",
    "duration_sd",
    "onset_speed_mean",
    "onset_speed_sd",
)


@dataclass(frozen=True, eq=False)
class Participant:
    """name: of the file. person: who was seen longest in it."""

    name: str
    person: Person


@dataclass(frozen=True)
class ExpressionSummary:
    """One expression over participants, each of whom counts once.

    shown_by: how many showed it. The others are mean and standard deviation over participants: share of the time in
    view, times per minute, and, over those who showed it, intensity at the apex (0..1), duration (s), onset speed
    (1/s); None where nobody did, or one for the deviation.
    """

    expression: str
    participants: int
    shown_by: int
    share: tuple[float | None, float | None]
    per_minute: tuple[float | None, float | None]
    intensity: tuple[float | None, float | None]
    duration: tuple[float | None, float | None]
    onset_speed: tuple[float | None, float | None]


def summarise(participants: Sequence[Participant]) -> list[ExpressionSummary]:
    """Return a row for each expression and unknown."""
    return [_summary(participants, index, name) for index, name in enumerate((*EXPRESSIONS, UNKNOWN))]


def participant_table(summaries: Sequence[ExpressionSummary]) -> str:
    """Return the summaries as CSV text."""
    return csv_text(
        PARTICIPANT_COLUMNS,
        (
            (
                one.expression,
                one.participants,
                one.shown_by,
                *one.share,
                *one.per_minute,
                *one.intensity,
                *one.duration,
                *one.onset_speed,
            )
            for one in summaries
        ),
        DIGITS,
    )


def paper_table(summaries: Sequence[ExpressionSummary]) -> str:
    """Return the table in Markdown as a paper prints it: M (SD)."""
    head = ("Expression", "Shown by", "Time (%)", "Per minute", "Intensity", "Duration (s)", "Onset speed (1/s)")
    rows = [
        (
            one.expression,
            f"{one.shown_by}/{one.participants}",
            _printed(one.share, 100, 1),
            _printed(one.per_minute, 1, 1),
            _printed(one.intensity, 1, 2),
            _printed(one.duration, 1, 2),
            _printed(one.onset_speed, 1, 2),
        )
        for one in summaries
    ]
    return markdown_table(table_of(head, rows, words=len(head))) + (
        f"\nMean (standard deviation) over {summaries[0].participants} participants, each counted once; intensity, "
        "duration and onset speed over those who showed the expression.\n"
    )


def _summary(participants: Sequence[Participant], index: int, name: str) -> ExpressionSummary:
    figures = [one.person.figures[index] for one in participants]
    minutes = [max(one.person.seen_seconds, 1e-9) / 60 for one in participants]
    return ExpressionSummary(
        name,
        len(participants),
        sum(one.seconds > 0 for one in figures),
        _mean_sd([one.share for one in figures]),
        _mean_sd([one.episodes / time for one, time in zip(figures, minutes)]),
        _mean_sd([one.apex_intensity for one in figures]),
        _mean_sd([one.mean_duration for one in figures]),
        _mean_sd([one.onset_speed for one in figures]),
    )


def _mean_sd(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    return (
        float(known.mean()) if len(known) else None,
        float(known.std(ddof=1)) if len(known) > 1 else None,
    )


def _printed(figures: tuple[float | None, float | None], scale: float, digits: int) -> str:
    mean, deviation = figures
    if mean is None:
        return MISSING
    return f"{scale * mean:.{digits}f}" + ("" if deviation is None else f" ({scale * deviation:.{digits}f})")
