"""image, faces, emotions -> overlay, overlay/compressed: the image with what is seen in it, while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from dfer_msgs.msg import Emotion, EmotionArray, Face, FaceArray
from dfer_ros.core.drawing import Annotation, draw_annotations
from dfer_ros.ros.image_conversion import fill_image, jpeg_message, to_bgr
from dfer_ros.ros.image_subscription import ImageConfig, ImageSubscription
from dfer_ros.ros.latest_worker import LatestWorker
from dfer_ros.ros.messages import header_seconds
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.run_node import bound_opencv_threads, run_node
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import OUTPUT, latest_only

NAME = "overlay_node"
_PERIOD_SECONDS = 0.5
_PATIENCE_SECONDS = 1.0
"""How long an image waits for its faces, and an emotion is shown for its face."""
_MOST_WAITING = 6
"""Images that wait for their faces, which 4K images can be."""
_Scene = tuple[Image | CompressedImage, FaceArray, dict[str, Emotion]]
"""An image, its faces, and the newest emotions by face id."""


class OverlayNode(Node):
    """Publishes `overlay`, and as JPEG `overlay/compressed`; while nobody subscribes to them, it subscribes to nothing.

    An image is drawn when its faces (same stamp) are there, with the newest emotion of each face.
    """

    def __init__(self) -> None:
        super().__init__(NAME)
        self._config = declare_parameters(self, ImageConfig())
        bound_opencv_threads(1)
        self._log = ThrottledLog(self.get_logger())
        self._publisher = self.create_publisher(Image, "overlay", OUTPUT)
        compressed = f"{self.resolve_topic_name('overlay')}/compressed"
        self._jpeg_publisher = self.create_publisher(CompressedImage, compressed, OUTPUT)
        self._worker: LatestWorker[str] = LatestWorker(self._log.error)
        self._inputs: _Inputs | None = None
        self.create_timer(_PERIOD_SECONDS, self._work_while_subscribed, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop listening, and end the worker."""
        if self._inputs is not None:
            self._inputs.close()
        self._worker.close()

    def _work_while_subscribed(self) -> None:
        subscribed = any(one.get_subscription_count() for one in (self._publisher, self._jpeg_publisher))
        if subscribed and self._inputs is None:
            self._inputs = _Inputs(self, self._config, self._on_scene)
        elif not subscribed and self._inputs is not None:
            self._inputs.close()
            self._inputs = None

    def _on_scene(self, scene: _Scene) -> None:
        self._worker.put(lambda: self._draw_scene(scene), "scene")

    def _draw_scene(self, scene: _Scene) -> None:
        image, faces, emotions = scene
        annotations = [_annotation(face, emotions.get(face.id)) for face in faces.faces]
        drawn = draw_annotations(to_bgr(image), annotations)
        if self._publisher.get_subscription_count():
            raw = Image(header=image.header)
            fill_image(raw, drawn)
            self._publisher.publish(raw)
        if self._jpeg_publisher.get_subscription_count():
            self._jpeg_publisher.publish(jpeg_message(image.header, drawn))


class _Inputs:
    """The subscriptions of the overlay, and the images that wait for their faces.

    Images come in a thread of their own, faces in the executor's.
    """

    def __init__(self, node: Node, config: ImageConfig, on_scene: Callable[[_Scene], None]) -> None:
        self._node = node
        self._on_scene = on_scene
        self._images: dict[float, Image | CompressedImage] = {}
        self._faces: dict[float, FaceArray] = {}
        self._emotions = EmotionArray()
        self._pairing = threading.Lock()
        quality = latest_only()
        self._others = [
            node.create_subscription(FaceArray, "faces", self._on_faces, quality),
            node.create_subscription(EmotionArray, "emotions", self._on_emotions, quality),
        ]
        self._camera = ImageSubscription(node, config, self._on_image)

    def close(self) -> None:
        self._camera.close()
        for subscription in self._others:
            self._node.destroy_subscription(subscription)

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._pair(self._images, message)

    def _on_faces(self, message: FaceArray) -> None:
        self._pair(self._faces, message)

    def _on_emotions(self, message: EmotionArray) -> None:
        self._emotions = message

    def _pair(self, kept: dict[float, Any], message: Image | CompressedImage | FaceArray) -> None:
        """Keep a message, and pass on the scene that it completes."""
        stamp = header_seconds(message.header)
        with self._pairing:
            kept[stamp] = message
            if stamp in self._images and stamp in self._faces:
                told = self._emotions
                fresh = abs(stamp - header_seconds(told.header)) < _PATIENCE_SECONDS
                emotions = {emotion.face_id: emotion for emotion in told.emotions} if fresh else {}
                self._on_scene((self._images.pop(stamp), self._faces.pop(stamp), emotions))
            for waiting in (self._images, self._faces):
                too_old = [other for other in waiting if abs(other - stamp) > _PATIENCE_SECONDS]
                too_many = list(waiting)[:-_MOST_WAITING]
                for one in {*too_old, *too_many}:
                    del waiting[one]


def _annotation(face: Face, emotion: Emotion | None) -> Annotation:
    roi = (face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height)
    if emotion is None:
        return Annotation(face.id, roi)
    return Annotation(face.id, roi, emotion.expression, emotion.confidence, emotion.probabilities.tolist())


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, OverlayNode, arguments)


if __name__ == "__main__":
    main()
