"""An example of a behaviour tree: asks for a smile, and answers it or its absence -> say."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node
from std_msgs.msg import String

from dfer_ros.behavior.emotion_listener import EmotionListener, topics_parameter
from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.core.parameter import parameter
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.run_node import SourceEnded, run_node
from dfer_ros.ros.topics import OUTPUT

NAME = "smile_tree_node"
_TICK_SECONDS = 0.1


@dataclass(frozen=True)
class SmileTreeNodeConfig:
    """The parameters of smile_tree_node."""

    topics: tuple[str, ...] = topics_parameter()
    patience_seconds: float = parameter(10.0, "How long it waits for a smile.", "s", 0.1, 3600.0)


class SmileTreeNode(Node):
    """Ticks the tree until it has said its last word, then ends. Raises BehaviorError where there is no py_trees."""

    def __init__(self) -> None:
        super().__init__(NAME)
        try:
            from dfer_ros.behavior.examples.smile_tree import smile_tree
        except ImportError as error:
            raise BehaviorError(
                "The tree needs py_trees, which is not installed: run 'pip install py_trees'."
            ) from error
        config = declare_parameters(self, SmileTreeNodeConfig())
        self._publisher = self.create_publisher(String, "say", OUTPUT)
        self._emotions = EmotionListener(self, topics=config.topics)
        self._tree = smile_tree(self._emotions, self._publish_text, config.patience_seconds)
        self._timer = self.create_timer(_TICK_SECONDS, self._tick)

    def close(self) -> None:
        """Listen no more."""
        self._emotions.close()

    def _publish_text(self, text: str) -> None:
        self._publisher.publish(String(data=text))
        self.get_logger().info(f'"{text}"')

    def _tick(self) -> None:
        self._tree.tick_once()
        if self._tree.status != self._tree.status.RUNNING:
            raise SourceEnded


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, SmileTreeNode, arguments)


if __name__ == "__main__":
    main()
