"""The head of the page: what a person should know at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.frame_timing import FrameTiming
from dfer_ros.report.markup import legend, named, swatch, table, text
from dfer_ros.report.person import Person
from dfer_ros.report.portraits import Portrait
from dfer_ros.report.ribbon import ribbon_figure
from dfer_ros.report.study_tables import clock_time
from dfer_ros.report.ticks import time_ticks
from dfer_ros.report.time_bins import TimeAxis, TimeBins, create_axis
from dfer_ros.text.wording import (
    MISSING,
    clock,
    clock_units,
    length,
    listing,
    number,
    pace,
    percent,
    plural,
)

_MOST_BINS = 600
_RIBBON_HEIGHT = 26
_IN_SENTENCE = 3


def overview_section(
    recording: RecordedEmotions,
    shown: Sequence[Person],
    others: Sequence[Person],
    timing: FrameTiming,
    portraits: Mapping[str, Sequence[Portrait]],
) -> str:
    """Return the head of the page.

    shown: those with a section of their own; others: those with a row in a table only. portraits: by face id.
    """
    people = [*shown, *others]
    axis = create_axis(recording.begin, recording.end, recording.interval, _MOST_BINS)
    cards = "".join(
        _card(index, person, TimeBins(person, axis), recording, portraits.get(person.face_id, ()))
        for index, person in enumerate(shown, 1)
    )
    remarks = "".join(f"<li>{text(remark)}</li>" for remark in recording.remarks)
    return (
        f'<header><p class="eyebrow">Facial expressions over time</p><h1>{text(recording.name)}</h1>'
        f'<p class="lead">{_sentences(recording, people)}</p>'
        f"{f'<ul class=remarks>{remarks}</ul>' if remarks else ''}{_tiles(recording, people, timing)}</header>"
        f'<section id="people"><h2>Who was seen, and what was named</h2>{legend()}<div class="cards">{cards}</div>'
        f"{_axis_below(axis) if shown else ''}{_others(others)}</section>"
    )


def _axis_below(axis: TimeAxis) -> str:
    note = f"time from the first frame, {clock_units(axis.seconds)}"
    return f'<div class="axis-below">{time_ticks(axis)}<p class="note">{note}</p></div>'


def _sentences(recording: RecordedEmotions, people: Sequence[Person]) -> str:
    span = length(recording.end - recording.begin)
    if not people:
        return f"Nobody was seen in {span}."
    head = f"{plural(len(people), 'person was', 'people were')} seen in {span}."
    parts = [head, *(_sentence(person, recording) for person in people[:_IN_SENTENCE])]
    more = len(people) - _IN_SENTENCE
    if more > 0:
        parts.append(f"{plural(more, 'more person was', 'more people were')} in view for a shorter time.")
    return " ".join(parts)


def _sentence(person: Person, recording: RecordedEmotions) -> str:
    seen = length(person.seen_seconds)
    presence = "all the time" if seen == length(recording.end - recording.begin) else f"for {seen}"
    name = f"<b>{text(person.face_id)}</b>"
    if not person.ranking:
        return f"{name} was in view {presence}, and no expression was ever sure."
    first, *rest = [figures for figures in person.ranking if figures.share >= 0.05][:3] or person.ranking[:1]
    mostly = f"<b>{first.state}</b> ({percent(first.share)})"
    also = f", also {listing([f'{figures.state} ({percent(figures.share)})' for figures in rest])}" if rest else ""
    unsure = f"unsure {percent(person.unknown.share)} of the time" if person.unknown.share else "never unsure"
    return f"{name} was in view {presence}: mostly {mostly}{also}; {unsure}."


def _tiles(recording: RecordedEmotions, people: Sequence[Person], timing: FrameTiming) -> str:
    begin = clock_time(recording.begin)
    apart = f"{length(sum(person.seen_seconds for person in people))} in view, added up"
    seen = sum(person.seen_seconds for person in people)
    unknown = sum(person.unknown.seconds for person in people)
    tiles = {
        "Length": (length(recording.end - recording.begin), f"{begin:%Y-%m-%d %H:%M:%S} UTC" if begin else ""),
        "People": (f"{len(people):,}", apart if len(people) > 1 else "by face id"),
        "Frames": (f"{timing.frames:,}", f"{pace(timing.interval)}, {percent(timing.missing_share)} missing"),
        "Expressions": (f"{sum(len(person.episodes) for person in people):,}", "other than neutral, onset to offset"),
        "Unknown": (percent(unknown / seen) if seen else MISSING, "of the time in view, nothing was sure"),
    }
    if timing.latencies is not None:
        p50, p95 = (1000 * np.percentile(timing.latencies, (50, 95))).tolist()
        tiles["Latency"] = (f"{p50:.0f} ms", f"median; 95 % within {p95:.0f} ms")
    entries = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b><small>{detail}</small></dd></div>"
        for name, (value, detail) in tiles.items()
    )
    return f'<dl class="tiles">{entries}</dl>'


def _card(
    index: int, person: Person, bins: TimeBins, recording: RecordedEmotions, portraits: Sequence[Portrait]
) -> str:
    name = text(person.face_id)
    first, last = person.visits[0, 0] - recording.begin, person.visits[-1, 1] - recording.begin
    top = person.ranking[0] if person.ranking else None
    headline = f"mostly {top.state}" if top else "never sure"
    mark = swatch(top.state) if top else '<i class="dashes"></i>'
    picture = f'<img src="{portraits[0].data_uri}" alt="Face of {name}" width="72" height="72">' if portraits else ""
    shares = "".join(
        f'<i class="c-{figures.state}" style="flex-grow:{figures.share:.4f}"></i>'
        for figures in (*person.ranking, person.unknown)
        if figures.seconds > 0
    )
    facts = [
        f"in view {length(person.seen_seconds)}, {clock(first)} to {clock(last)}",
        plural(len(person.visits), "visit"),
        plural(len(person.episodes), "expression"),
        f"confidence {number(person.confidence)}" if person.confidence is not None else "no confidence",
        f"unknown {percent(person.unknown.share)}",
    ]
    return (
        f'<a class="card" href="#person-{index}"><span class="who">{picture}<span><b>{name}</b>'
        f'<span class="named">{mark}{headline}</span></span></span><span class="when">'
        f"{ribbon_figure(bins, _RIBBON_HEIGHT, f'When {name} was in view and what was named')}"
        f'<span class="shares">{shares}</span><small>{" · ".join(facts)}</small></span></a>'
    )


def _others(others: Sequence[Person]) -> str:
    if not others:
        return ""
    rows = [
        (
            text(person.face_id),
            length(person.seen_seconds),
            named(person.ranking[0].state) if person.ranking else "unknown",
            percent(person.ranking[0].share) if person.ranking else percent(1.0),
            number(person.confidence),
        )
        for person in others
    ]
    head = ("person", "in view", "mostly", "share", "confidence")
    return (
        f"<details><summary>{plural(len(others), 'more person', 'more people')}, seen for a shorter time</summary>"
        f"{table('People seen for a shorter time', head, rows, words=(2,))}</details>"
    )
