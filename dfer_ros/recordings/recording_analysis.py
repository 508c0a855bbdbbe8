"""Recordings, one after the other, through the same core as the live graph, with models that are loaded once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dfer_ros import __version__
from dfer_ros.bags.reader import check_no_ros1, check_one_recording, is_bag, is_storage_file
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.detection.yunet_detector import YuNetDetector, find_yunet_model
from dfer_ros.core.errors import SourceError, readable
from dfer_ros.core.face_mesh import MESH_SHA256, FaceMesh
from dfer_ros.core.face_pipeline import FacePipeline
from dfer_ros.core.head_pose import DEFAULT_FIELD_OF_VIEW, HeadPoses
from dfer_ros.core.installed_files import at_home
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import DESCRIPTION_FILE, ModelFolder, file_sha256
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.tracker import TrackerConfig
from dfer_ros.recordings.analysis import Analysis
from dfer_ros.recordings.bag_images import BagImages
from dfer_ros.recordings.frame_source import DEFAULT_FPS, FrameSource
from dfer_ros.recordings.video import open_source
from dfer_ros.recordings.video_file import is_address
from dfer_ros.streams.file_suffixes import IMAGE_SUFFIXES


@dataclass(frozen=True)
class AnalysisConfig:
    """fps: frames per second of a folder of images. topic: image topic of a bag; empty takes the only one.

    frame_rate: most frames per second processed. model, precision: see EmotionModelConfig; not `auto` by default,
    which measures, so that two runs need not agree. detector, yunet_model: see DetectorConfig.
    head_pose: whether head poses are told as well; field_of_view: of the camera, see HeadPoses.
    Raises SourceError where a rate is not above 0, or the field of view not of 10 to 170 degrees.
    """

    fps: float = DEFAULT_FPS
    topic: str = ""
    frame_rate: float = DEFAULT_FPS
    model: str = EmotionModelConfig.model
    precision: str = "int8"
    detector: str = DetectorConfig.detector
    yunet_model: str = DetectorConfig.yunet_model
    head_pose: bool = False
    field_of_view: float = DEFAULT_FIELD_OF_VIEW

    def __post_init__(self) -> None:
        if not (self.fps > 0 and self.frame_rate > 0):
            raise SourceError("--fps and --frame-rate must be above 0.")
        if not 10 <= self.field_of_view <= 170:
            raise SourceError(f"--field-of-view must be of 10 to 170 degrees, not {self.field_of_view:g}.")


class RecordingAnalyzer:
    """Analyzes one recording at a time; nothing of it is left for the next one. Belongs to one thread.

    config: the configuration, with the precision and the detector that `auto` has led to.
    heads: tells the head poses, where the configuration asks for them.
    identity: what an answer depends on besides the recording, which JSON can hold: version, model, parameters.
    Raises ModelError or DetectorError where these cannot be used.
    """

    def __init__(self, config: AnalysisConfig) -> None:
        self._detector = create_detector(DetectorConfig(config.detector, yunet_model=config.yunet_model))
        self._model = EmotionModel(EmotionModelConfig(config.model, config.precision))
        self.heads = HeadPoses(FaceMesh(SessionConfig()), config.field_of_view) if config.head_pose else None
        self.config = replace(config, precision=self._model.encoder.precision, detector=self._detector.name)
        self.identity = _identity(self.config, self._model.folder)

    def analyze(self, source: FrameSource, ahead: int = 0) -> Analysis:
        """Return the analysis of a source, which is done while it is iterated; ahead: see Analysis."""
        return Analysis(source, *self.create_stages(), self.config.frame_rate, ahead, self.heads)

    def create_stages(self) -> tuple[FacePipeline, Recognizer]:
        """Return both halves of the way of a frame, which remember nothing yet."""
        return FacePipeline(self._detector, TrackerConfig()), Recognizer(self._model)


def open_recording(name: str, config: AnalysisConfig, threads: int | None = None) -> FrameSource:
    """Return the source of a video, or its address, a picture, a folder of pictures, or a bag.

    threads: of the decoder of a video, see VideoFile. Raises SourceError where it cannot be opened.
    """
    if is_address(name):
        source = open_source(name, config.fps, threads)
        if source.live:
            raise SourceError(f"{name} is live: `dfer analyze` reads recordings, for a camera use `dfer run --source`.")
        return source
    path = at_home(Path(name))
    with readable(path):
        check_no_ros1(path)
        if is_bag(path) or is_storage_file(path):
            return BagImages(path, config.topic)
        if path.is_dir() and not any(file.suffix.lower() in IMAGE_SUFFIXES for file in path.iterdir()):
            check_one_recording(path)
        if name.isdecimal() and not path.exists():
            raise SourceError("`dfer analyze` reads recordings; for a camera use `dfer run --source`.")
        if not path.exists():
            raise SourceError(f"There is no file or folder {path}: give a video, a folder of images or a bag.")
        return open_source(name, config.fps, threads)


def nothing_read(name: str, source: FrameSource) -> SourceError:
    """Return the error for a recording of which no image could be read, its name and its source given."""
    if source.unreadable:
        return SourceError(f"No image of {name} can be read; the first: {source.unreadable[0]}")
    return SourceError(f"There is no image in {name}: was something recorded?")


def _identity(config: AnalysisConfig, folder: ModelFolder) -> dict[str, Any]:
    yunet = config.detector == YuNetDetector.name
    return {
        "dfer": __version__,
        # model.yaml holds the sha256 of the files beside it.
        "model_sha256": file_sha256(folder.path / DESCRIPTION_FILE),
        "precision": config.precision,
        "detector": config.detector,
        "detector_sha256": file_sha256(find_yunet_model(config.yunet_model)) if yunet else "",
        "fps": config.fps,
        "topic": config.topic,
        "frame_rate": config.frame_rate,
        "full_look_rate": TrackerConfig.full_look_rate,
        # Only where they were asked for: what was analyzed before there were any is no other answer.
        **({"head_pose": MESH_SHA256, "field_of_view": config.field_of_view} if config.head_pose else {}),
    }
