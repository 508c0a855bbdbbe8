"""Names of topics in a bag, some of which have no slash before them, as users may leave it out."""

from __future__ import annotations

from collections.abc import Iterable


def find_topic(topics: Iterable[str], name: str) -> str | None:
    """Return which of the topics of a bag has a name, with or without its slash; None where there is none."""
    return next((topic for topic in topics if topic.lstrip("/") == name.lstrip("/")), None)
