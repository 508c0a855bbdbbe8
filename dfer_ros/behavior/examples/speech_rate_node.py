"""An example of a behaviour: speaks slower while somebody looks frustrated or confused -> speech_rate."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float32

from dfer_ros.behavior.emotion_listener import EMOTIONS_TOPIC, EmotionListener
from dfer_ros.behavior.examples.speech_rate import SpeechRate, SpeechRateConfig, SpeechRateRule
from dfer_ros.ros.parameter import Parameter, declare_parameters
from dfer_ros.ros.run_node import run_node

NAME = "speech_rate_node"
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Speech that starts later gets the rate that holds."""
_PERIOD_SECONDS = 0.2

SPEECH_RATE = (
    Parameter("topics", [EMOTIONS_TOPIC], "Topics of dfer_node, one a camera."),
    Parameter("slow_rate", SpeechRateConfig.slow_rate, "Rate while it is slow, of the normal one.", "", 0.1, 1.0),
    Parameter(
        "sustained_seconds",
        SpeechRateConfig.sustained_seconds,
        "How long somebody must look frustrated or confused before it slows.",
        "s",
        0.0,
        60.0,
    ),
    Parameter(
        "recovery_seconds",
        SpeechRateConfig.recovery_seconds,
        "How long nobody must look so before it is normal again.",
        "s",
        0.0,
        600.0,
    ),
)


class SpeechRateNode(Node):
    """Publishes on `speech_rate`, at first and at every change, how fast a robot is to speak: 1.0 is normal."""

    def __init__(self) -> None:
        super().__init__(NAME)
        values = declare_parameters(self, SPEECH_RATE)
        topics = values.pop("topics")
        self._rule = SpeechRateRule(SpeechRateConfig(**values))
        self._emotions = EmotionListener(self, topics=topics)
        self._publisher = self.create_publisher(Float32, "speech_rate", LATCHED)
        self._last = SpeechRate()
        self._publisher.publish(Float32(data=self._last.rate))
        self.create_timer(_PERIOD_SECONDS, self._publish_rate)

    def close(self) -> None:
        """Listen no more."""
        self._emotions.close()

    def _publish_rate(self) -> None:
        answer = self._rule.update(self.get_clock().now().nanoseconds * 1e-9, self._emotions.people())
        if answer != self._last:
            self._last = answer
            self._publisher.publish(Float32(data=answer.rate))
            self.get_logger().info(f"Rate {answer.rate}: {answer.reason or 'everybody looks well again'}.")


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, SpeechRateNode, arguments)


if __name__ == "__main__":
    main()
