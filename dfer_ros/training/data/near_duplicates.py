"""Stills of two data sets that show the same picture: what is trained on must not hold what is tested on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.training.data.data_set import Recording


def without_training(recordings: Sequence[Recording], path: Path) -> list[Recording]:
    """Return the recordings but those for training that are named in a CSV file of near duplicates, in any column.

    Raises DataError where the file cannot be read or names none of them, as it is then of other data sets.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The list of near duplicates {path} cannot be read: {error}.") from error
    named = {cell.strip() for row in rows for cell in row}
    left_out = {one.name for one in recordings if one.name in named}
    if not left_out:
        raise DataError(f"{path} names none of the {len(recordings)} recordings: give the list of this data set.")
    return [one for one in recordings if one.split != "train" or one.name not in left_out]
