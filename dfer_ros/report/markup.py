"""Small pieces of HTML that several sections share. Text from a recording is always escaped here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from dfer_ros.core.labels import UNKNOWN
from dfer_ros.recordings.emotion_track import STATES


def text(value: object) -> str:
    """Return a value as HTML text, also fit for attributes in double quotes."""
    return escape(str(value))


def swatch(state: str) -> str:
    """Return the colour of a state as a small mark."""
    return f'<i class="swatch c-{state}"></i>'


def named(state: str) -> str:
    """Return a state with its colour before it."""
    return f'<span class="named">{swatch(state)}{state}</span>'


def legend() -> str:
    """Return what the colours and marks mean."""
    entries = "".join(f"<li>{named(state)}</li>" for state in STATES if state != UNKNOWN)
    return (
        f'<ul class="legend" aria-label="Colours">{entries}<li><span class="named"><i class="dashes"></i>unknown'
        '</span></li><li><span class="named"><i class="swatch gap-swatch"></i>not in view</span></li></ul>'
    )


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], classes: str = "", words: Collection[int] = ()
) -> str:
    """Return a table of cells that are HTML already; the first of each row is its heading.

    words: the columns that hold words, which begin at the left like the first one; the others hold figures.
    A table that is wider than its place scrolls within itself.
    """
    kinds = [' class="words"' if column in words else "" for column in range(len(head))]
    heading = "".join(f'<th scope="col"{kind}>{cell}</th>' for kind, cell in zip(kinds, head))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        f"{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(kinds[1:], row[1:]))}</tr>"
        for row in rows
    )
    return (
        f'<div class="table {classes}" role="region" tabindex="0" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bar(share: float, amount: str, colour: str) -> str:
    """Return a level bar for a share 0..1 with its amount in words behind it."""
    width = 100 * min(share, 1)
    return f'<span class="bar c-{colour}"><i style="width:{width:.1f}%"></i></span><span class="amount">{amount}</span>'
