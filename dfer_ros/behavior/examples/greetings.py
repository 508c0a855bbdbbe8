"""Decides whom a robot greets: each person once, and again only after some time."""

from __future__ import annotations

from dataclasses import dataclass

from dfer_ros.core.parameter import parameter


@dataclass(frozen=True)
class GreetingsConfig:
    """What is said, and how often."""

    text: str = parameter("Hello! It is nice to see you.", "What is said.")
    again_seconds: float = parameter(120.0, "How long nobody is greeted a second time.", "s", 0.0, 86400.0)


class Greetings:
    """Remembers who was greeted.

    A face that comes back has another id, and a robot cannot know whose it is: for every greeted person who left, the
    next new face counts as that person until again_seconds are over. Better a greeting too few than one too many.
    """

    def __init__(self, config: GreetingsConfig) -> None:
        self._config = config
        self._greeted: dict[str, float] = {}
        self._left: list[float] = []

    def is_due(self, face_id: str, now: float) -> bool:
        """Return whether this person is to be greeted now (seconds), and count it as done if so."""
        self._left = [at for at in self._left if self._is_recent(at, now)]
        if face_id in self._greeted and self._is_recent(self._greeted[face_id], now):
            return False
        if face_id not in self._greeted and self._left:
            self._greeted[face_id] = self._left.pop(0)
            return False
        self._greeted[face_id] = now
        return True

    def leave(self, face_id: str) -> None:
        """Note that a face was lost."""
        if face_id in self._greeted:
            self._left.append(self._greeted.pop(face_id))

    def _is_recent(self, at: float, now: float) -> bool:
        # A greeting from the future is one from before the clock jumped back.
        return 0.0 <= now - at < self._config.again_seconds
