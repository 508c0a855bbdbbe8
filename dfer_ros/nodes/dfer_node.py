"""faces -> emotions: keeps a temporal window for every person and answers with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from dfer_ros.core.errors import DferError
from dfer_ros.core.model.emotion_model import EmotionModel
from dfer_ros.nodes.emotion_stream import DferNodeConfig, EmotionStream
from dfer_ros.ros.managed_node import ManagedNode
from dfer_ros.ros.run_node import bound_opencv_threads, run_node
from dfer_ros.ros.topic_names import is_topic
from dfer_ros.streams.statistics import StreamStatistics

NAME = "dfer_node"


class DferNode(ManagedNode[DferNodeConfig]):
    """Subscribes to `faces`, publishes `emotions`: one EmotionArray for every FaceArray processed, with its stamp.

    Several cameras share one model: `<camera>/faces` to `<camera>/emotions` for each name in `cameras`.
    """

    def __init__(self) -> None:
        super().__init__(NAME, DferNodeConfig(), ("model", "model sha256", "precision", "provider"))
        bound_opencv_threads(self.config.model.session.threads)
        if self.config.input == "hri" and len(self.config.cameras) > 1:
            raise DferError("With input:=hri there is one stream of faces, of all cameras: leave 'cameras' as it is.")
        for camera in self.config.cameras:
            _check_camera(camera)
        self._cameras = {camera: StreamStatistics() for camera in self.config.cameras}
        self.watch({camera or "faces": one for camera, one in self._cameras.items()}, "the face detector")

    def create_streams(self) -> Iterator[EmotionStream]:
        """Load the model, and make a stream for every camera."""
        model = self._load_model()
        for camera, statistics in self._cameras.items():
            yield EmotionStream(self, self.log, statistics, self.config, camera, model)

    def _load_model(self) -> EmotionModel:
        model = EmotionModel(self.config.model)
        name, precision, provider = model.folder.path.name, model.encoder.precision, model.encoder.providers[0]
        self.facts = {
            "model": name,
            "model sha256": model.encoder.sha256[:12],
            "precision": precision,
            "provider": provider,
        }
        self.warning = model.encoder.warning
        if self.warning:
            self.log.warning(self.warning)
        self.log.info(f"Reading emotions with {name}, {precision} on {provider}.")
        return model


def _check_camera(camera: str) -> None:
    """Raise DferError where a name cannot be part of a topic."""
    if camera and not is_topic(f"/{camera}/faces"):
        raise DferError(
            f"The camera '{camera}' of the parameter 'cameras' cannot be part of a topic: use letters, digits and _, "
            "and no digit first."
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, lambda: DferNode().start(), arguments)


if __name__ == "__main__":
    main()
