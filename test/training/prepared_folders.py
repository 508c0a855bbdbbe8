"""What is in the folder of a prepared set."""

import csv


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data_of(folder):
    """All of a prepared set but where it came from."""
    return {name: data for name, data in content(folder).items() if name != "prepared.json"}


def skipped(folder):
    with (folder / "skipped.csv").open(newline="") as file:
        return {row["recording"]: row["reason"] for row in csv.DictReader(file)}
