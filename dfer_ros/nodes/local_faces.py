"""Faces from the detector to dfer_node within one process: as they are, without a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from std_msgs.msg import Header

from dfer_ros.core.faces import Face


@dataclass(frozen=True)
class FoundFaces:
    """What a FaceArray says: header is that of the image."""

    header: Header
    faces: Sequence[Face]


class LocalFaces:
    """Takes faces from the stream that finds them to the one that listens to the same topic, in the caller's thread."""

    def __init__(self) -> None:
        self._receivers: dict[str, Callable[[FoundFaces], None]] = {}

    def listen(self, topic: str, receive: Callable[[FoundFaces], None]) -> Callable[[], None]:
        """Have receive called with all that is handed over for a topic, by its full name; return what ends that."""
        self._receivers[topic] = receive

        def stop() -> None:
            if self._receivers.get(topic) is receive:
                del self._receivers[topic]

        return stop

    def hand_over(self, topic: str, found: FoundFaces) -> None:
        """Pass the faces of an image to the listeners of a topic, by its full name; there may be none."""
        receive = self._receivers.get(topic)
        if receive is not None:
            receive(found)
