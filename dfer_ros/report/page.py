"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files

from dfer_ros import __version__
from dfer_ros.core.palette import ON_DARK, ON_LIGHT
from dfer_ros.core.settled_expression import SettleConfig
from dfer_ros.recordings.blends import BlendConfig
from dfer_ros.recordings.emotion_track import STATES, RecordedEmotions
from dfer_ros.recordings.episodes import EpisodeConfig
from dfer_ros.report.frame_timing import measure_timing
from dfer_ros.report.markup import text
from dfer_ros.report.overview_section import overview_section
from dfer_ros.report.person import FACING_DEGREES, Person
from dfer_ros.report.person_section import person_section
from dfer_ros.report.portraits import Portrait
from dfer_ros.report.ticks import tick_style
from dfer_ros.report.time_bins import TimeBins, create_axis
from dfer_ros.report.timeline import GAP_VALUE, VALUE_LEVELS
from dfer_ros.report.timing_section import timing_section
from dfer_ros.text.wording import length, percent

MOST_PEOPLE = 16
"""Those seen longest have a section of their own; the others are in a table."""

_BINS = 10000
"""Bins of all timelines together: this bounds the size of the page."""
_MOST_BINS = 6000
_ROWS = 600
"""Rows of all lists of expressions together, and of blends alike."""
_MOST_ROWS = 150
_ZOOMS = (1, 2, 4, 8, 16)
_NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def report_page(
    recording: RecordedEmotions, people: Sequence[Person], portraits: Mapping[str, Sequence[Portrait]] | None = None
) -> str:
    """Return the page as HTML.

    people: of this recording, see describe_people. portraits: by face id; None or empty shows no face.
    The same input gives the same page, byte for byte.
    """
    shown, others, portraits = people[:MOST_PEOPLE], people[MOST_PEOPLE:], portraits or {}
    share = max(len(shown), 1)
    axis = create_axis(recording.begin, recording.end, recording.interval, min(_MOST_BINS, _BINS // share))
    timing = measure_timing(recording)
    sections = [
        overview_section(recording, shown, others, timing, portraits),
        _zoom() if shown else "",
        *(
            person_section(
                index,
                TimeBins(person, axis),
                recording,
                portraits.get(person.face_id, ()),
                min(_MOST_ROWS, _ROWS // share),
            )
            for index, person in enumerate(shown, 1)
        ),
        timing_section(timing),
        definitions_section(recording, any(person.head for person in people)),
    ]
    script = f"{_constants()}{files(__package__).joinpath('page.js').read_text(encoding='utf-8')}"
    return html_page(f"{recording.name}: expressions", "".join(sections), "Made by dfer report", script)


def html_page(title: str, body: str, made_by: str, script: str = "") -> str:
    """Return a whole page in the style of the report. title: as text. body, script: as they are."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FROM_OUTSIDE}">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta name="generator" content="dfer_ros {__version__}"><title>{text(title)}</title>'
        f"<style>\n{_colours()}{style}{tick_style()}\n</style></head>"
        f"<body><main>{body}</main><footer>{made_by}, dfer_ros {__version__}.</footer>"
        f"{f'<script>{chr(10)}{script}</script>' if script else ''}</body></html>\n"
    )


def _zoom() -> str:
    choices = "".join(
        f'<label><input type="radio" name="zoom" value="{zoom}"{" checked" if zoom == 1 else ""}>'
        f"<span>{zoom}&times;</span></label>"
        for zoom in _ZOOMS
    )
    return f'<fieldset class="zoom"><legend>Zoom timelines</legend>{choices}</fieldset>'


def _constants() -> str:
    """Return what the script must know about the values of a timeline."""
    return f'"use strict";\nconst STATES = {json.dumps(STATES)}, LEVELS = {VALUE_LEVELS}, GAP = {GAP_VALUE};\n'


def _colours() -> str:
    light = "".join(f"--{state}:{colour};" for state, colour in ON_LIGHT.items())
    dark = "".join(f"--{state}:{colour};" for state, colour in ON_DARK.items())
    classes = "\n".join(f".c-{state}{{color:var(--{state})}}" for state in ON_LIGHT)
    zooms = "\n".join(f'body:has([name="zoom"][value="{zoom}"]:checked){{--zoom:{zoom}}}' for zoom in _ZOOMS)
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{{light}}}}}\n{classes}\n{zooms}\n"
    )


def definitions_section(recording: RecordedEmotions, heads: bool) -> str:
    """Return the section. heads: whether the page tells how heads were held."""
    episode, blend, settle = EpisodeConfig(), BlendConfig(), SettleConfig()
    terms = {
        "In view": f"A stretch ends where the next answer comes more than {length(recording.gap_seconds)} later.",
        "Unknown": "No expression was likely enough to be named, or the face could not be recognised. Its confidence "
        "is that of the most likely one.",
        "Expression": "A stretch in which one expression other than neutral is named. Neutral, unknown or missing "
        f"frames of up to {episode.bridge_seconds:g} s inside do not end it.",
        "Apex": "The frame of the highest intensity while it is named, of those in the phase apex if there are any.",
        "Onset and offset": "The last frame before and the first one after whose intensity is within "
        f"{percent(episode.rise_share)} of the way from the lowest found there to that of the apex. Looked for up to "
        f"{episode.reach_seconds:g} s away, to a frame in the phase neutral, to another expression, or to the edge of "
        "the view. “Before” and “after” say that begin or end was out of view.",
        "Onset speed": f"Rise of the intensity from the onset to {percent(1 - episode.rise_share)} of the way to the "
        "apex, per second.",
        "What turned into what": f"An expression counts when it was named for {settle.settle_seconds:g} s without a "
        "break, and takes the place of the one that counted before. The time is from the last frame that named the old "
        f"one to the first that named the new one, at most {settle.transition_seconds:g} s.",
        "Two at once": f"At least {blend.least_seconds:g} s in which the two most likely expressions other than "
        f"neutral each have {percent(blend.least_probability)} or more. It may be a mixed expression, or one that the "
        "model takes for either.",
        "Valence and arousal": "Expected values over the seven probabilities, from &minus;1 (unpleasant, calm) to 1 "
        "(pleasant, excited).",
        "Time": "An answer holds until the next one. All shares are of the time in view.",
    }
    if heads:
        terms["Head"] = (
            "Degrees from a face that is upright and looks along the axis of the camera. It faces the camera while yaw "
            f"and pitch are within {FACING_DEGREES:.0f} degrees. Beyond 40 degrees of yaw the angles are coarse."
        )
    entries = "".join(f"<div><dt>{term}</dt><dd>{words}</dd></div>" for term, words in terms.items())
    return (
        f'<section id="definitions"><h2>How to read this</h2><dl class="terms">{entries}</dl><p class="caution">An '
        "expression is not a feeling: a model has named what a face shows, with the errors and biases of the data it "
        "learned from. This page holds personal data; do not base decisions about people on it.</p></section>"
    )
