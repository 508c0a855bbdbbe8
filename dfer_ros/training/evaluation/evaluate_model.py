"""The whole evaluation of a model folder: stills, clips, time, cost, and peers in the same run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import ModelError
from dfer_ros.core.model_folder import ModelFolder, encoder_file, open_model_folder
from dfer_ros.core.onnx_session import SessionConfig
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.core.temporal_head import TemporalHead
from dfer_ros.core.window import WindowConfig
from dfer_ros.training.clip_embeddings import ClipEmbeddings
from dfer_ros.training.clips import open_clips
from dfer_ros.training.encoder_session import EncoderSession
from dfer_ros.training.evaluation.clips import (
    ClipRow,
    GroupResult,
    LeftOutCalibration,
    answer_all,
    clip_rows,
    group_results,
    left_out_calibration,
)
from dfer_ros.training.evaluation.model_cost import ModelCost, measure_cost
from dfer_ros.training.evaluation.peers import Peer, load_peer
from dfer_ros.training.evaluation.stills import StillResults, evaluate_stills, open_evaluation_split
from dfer_ros.training.evaluation.time_use import TimeUse, measure_time_use


@dataclass(frozen=True)
class EvaluationConfig:
    """model: name of a shipped model or path of a folder. precisions: empty for all that are there.

    stills: prepared sets. clips: zip file or folder with manifest.csv. peers: names of evaluation.peers.
    seed: of shuffles and resamples. frame_rate: Hz, for the cost of a second of video.
    """

    model: str
    precisions: tuple[str, ...] = ()
    stills: tuple[Path, ...] = ()
    clips: Path | None = None
    peers: tuple[str, ...] = ()
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    seed: int = 0
    frame_rate: float = 30.0


@dataclass(frozen=True)
class ClipsResults:
    """by_precision, by_peer: results by group (all videos, or a source). The rest is of the first precision.

    left_out: None where there are videos of one source only.
    """

    detector: str
    by_precision: dict[str, dict[str, GroupResult]]
    by_peer: dict[str, dict[str, GroupResult]]
    left_out: LeftOutCalibration | None
    time_use: TimeUse
    rows: list[ClipRow]


@dataclass(frozen=True)
class EvaluationResults:
    """All that was measured. peers: where the weights of each come from, by name."""

    model: str
    input_size: int
    temperature: float
    seed: int
    precisions: tuple[str, ...]
    peers: dict[str, str]
    stills: list[StillResults]
    clips: ClipsResults | None
    cost: ModelCost


def evaluate_model(config: EvaluationConfig, console: Console) -> EvaluationResults:
    """Return everything measured; what is missing is said before anything is measured.

    Raises ModelError, DataError, DetectorError or SourceError.
    """
    folder = open_model_folder(config.model)
    precisions = _precisions(folder, config.precisions)
    for prepared in config.stills:
        open_evaluation_split(prepared)
    if config.clips is not None:
        with open_clips(config.clips):
            pass
    peers = [load_peer(name) for name in config.peers]
    encoders = {p: EncoderSession(folder.verified(encoder_file(p)), folder.description) for p in precisions}
    first = encoders[precisions[0]]
    clips = None if config.clips is None else _evaluate_clips(config, config.clips, folder, encoders, peers, console)
    size, temperature = folder.description.input_size, folder.description.temperature
    stills = [evaluate_stills(path, encoders, peers, size, temperature, console) for path in config.stills]
    cost = measure_cost(folder, precisions, first.embedding_size, peers, config.frame_rate, console)
    return EvaluationResults(
        folder.path.resolve().name,
        size,
        temperature,
        config.seed,
        precisions,
        {peer.name: peer.description.origin for peer in peers},
        stills,
        clips,
        cost,
    )


def _precisions(folder: ModelFolder, wanted: tuple[str, ...]) -> tuple[str, ...]:
    if not folder.precisions:
        raise ModelError(f"There is no encoder in {folder.path}: expected one of encoder_*.onnx.")
    missing = [precision for precision in wanted if precision not in folder.precisions]
    if missing:
        raise ModelError(f"There is no {encoder_file(missing[0])} in {folder.path}: make it with 'dfer compress'.")
    # The precision that robots run comes first.
    return wanted or tuple(reversed(folder.precisions))


def _evaluate_clips(
    config: EvaluationConfig,
    clips: Path,
    folder: ModelFolder,
    encoders: dict[str, EncoderSession],
    peers: list[Peer],
    console: Console,
) -> ClipsResults:
    first = next(iter(encoders))
    detector = create_detector(config.detector)
    recognizers = {p: Recognizer(RecognizerConfig(str(folder.path.resolve()), p)) for p in encoders}
    answered = answer_all(clips, detector, recognizers, encoders[first], peers, console)
    answers = answered.by_precision[first]
    return ClipsResults(
        detector.name,
        {name: group_results(of_precision, config.seed) for name, of_precision in answered.by_precision.items()},
        {name: group_results(of_peer, config.seed) for name, of_peer in answered.by_peer.items()},
        left_out_calibration(answers, folder.description.temperature),
        _time_use(folder, encoders[first].embedding_size, answered.embeddings, config.seed, console),
        clip_rows(answers),
    )


def _time_use(
    folder: ModelFolder, embedding_size: int, clips: list[ClipEmbeddings], seed: int, console: Console
) -> TimeUse:
    description = folder.description
    head = TemporalHead(folder, embedding_size, SessionConfig())
    window = WindowConfig(description.window_seconds, description.window_frames)
    return measure_time_use(
        clips, lambda windows: head.answer(windows).logits, window, description.temperature, seed, console
    )
