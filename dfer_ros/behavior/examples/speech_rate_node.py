"""An example of a behaviour: speaks slower while somebody looks frustrated or confused -> speech_rate."""

from __future__ import annotations

from dataclasses import dataclass, field

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float32

from dfer_ros.behavior.emotion_listener import EmotionListener, topics_parameter
from dfer_ros.behavior.examples.speech_rate import SpeechRate, SpeechRateConfig, SpeechRateRule
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.run_node import run_node

NAME = "speech_rate_node"
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Speech that starts later gets the rate that holds."""
_PERIOD_SECONDS = 0.2


@dataclass(frozen=True)
class SpeechRateNodeConfig:
    """The parameters of speech_rate_node."""

    topics: tuple[str, ...] = topics_parameter()
    rate: SpeechRateConfig = field(default_factory=SpeechRateConfig)


class SpeechRateNode(Node):
    """Publishes on `speech_rate`, at first and at every change, how fast a robot is to speak: 1.0 is normal."""

    def __init__(self) -> None:
        super().__init__(NAME)
        config = declare_parameters(self, SpeechRateNodeConfig())
        self._rule = SpeechRateRule(config.rate)
        self._emotions = EmotionListener(self, topics=config.topics)
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
