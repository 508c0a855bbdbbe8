"""The errors of this package, each a sentence that says what was wrong and what to do; others' errors as a sentence."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CONTROLS = re.compile(r" *[\x00-\x1f\x7f\x85\u2028\u2029]+ *")
_MOST_CHARACTERS = 1000


class DferError(Exception):
    """Base of every error that a user of this package can cause and mend."""


class ImageError(DferError):
    """An image message or file that cannot be turned into pixels."""


class ModelError(DferError):
    """A model folder or model file that is missing, damaged or does not fit the contract."""


class DetectorError(DferError):
    """A face detector that is not installed or whose model file cannot be used."""


class SourceError(DferError):
    """A video, folder, bag or camera that cannot be opened or read."""


class OutputError(DferError):
    """A file or folder that cannot be written."""


class DataError(DferError):
    """A data set that is missing, has another layout than expected, or cannot be read or written."""


class TrainingError(DferError):
    """A training configuration, checkpoint or run that cannot be used."""


def sentence(error: object) -> str:
    """Return what an error of ours, or any sentence, says: on one line of bounded length, whatever it quotes."""
    text = _CONTROLS.sub(" ", str(error))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."


def in_one_line(error: Exception) -> str:
    """Return all that an exception says, in one line without its full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def first_line(error: Exception) -> str:
    """Return the first line of an exception's text; those of ONNX Runtime can go on for pages."""
    return _lines(error)[0]


def last_line(error: Exception) -> str:
    """Return the last line of an exception's text; where it is a traceback, that is what was raised."""
    return _lines(error)[-1]


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise SourceError where what is done in the `with` fails as a file or folder, this one or in it, is refused."""
    try:
        yield
    except OSError as error:
        remedy = ": get the right to, with chmod or chown" if isinstance(error, PermissionError) else ""
        raise SourceError(f"{error.filename or path} cannot be read ({error.strerror}){remedy}.") from error


@contextlib.contextmanager
def writable(name: object, error_class: type[DferError] = OutputError) -> Iterator[None]:
    """Raise an error of a class where what is done in the `with` fails as a file or folder cannot be written.

    name: how the sentence names it: its path, or more.
    """
    try:
        yield
    except OSError as error:
        raise error_class(f"{name} cannot be written ({error.strerror}): choose another place.") from error


def _lines(error: Exception) -> list[str]:
    return _COLOUR.sub("", str(error)).strip().splitlines() or [type(error).__name__]
