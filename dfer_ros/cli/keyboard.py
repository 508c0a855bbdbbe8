"""Keys that are pressed while a command runs, without Return; Ctrl-C stays Ctrl-C."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from typing import Any


class Keyboard:
    """Reads single keys between entering and leaving a `with`, where standard input is a terminal of ours."""

    def __init__(self) -> None:
        self._settings: list[Any] | None = None

    def __enter__(self) -> Keyboard:
        # Who is in the background must not touch the terminal: the system would stop it.
        if sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():
            self._settings = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(self, *_: object) -> None:
        if self._settings is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._settings)

    @property
    def there(self) -> bool:
        """Whether keys can be read."""
        return self._settings is not None

    def pressed(self) -> str:
        """Return the keys pressed since the last call; never waits."""
        keys = ""
        while self.there and select.select([sys.stdin], [], [], 0)[0]:
            read = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
            if not read:  # the terminal is gone
                break
            keys += read
        return keys
