"""A log that says each thing once in a while, however often it happens."""

from __future__ import annotations

import re
import time
import traceback

from rclpy.impl.rcutils_logger import RcutilsLogger

from dfer_ros.core.errors import DferError

_PERIOD_SECONDS = 5.0
_MOST_KINDS = 64


class ThrottledLog:
    """Logs a sentence unless one of its kind was logged in the last five seconds; numbers do not make another kind."""

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._logged_at: dict[str, float] = {}

    def warning(self, sentence: str) -> None:
        """Log a warning."""
        if self._is_due(sentence):
            self._logger.warning(sentence)

    def error(self, error: Exception) -> None:
        """Log an error: one of ours as its sentence, any other with the lines that led to it."""
        if self._is_due(f"{type(error).__name__}: {error}"):
            if isinstance(error, DferError):
                self._logger.error(str(error))
            else:
                self._logger.error("Unexpected error, please report it: " + "".join(traceback.format_exception(error)))

    def _is_due(self, sentence: str) -> bool:
        kind = re.sub(r"\d+", "#", sentence)
        now = time.monotonic()
        if now - self._logged_at.get(kind, -_PERIOD_SECONDS) < _PERIOD_SECONDS:
            return False
        if len(self._logged_at) >= _MOST_KINDS:
            self._logged_at.clear()
        self._logged_at[kind] = now
        return True
