"""The errors of this package; each message is one sentence that says what was wrong and what to do."""

from __future__ import annotations


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
