"""The sessions of one person as one page in the style of the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.report.markup import named, table, text
from dfer_ros.report.page import html_page
from dfer_ros.studies.measures import ALL, MEASURES, Measure, SessionValues
from dfer_ros.studies.sessions import Session
from dfer_ros.studies.trends import Difference, Trend
from dfer_ros.text.wording import MISSING, length, number, plural

TITLES = {
    "apex_intensity": "Intensity at the apex",
    "onset_speed": "Onset speed",
    "offset_speed": "Offset speed",
    "duration": "Duration",
    "per_minute": "Expressions per minute",
    "share": "Share of the time in view",
}
_WIDTH, _HEIGHT = 320, 130
_INSIDE = (36, 312, 10, 108)
"""Left, right, top and bottom of the plot within the drawing."""


def trend_page(
    name: str,
    sessions: Sequence[Session],
    values: Sequence[SessionValues],
    trends: Sequence[Trend],
    differences: Sequence[Difference],
) -> str:
    """Return the page as HTML; the same input gives the same page."""
    found = [trend for trend in trends if trend.found and trend.expression == ALL]
    days = (sessions[-1].begin - sessions[0].begin).total_seconds() / 86400
    seen = length(sum(one.person.seen_seconds for one in sessions))
    lead = (
        f"{plural(len(sessions), 'session')} from {sessions[0].begin:%Y-%m-%d} to {sessions[-1].begin:%Y-%m-%d} "
        f"({number(days, 0)} days), {seen} in view. {_sentence(found)}"
    )
    panels = "".join(_panel(measure, values, trends) for measure in MEASURES)
    expressions = dict.fromkeys(value.expression for value in values)
    body = (
        f'<header><p class="eyebrow">Facial expressions over sessions</p><h1>{text(name)}</h1>'
        f'<p class="lead">{lead}</p></header>'
        f'<section class="panel"><h2>All expressions together</h2><div class="columns three">{panels}</div></section>'
        f'<section class="panel"><h2>What changed</h2>{_trend_table(trends)}</section>'
        f"{_difference_section(differences)}"
        f'<section class="panel"><h2>Session by session</h2>{_session_tables(values, list(expressions))}</section>'
        f"{_definitions()}"
    )
    return html_page(f"{name}: expressions over sessions", body, "Made by dfer longitudinal")


def _sentence(found: Sequence[Trend]) -> str:
    if not found:
        return "No measure changed by more than chance between sessions explains."
    words = ", ".join(
        f"{TITLES[one.measure.name].lower()} {_change(one)}"
        for one in sorted(found, key=lambda one: not one.measure.logarithm)
    )
    return f"Changed from the first session to the last, all expressions together: {words}."


def _panel(measure: Measure, values: Sequence[SessionValues], trends: Sequence[Trend]) -> str:
    own = [value for value in values if value.measure is measure and value.expression == ALL]
    trend = next((one for one in trends if one.measure is measure and one.expression == ALL), None)
    words = f"{_change(trend)}, p {_p(trend.p_corrected, '= ')}" if trend else "too few sessions for a trend"
    return (
        f"<div><h3>{TITLES[measure.name]} <small>{measure.unit}; bars: 95 % interval</small></h3>"
        f"{_plot(own, TITLES[measure.name], words)}<p>{words}</p></div>"
    )


def _plot(values: Sequence[SessionValues], title: str, words: str) -> str:
    """Return the means of sessions over their days with their intervals, and the straight line through them."""
    known = [value for value in values if np.isfinite(value.mean)]
    if not known:
        return '<p class="none">Nothing was shown.</p>'
    days = np.array([value.days for value in known])
    means = np.array([value.mean for value in known])
    intervals = np.array([value.interval() for value in known])
    top = float(np.nanmax(np.append(intervals.ravel(), means))) * 1.08 or 1.0
    left, right, above, below = _INSIDE
    span = max(float(np.ptp(days)), 1e-9)
    x = left + (days - days.min()) / span * (right - left)

    def height(value: float) -> float:
        return float(below - value / top * (below - above))

    bars = "".join(
        f"M{at:.1f} {height(low):.1f}V{height(high):.1f}" for at, (low, high) in zip(x, intervals) if np.isfinite(low)
    )
    dots = "".join(
        f'<circle class="mean c-accent" cx="{a:.1f}" cy="{height(m):.1f}" r="3.5"/>' for a, m in zip(x, means)
    )
    line = ""
    if len(known) > 2:
        slope, start = np.polyfit(days, means, 1)
        ends = [start + slope * day for day in (days.min(), days.max())]
        line = f'<path class="dashed c-ink" d="M{left} {height(ends[0]):.1f}L{right} {height(ends[1]):.1f}"/>'
    ticks = "".join(
        f'<text x="{left - 6}" y="{height(value) + 4:.1f}" text-anchor="end">{value:.2g}</text>'
        f'<path class="rule" d="M{left} {height(value):.1f}H{right}"/>'
        for value in (0.0, top / 2, top)
    )
    foot = (
        f'<text x="{left}" y="{_HEIGHT - 4}">day 0</text>'
        f'<text x="{right}" y="{_HEIGHT - 4}" text-anchor="end">day {days.max() - days.min():.0f}</text>'
    )
    return (
        f'<svg class="trend" role="img" aria-label="{title} over {len(known)} sessions: {text(words)}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{ticks}<path class="line c-accent" d="{bars}"/>{line}{dots}{foot}</svg>'
    )


def _trend_table(trends: Sequence[Trend]) -> str:
    if not trends:
        return '<p class="none">A trend needs at least four sessions on different days.</p>'
    rows = [
        (
            _name(one.expression),
            TITLES[one.measure.name],
            _change(one),
            f"{_amount(one.measure, one.low)} to {_amount(one.measure, one.high)}",
            str(one.sessions),
            f"{one.values:,}",
            _p(one.p),
            f"<b>{_p(one.p_corrected)}</b>" if one.found else _p(one.p_corrected),
        )
        for one in trends
    ]
    head = ("expression", "measure", "first to last", "95 % interval", "sessions", "values", "p", "p corrected")
    return table("Change over the sessions", head, rows, words=(1,))


def _difference_section(differences: Sequence[Difference]) -> str:
    if not differences:
        return ""
    first, second = differences[0].first, differences[0].second
    rows = [
        (
            _name(one.expression),
            TITLES[one.measure.name],
            number(one.means[0]),
            number(one.means[1]),
            number(one.effect),
            _p(one.p),
            f"<b>{_p(one.p_corrected)}</b>" if one.p_corrected < 0.05 else _p(one.p_corrected),
        )
        for one in differences
    ]
    counts = f"{differences[0].sessions[0]} and {differences[0].sessions[1]} sessions"
    head = ("expression", "measure", text(first), text(second), "Hedges' g", "p", "p corrected")
    return (
        f'<section class="panel"><h2>{text(first)} and {text(second)} <small>{counts}</small></h2>'
        f"{table('Difference of two conditions', head, rows, words=(1,))}</section>"
    )


def _session_tables(values: Sequence[SessionValues], expressions: Sequence[str]) -> str:
    parts = []
    for expression in expressions:
        own = [value for value in values if value.expression == expression]
        by_session: dict[str, dict[str, SessionValues]] = {}
        for value in own:
            by_session.setdefault(value.session, {})[value.measure.name] = value
        rows = [
            (
                text(session),
                number(next(iter(cells.values())).days, 1),
                str(len(cells["apex_intensity"].values)),
                *(number(None if np.isnan(cells[m.name].mean) else cells[m.name].mean) for m in MEASURES),
            )
            for session, cells in by_session.items()
        ]
        head = ("session", "day", "shown", *(f"{TITLES[m.name]}<small>{m.unit}</small>" for m in MEASURES))
        opened = " open" if expression == ALL else ""
        parts.append(
            f"<details{opened}><summary>{_name(expression)}</summary>"
            f"{table(f'Sessions, {expression}', head, rows, 'figures')}</details>"
        )
    return "".join(parts)


def _definitions() -> str:
    return (
        '<section id="definitions"><h2>How to read this</h2><dl class="terms">'
        "<div><dt>Measures</dt><dd>Onset, apex, offset and speed are those of the report of one recording; the offset "
        "speed is the fall of the intensity from the apex to the offset. Expressions whose begin or end was out of "
        "view have no speed and no duration there.</dd></div>"
        "<div><dt>Intervals</dt><dd>95 % of the means that other expressions of the same session might have given "
        "(bootstrap); none below three.</dd></div>"
        "<div><dt>Trend</dt><dd>One number for each session, less the kinds of expression in it, and a straight line "
        "through these. What counts is how many sessions there are, not how many expressions: t with two degrees of "
        "freedom less. Speeds and durations change by factors.</dd></div>"
        "<div><dt>p corrected</dt><dd>For all measures of the same expression together (Holm). Below 0.05 a change is "
        "called found.</dd></div>"
        "<div><dt>Asymmetry</dt><dd>Not told: four landmarks a face do not give it.</dd></div>"
        '</dl><p class="caution">This is no diagnosis. A camera, a light, a hair cut or a mood changes these figures '
        "as well as an illness does. Keep place, camera and task the same, and let somebody who knows the person judge."
        "</p></section>"
    )


def _name(expression: str) -> str:
    return expression if expression == ALL else named(expression)


def _change(trend: Trend) -> str:
    return _amount(trend.measure, trend.change)


def _amount(measure: Measure, value: float) -> str:
    words = f"{value:+.0%}" if measure.logarithm else f"{value:+.2f}"
    words = words[1:] if float(words.rstrip("%")) == 0 else words
    return words.replace("%", "\u00a0%").replace("-", "\u2212")


def _p(value: float, equal: str = "") -> str:
    if np.isnan(value):
        return MISSING
    return "&lt; 0.001" if value < 0.001 else f"{equal}{value:.3f}"
