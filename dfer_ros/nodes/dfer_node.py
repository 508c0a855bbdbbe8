"""faces -> emotions: keeps a temporal window for every person and answers with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfer_ros.core.model.emotion_model import EmotionModel
from dfer_ros.nodes.emotion_stream import DferNodeConfig, EmotionStream
from dfer_ros.nodes.local_faces import LocalFaces
from dfer_ros.nodes.shared_recognition import SharedRecognition
from dfer_ros.ros.managed_node import ManagedNode
from dfer_ros.ros.run_node import bound_opencv_threads, run_node

NAME = "dfer_node"


class DferNode(ManagedNode[DferNodeConfig]):
    """Subscribes to `faces`, publishes `emotions`: one EmotionArray for every FaceArray processed, with its stamp.

    Several cameras share one model: `<camera>/faces` to `<camera>/emotions` for each name in `cameras`.
    local: brings the faces of detectors of the same process, in the place of the topics. arguments: see ManagedNode.
    """

    def __init__(self, local: LocalFaces | None = None, arguments: Sequence[str] = ()) -> None:
        facts = ("model", "model sha256", "precision", "provider")
        super().__init__(
            NAME, DferNodeConfig(), lambda config: map(_stream, config.cameras), "the face detector", facts, arguments
        )
        self._local = local
        bound_opencv_threads(self.config.model.session.threads)

    def create_streams(self) -> Iterator[EmotionStream]:
        """Load the model, and make a stream for every camera."""
        model, shared = self._load_model(), SharedRecognition()
        for camera in dict.fromkeys(self.config.cameras):
            yield EmotionStream(
                self, self.log, self.statistics[_stream(camera)], self.config, camera, model, shared, self._local
            )

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


def _stream(camera: str) -> str:
    """Return the name of a camera's stream in /diagnostics."""
    return camera or "faces"


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, lambda: DferNode().start(), arguments)


if __name__ == "__main__":
    main()
