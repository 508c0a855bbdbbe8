"""An example of a behaviour: greets whoever looks happy, once -> say."""

from __future__ import annotations

from dataclasses import dataclass, field

from rclpy.node import Node
from std_msgs.msg import String

from dfer_ros.behavior.emotion_listener import EmotionListener, topics_parameter
from dfer_ros.behavior.examples.greetings import Greetings, GreetingsConfig
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.run_node import run_node
from dfer_ros.ros.topics import OUTPUT

NAME = "greet_node"


@dataclass(frozen=True)
class GreetNodeConfig:
    """The parameters of greet_node."""

    topics: tuple[str, ...] = topics_parameter()
    greetings: GreetingsConfig = field(default_factory=GreetingsConfig)


class GreetNode(Node):
    """Publishes on `say` what a robot's speech is to say."""

    def __init__(self) -> None:
        super().__init__(NAME)
        config = declare_parameters(self, GreetNodeConfig())
        self._greetings = Greetings(config.greetings)
        self._text = config.greetings.text
        self._say = self.create_publisher(String, "say", OUTPUT)
        self._emotions = EmotionListener(self, self._on_emotion_change, self._on_face_lost, topics=config.topics)

    def close(self) -> None:
        """Listen no more."""
        self._emotions.close()

    def _on_emotion_change(self, face_id: str, old: str, new: str) -> None:
        if new == "happy" and self._greetings.is_due(face_id, self.get_clock().now().nanoseconds * 1e-9):
            self._say.publish(String(data=self._text))
            self.get_logger().info(f'To {face_id}: "{self._text}"')

    def _on_face_lost(self, face_id: str) -> None:
        self._greetings.leave(face_id)


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, GreetNode, arguments)


if __name__ == "__main__":
    main()
