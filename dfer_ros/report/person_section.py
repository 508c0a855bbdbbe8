"""The section of one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.episodes import Episode
from dfer_ros.recordings.label_runs import transition_counts
from dfer_ros.report.affect_plane import affect_plane
from dfer_ros.report.markup import bar, named, table, text
from dfer_ros.report.person import HeadFigures, Person
from dfer_ros.report.portraits import Portrait
from dfer_ros.report.time_bins import TimeBins
from dfer_ros.report.timeline import timeline
from dfer_ros.text.wording import MISSING, clock, clock_units, length, number, percent, plural

_CHANGES = "settled expressions: how often, and the median time it took; stronger: a larger part of the row"
_BLENDS = "two expressions other than neutral share the probability"

_HEAD = "degrees; yaw: to the person's left, pitch: nose down, roll: to the person's right shoulder"


def person_section(
    index: int, bins: TimeBins, recording: RecordedEmotions, portraits: Sequence[Portrait], most_rows: int
) -> str:
    """Return the section of a person.

    index: from 1 on. most_rows: most expressions, and most blends, that are listed one by one.
    """
    person = bins.person
    note = "each row from 0 to 1, valence and arousal from &minus;1 to 1; strong: mean, pale: highest behind a pixel"
    name = text(person.face_id)
    return (
        f'<section class="person" id="person-{index}"><h2>{name}</h2>{_strip(portraits, recording)}'
        f"<h3>Over time <small>{note}</small></h3>{timeline(bins)}"
        f'<div class="columns">{_panel("Time per expression", "", _time_table(person))}'
        f"{_panel('Valence and arousal', 'pale to strong: begin to end', affect_plane(bins))}</div>"
        f'<div class="columns even">{_panel("What turned into what", _CHANGES, _transition_table(person))}'
        f"{_panel('Two at once', _BLENDS, _blend_table(person, recording, most_rows))}</div>"
        f"{_panel('Head', _HEAD, _head_table(person, person.head)) if person.head else ''}"
        f"{_episode_details(person, recording, most_rows)}</section>"
    )


def _panel(title: str, note: str, content: str) -> str:
    return f'<div class="panel"><h3>{title} <small>{note}</small></h3>{content}</div>'


def _strip(portraits: Sequence[Portrait], recording: RecordedEmotions) -> str:
    if not portraits:
        return ""
    pictures = "".join(
        f'<li><img src="{portrait.data_uri}" alt="{text(portrait.moment.face_id)}, {portrait.moment.state}" width="96" '
        f'height="96">{named(portrait.moment.state)}'
        f"<small>{clock(portrait.moment.stamp - recording.begin, 1)}</small></li>"
        for portrait in portraits
    )
    return f'<ul class="strip" aria-label="Faces at the strongest moment of each expression">{pictures}</ul>'


def _time_table(person: Person) -> str:
    longest = max(figures.seconds for figures in person.figures)
    head = (
        "label",
        "share",
        f"time<small>{clock_units(longest)}</small>",
        "expressions",
        "duration<small>mean</small>",
        "intensity<small>mean, 0 to 1</small>",
        "onset speed<small>median, 1/s</small>",
        "confidence<small>mean</small>",
    )
    rows = [
        (
            named(figures.state),
            bar(figures.share, percent(figures.share), figures.state),
            clock(figures.seconds, 0 if longest >= 3600 else 1),
            f"{figures.episodes:,}" if figures.episodes else MISSING,
            MISSING if figures.mean_duration is None else length(figures.mean_duration),
            number(figures.mean_intensity),
            number(figures.onset_speed),
            number(figures.confidence),
        )
        for figures in person.figures
    ]
    return table(f"Time per expression of {text(person.face_id)}", head, rows, "figures")


def _transition_table(person: Person) -> str:
    changes = plural(person.label_changes, "change")
    if not person.transitions:
        words = "No expression turned into another" if person.label_changes else "The label never changed"
        flicker = f" in {changes} of the label" if person.label_changes else ""
        return f'<p class="none">{words}{flicker}.</p>'
    counts, seconds = transition_counts(person.transitions)
    totals = counts.sum(axis=1)
    used = np.flatnonzero(counts.any(axis=0) | counts.any(axis=1)).tolist()
    rows = [
        (
            named(STATES[row]),
            *(
                _transition_cell(int(counts[row, column]), int(totals[row]), float(seconds[row, column]), row == column)
                for column in used
            ),
            f"{totals[row]:,}",
        )
        for row in used
    ]
    head = ("from \\ to", *(f'<span class="tall">{named(STATES[column])}</span>' for column in used), "all")
    note = f"{plural(len(person.transitions), 'transition')} in {changes} of the label from one frame to the next."
    return (
        f"{table(f'How often an expression turned into another, {text(person.face_id)}', head, rows, 'matrix')}"
        f"<p>{note}</p>"
    )


def _transition_cell(count: int, total: int, seconds: float, same: bool) -> str:
    if same or not count:
        return f'<span class="cell">{MISSING if same else ""}</span>'
    return (
        f'<span class="cell" style="--share:{count / total:.2f}" title="{percent(count / total)}">{count:,}'
        f"<small>{length(seconds)}</small></span>"
    )


def _blend_table(person: Person, recording: RecordedEmotions, most_rows: int) -> str:
    if not person.blends:
        return '<p class="none">No two expressions shared the probability.</p>'
    pairs: dict[tuple[str, ...], list[float]] = {}
    for blend in person.blends:
        pairs.setdefault(tuple(sorted(blend.expressions, key=STATES.index)), []).append(blend.duration)
    ranked = sorted(pairs.items(), key=lambda item: -sum(item[1]))
    rows = [(" + ".join(named(name) for name in pair), f"{len(times):,}", length(sum(times))) for pair, times in ranked]
    longest = sorted(person.blends, key=lambda blend: -blend.duration)[:most_rows]
    details = [
        (
            clock(blend.begin - recording.begin, 1),
            length(blend.duration),
            f"{named(blend.expressions[0])} {percent(blend.probabilities[0])}",
            f"{named(blend.expressions[1])} {percent(blend.probabilities[1])}",
        )
        for blend in sorted(longest, key=lambda blend: blend.begin)
    ]
    title = "One by one" if len(longest) == len(person.blends) else f"The {len(longest)} longest, one by one"
    name = text(person.face_id)
    return (
        f"{table(f'Pairs of expressions at once, {name}', ('pair', 'times', 'together'), rows)}<details>"
        f"<summary>{title}</summary>"
        f"{table(f'Each blend of {name}', ('begin', 'duration', 'first', 'second'), details, words=(2, 3))}</details>"
    )


def _head_table(person: Person, head: HeadFigures) -> str:
    columns = ("angle", "10 % below", "median", "10 % above")
    rows = [
        (name, *(str(round(angle)) for angle in angles))
        for name, angles in (("yaw", head.yaw), ("pitch", head.pitch), ("roll", head.roll))
    ]
    unknown = f" Not known for {percent(1 - head.known)} of the time in view." if head.known < 0.995 else ""
    return (
        f"{table(f'Head of {text(person.face_id)}, degrees', columns, rows)}"
        f"<p>Facing the camera for {percent(head.facing)} of the time.{unknown}</p>"
    )


def _episode_details(person: Person, recording: RecordedEmotions, most_rows: int) -> str:
    if not person.episodes:
        return '<p class="none">No expression other than neutral was named.</p>'
    strongest = sorted(person.episodes, key=lambda episode: -episode.intensity)[:most_rows]
    rows = [_episode_row(episode, recording) for episode in sorted(strongest, key=lambda episode: episode.onset)]
    head = (
        "onset",
        "apex",
        "offset",
        "expression",
        "duration",
        "intensity<small>at the apex</small>",
        "onset speed<small>1/s</small>",
        "confidence",
    )
    name, count = text(person.face_id), len(person.episodes)
    title = plural(count, "expression") + ", one by one"
    if len(strongest) < count:
        title = f"The {len(strongest)} strongest of {count:,} expressions, one by one"
    units = clock_units(max(episode.offset for episode in strongest) - recording.begin)
    caption = f"Expressions of {name}: onset, apex and offset from the first frame, {units}"
    return (
        f"<details{' open' if len(rows) <= 12 else ''}><summary>{title}</summary>"
        f"{table(caption, head, rows, 'figures', words=(3,))}</details>"
    )


def _episode_row(episode: Episode, recording: RecordedEmotions) -> tuple[str, ...]:
    onset, offset = (clock(at - recording.begin, 2) for at in (episode.onset, episode.offset))
    return (
        onset if episode.onset_seen else f'<span title="The face came into view with it">before {onset}</span>',
        clock(episode.apex - recording.begin, 2),
        offset if episode.offset_seen else f'<span title="The face left the view with it">after {offset}</span>',
        named(episode.expression),
        length(episode.duration),
        number(episode.intensity),
        number(episode.onset_speed),
        number(episode.confidence),
    )
