"""The two example behaviours in the demo: what they did."""

from __future__ import annotations

from rclpy.node import Node
from std_msgs.msg import Float32, String

from dfer_ros.cli.live_table import LiveTable
from dfer_ros.ros.quality_of_service import OUTPUT

BEHAVIORS = ("greet_node", "speech_rate_node")
_NORMAL_RATE = 1.0


class Deeds:
    """Hears what the behaviours do: shows it in the table, and sums it up."""

    def __init__(self, table: LiveTable) -> None:
        self._table = table
        self._greetings = 0
        self._slowed = 0
        self._rate = _NORMAL_RATE

    def listen(self, node: Node) -> None:
        """Subscribe to what the behaviours publish, in the namespace of a node."""
        node.create_subscription(String, "say", self._on_say, OUTPUT)
        node.create_subscription(Float32, "speech_rate", self._on_speech_rate, OUTPUT)

    def summary(self) -> str:
        """Return what was done, in one sentence."""
        return f"The behaviours greeted {_times(self._greetings)} and slowed the speech {_times(self._slowed)}."

    def _on_say(self, message: String) -> None:
        self._greetings += 1
        self._table.show_deed("says", f'"{message.data}"')

    def _on_speech_rate(self, message: Float32) -> None:
        self._slowed += message.data < _NORMAL_RATE <= self._rate
        self._rate = message.data
        self._table.show_deed("speech rate", f"{message.data:.1f}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
