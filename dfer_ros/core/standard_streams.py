"""Standard input, output and error as whoever starts a process leaves them: closed, full, or read by nobody."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def open_closed_streams() -> None:
    """Open to nowhere what is closed of the three, or the next file or socket would take its number and its text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  as long as the process lives


def output_fails() -> bool:
    """Return whether it is standard output that cannot be written, and then say no more there."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return True
    return False
