"""The two example behaviours in the demo: what they did."""

from __future__ import annotations

from std_msgs.msg import Float32, String

from dfer_ros.graph.watcher import GraphWatcher

BEHAVIORS = ("greet_node", "speech_rate_node")
_NORMAL_RATE = 1.0


class BehaviorLog:
    """Hears what the behaviours do, and sums it up."""

    def __init__(self) -> None:
        self._greetings = 0
        self._slowed = 0
        self._rate = _NORMAL_RATE
        self._newest: dict[str, str] = {}

    def listen(self, watcher: GraphWatcher) -> None:
        """Hear from now on what the behaviours publish in the namespace of the watcher."""
        watcher.hear(String, "say", self._on_say)
        watcher.hear(Float32, "speech_rate", self._on_speech_rate)

    def newest(self) -> str:
        """Return the newest of what each behaviour did, in one line; empty before they did anything."""
        deeds = "   ".join(f"{what}: {how}" for what, how in list(self._newest.items()))
        return f"robot  {deeds}" if deeds else ""

    def summary(self) -> str:
        """Return what was done, in one sentence."""
        return f"The behaviours greeted {_times(self._greetings)} and slowed the speech {_times(self._slowed)}."

    def _on_say(self, message: String) -> None:
        self._greetings += 1
        self._newest["says"] = f'"{message.data}"'

    def _on_speech_rate(self, message: Float32) -> None:
        self._slowed += message.data < _NORMAL_RATE <= self._rate
        self._rate = message.data
        self._newest["speech rate"] = f"{message.data:.1f}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
