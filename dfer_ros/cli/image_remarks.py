"""What was wrong with the images of recordings, in sentences."""

from __future__ import annotations

from collections.abc import Iterator


def image_remarks(unreadable: int, late: int, repeated: int, jumps: int) -> Iterator[str]:
    """Yield a sentence for each count that is not 0; see StampOrder for the last three."""
    if unreadable:
        yield f"Images left out, as they cannot be read: {unreadable}."
    if late:
        yield f"Images left out, as images with later stamps came before them: {late}."
    if repeated:
        yield f"Images left out, as they have the stamp of the one before: {repeated}."
    if jumps:
        yield f"Times that the clock of the images went back, so that everybody counts as new: {jumps}."
