"""image -> faces: detects, tracks and aligns the faces of a camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfer_ros.core.model.folder import file_sha256
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig, FaceStream
from dfer_ros.nodes.local_faces import LocalFaces
from dfer_ros.ros.managed_node import ManagedNode
from dfer_ros.ros.run_node import bound_opencv_threads, run_node

NAME = "face_detector_node"
_STREAM = "image"


class FaceDetectorNode(ManagedNode[FaceDetectorNodeConfig]):
    """Subscribes to `image`, publishes `faces`: one FaceArray for every image processed, empty where nobody is seen.

    local: takes the faces to a dfer_node of the same process as well. arguments: see ManagedNode.
    """

    def __init__(self, local: LocalFaces | None = None, arguments: Sequence[str] = ()) -> None:
        facts = ("detector", "model", "model sha256", "provider")
        super().__init__(NAME, FaceDetectorNodeConfig(), lambda _: [_STREAM], "the camera", facts, arguments)
        self._local = local
        bound_opencv_threads(self.config.threads)

    def create_streams(self) -> Iterator[FaceStream]:
        """Load the detector."""
        stream = FaceStream(self, self.log, self.statistics[_STREAM], self.config, self._local)
        yield stream  # first: it is closed then, whatever its model is
        detector = stream.detector
        self.facts = {
            "detector": detector.name,
            "model": detector.model.name,
            "model sha256": file_sha256(detector.model)[:12],
            "provider": detector.provider,
        }


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    run_node(NAME, lambda: FaceDetectorNode().start(), arguments)


if __name__ == "__main__":
    main()
