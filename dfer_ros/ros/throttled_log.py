"""A log that says each thing once in a while, however often it happens."""

from __future__ import annotations

import re
import threading
import time
import traceback

from rclpy.impl.rcutils_logger import RcutilsLogger

from dfer_ros.core.errors import DferError, sentence

_PERIOD_SECONDS = 5.0
_MOST_KINDS = 20
_QUOTED_OR_NUMBER = re.compile(r"'.*'|\".*\"|\d+")


class ThrottledLog:
    """Logs a sentence unless one of its kind, or twenty of any kind, were logged in the last five seconds.

    Numbers and what stands in quotes do not make another kind. An error of ours is one line, whatever it quotes.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._logged_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def info(self, text: str) -> None:
        """Log what is going on."""
        if self._is_due(text):
            self._logger.info(text)

    def warning(self, text: str) -> None:
        """Log a warning."""
        if self._is_due(text):
            self._logger.warning(text)

    def error(self, error: Exception) -> None:
        """Log an error: one of ours as its sentence, any other with the lines that led to it."""
        if self._is_due(f"{type(error).__name__}: {error}"):
            if isinstance(error, DferError):
                self._logger.error(sentence(error))
            else:
                self._logger.error("Unexpected error, please report it: " + "".join(traceback.format_exception(error)))

    def _is_due(self, text: str) -> bool:
        kind = _QUOTED_OR_NUMBER.sub("#", " ".join(text.split()))
        now = time.monotonic()
        with self._lock:
            self._logged_at = {kind: at for kind, at in self._logged_at.items() if now - at < _PERIOD_SECONDS}
            if kind in self._logged_at or len(self._logged_at) >= _MOST_KINDS:
                return False
            self._logged_at[kind] = now
        return True
