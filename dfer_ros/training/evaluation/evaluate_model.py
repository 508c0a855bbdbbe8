"""The whole evaluation of a model folder: stills, clips, time, cost, and peers in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dfer_ros.core.errors import ModelError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import ModelFolder, encoder_file, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.clips.sources import check_clip_paths, labelled_faces
from dfer_ros.training.data.prepared_set import check_names
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.evaluation.clips import (
    ClipRow,
    GroupResult,
    LeftOutCalibration,
    answer_all,
    clip_rows,
    group_results,
    left_out_calibration,
)
from dfer_ros.training.evaluation.left_out import answers_without_source
from dfer_ros.training.evaluation.model_cost import ModelCost, measure_cost
from dfer_ros.training.evaluation.stills import (
    StillHead,
    StillModels,
    StillResults,
    evaluate_stills,
    open_evaluation_split,
)
from dfer_ros.training.evaluation.time_use import TimeUse, measure_time_use
from dfer_ros.training.evaluation.verdict import Verdict, clip_verdicts
from dfer_ros.training.experiments.peers import Peer, load_peer


@dataclass(frozen=True)
class EvaluationConfig:
    """model: name of a shipped model or path of a folder. precisions: empty for all that are there.

    stills, clips: prepared sets; the test split is taken, or else validation. peers: names of evaluation.peers.
    against: other models, as `model`, that answer in the same run.
    seed: of shuffles and resamples. frame_rate: Hz, for the cost of a second of video.
    """

    model: str
    precisions: tuple[str, ...] = ()
    stills: tuple[Path, ...] = ()
    clips: tuple[Path, ...] = ()
    peers: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    seed: int = 0
    frame_rate: float = 30.0


@dataclass(frozen=True)
class ClipsResults:
    """by_precision, by_peer: results by group: all videos, a source, a kind. The rest is of the first precision.

    source_left_out: the same of answers that come with the model, of encoders and heads that never saw the source;
    empty where the model has none. left_out: None where there are videos of one source only. Both it and the verdicts,
    over every peer, are of those answers where the model has them.
    """

    by_precision: dict[str, dict[str, GroupResult]]
    by_peer: dict[str, dict[str, GroupResult]]
    source_left_out: dict[str, GroupResult]
    verdicts: list[Verdict]
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
    check_inputs(config.stills, config.clips)
    peers = [load_peer(name) for name in config.peers]
    others = {other.path.resolve().name: other for other in map(open_model_folder, config.against)}
    encoders = {p: EncoderSession(folder.verified(encoder_file(p)), folder.description) for p in precisions}
    first = encoders[precisions[0]]
    head = TemporalHead(folder, first.embedding_size, SessionConfig())
    clips = None
    if config.clips:
        clips = _evaluate_clips(config, folder, encoders, head, peers, others, console)
    size, temperature = folder.description.input_size, folder.description.temperature
    one = _on_stills(head)
    other_encoders = {name: _first_encoder(other) for name, other in others.items()}
    compared = StillModels(encoders, one, peers, other_encoders, size, temperature)
    stills = [evaluate_stills(path, compared, config.seed, console) for path in config.stills]
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


def check_inputs(stills: Sequence[Path], clips: Sequence[Path]) -> None:
    """Raise DataError for prepared sets or clips that are not there, cannot be used, or cannot be told apart."""
    check_names(open_evaluation_split(folder) for folder in stills)
    check_clip_paths(clips, open_evaluation_split)


def _first_encoder(folder: ModelFolder) -> EncoderSession:
    return EncoderSession(folder.verified(encoder_file(_precisions(folder, ())[0])), folder.description)


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
    folder: ModelFolder,
    encoders: dict[str, EncoderSession],
    head: TemporalHead,
    peers: list[Peer],
    others: dict[str, ModelFolder],
    console: Console,
) -> ClipsResults:
    first, description = next(iter(encoders)), folder.description
    window = WindowConfig(description.window_seconds, description.window_frames)
    recognizers = {p: _recognizer(folder, p) for p in encoders}
    of_others = {name: _recognizer(other, _precisions(other, ())[0]) for name, other in others.items()}
    clips = labelled_faces(config.clips, open_evaluation_split)
    faces = track(clips, description="clips", console=console, transient=True)
    answered = answer_all(faces, recognizers, encoders[first], peers, of_others)
    answers = answered.by_precision[first]
    without = answers_without_source(folder.path, answers, description.temperature)
    return ClipsResults(
        {name: group_results(of_precision, config.seed) for name, of_precision in answered.by_precision.items()},
        {name: group_results(of_peer, config.seed) for name, of_peer in answered.by_peer.items()},
        group_results(without, config.seed) if without else {},
        clip_verdicts(without or answers, answered.by_peer, config.seed),
        left_out_calibration(without or answers, description.temperature),
        measure_time_use(answered.embeddings, head.logits, window, description.temperature, config.seed, console),
        clip_rows(answers),
    )


def _recognizer(folder: ModelFolder, precision: str) -> Recognizer:
    return Recognizer(EmotionModel(EmotionModelConfig(str(folder.path.resolve()), precision)))


def _on_stills(head: TemporalHead) -> StillHead:
    def answer(embeddings: FloatArray) -> FloatArray:
        windows = [FrameWindow(WindowConfig(1.0, 1), embeddings.shape[1]) for _ in embeddings]
        for window, embedding in zip(windows, embeddings):
            window.add(0.0, embedding, 1.0)
        return head.logits(windows)

    return answer
