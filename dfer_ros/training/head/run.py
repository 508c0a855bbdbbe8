"""A run for a head: what the encoder makes of stills and clips, each source left out in turn, then the head itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.core.faces import FloatArray
from dfer_ros.core.model.folder import HEAD_FILE, file_sha256
from dfer_ros.text.tables import Table, csv_text, rich_table, table_of
from dfer_ros.text.wording import in_percent
from dfer_ros.training.checkpoint import CHECKPOINT_FILE
from dfer_ros.training.clips.embeddings import ClipEmbeddings, embed_clip, load_clip_embeddings, save_clip_embeddings
from dfer_ros.training.clips.sources import (
    Clips,
    check_clip_paths,
    clip_names,
    clip_paths,
    labelled_faces,
)
from dfer_ros.training.courses.bank import BankConfig, EmbeddingBank, embed_stills, join_banks, load_bank, save_bank
from dfer_ros.training.data.prepared_set import SPLITS, PreparedSet, open_prepared_set
from dfer_ros.training.encoder.export import exported_encoder
from dfer_ros.training.encoder.session import Encoder
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder
from dfer_ros.training.evaluation.calibration import fit_temperature
from dfer_ros.training.evaluation.clip_answers import ClipAnswer
from dfer_ros.training.evaluation.left_out import ANSWERS_FILE, save_answers
from dfer_ros.training.folders import TrainingFolders
from dfer_ros.training.head.calibration import write_calibration
from dfer_ros.training.head.export import export_head
from dfer_ros.training.head.left_out import (
    HEAD,
    ORDERS,
    WEIGHTED_MEAN,
    ComparisonRow,
    answers_without,
    comparison_rows,
    left_out_answers,
)
from dfer_ros.training.head.training import Classifier, HeadTrainingConfig, train_head

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

COMPARISON_FILE, CALIBRATION_FILE = "left_out_sources.csv", "left_out.yaml"


@dataclass(frozen=True)
class BankStills:
    """Stills for the bank. name: a prepared set. split: better not one that the encoder was trained on. count: most."""

    name: str
    split: str = "validation"
    count: int = 1500

    def __post_init__(self) -> None:
        if self.split not in SPLITS or self.count < 1:
            raise TrainingError(f"The stills {self.name} need a split of {', '.join(SPLITS)} and a count of 1 or more.")


@dataclass(frozen=True)
class FoldConfig:
    """encoder: name of a run that trained it without the clips of some sources."""

    encoder: str
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.sources:
            raise TrainingError(f"The fold of the encoder {self.encoder} needs at least one of sources.")


@dataclass(frozen=True)
class HeadRunConfig:
    """encoder: name of the run that trained it. clips: see clip_sources. input_size: pixels.

    stills: what simulated courses are made of. folds: encoders that have not seen some sources, each with which the
    answers on these are made; all sources are in one of them. Without folds the encoder is the same for all.
    named_precision: share 0..1 of right answers among those that are named, on videos of sources left out, from which
    the threshold of unknown follows.
    """

    encoder: str
    clips: Clips
    stills: tuple[BankStills, ...]
    folds: tuple[FoldConfig, ...] = ()
    input_size: int = 96
    named_precision: float = 0.8
    bank: BankConfig = field(default_factory=BankConfig)
    training: HeadTrainingConfig = field(default_factory=HeadTrainingConfig)

    def __post_init__(self) -> None:
        if not self.stills or self.input_size < 1 or not 0 < self.named_precision < 1:
            raise TrainingError(
                "A run for a head needs stills, an input_size of 1 pixel or more, and a named_precision of 0 to 1."
            )


def run_head(config: HeadRunConfig, folders: TrainingFolders, console: Console) -> None:
    """Leave head.onnx in the folder of the run, and what it gives on each source that it has not seen.

    What is there from a run that was stopped is taken over. Raises DataError and TrainingError for what is missing.
    """
    material = head_material(config, config.encoder, folders, console)
    answers = _left_out(config, material, folders, console)
    rows = comparison_rows(answers)
    write_rows(rows, folders.output / COMPARISON_FILE)
    console.print(rich_table(comparison_table(rows)))
    head = train_head(config.training, *material, None, folders.output, console)
    save_answers(folders.output / ANSWERS_FILE, answers[HEAD, "plain"])
    calibration = folders.output / CALIBRATION_FILE
    write_calibration(answers[HEAD, "plain"], rows, config.training, config.named_precision, calibration)
    export_head(head, folders.output / HEAD_FILE)


class HeadMaterial(NamedTuple):
    """What a head is made from: the classifier of an encoder, and what the encoder makes of stills and clips."""

    classifier: Classifier
    bank: EmbeddingBank
    clips: list[ClipEmbeddings]


def head_material(config: HeadRunConfig, name: str, folders: TrainingFolders, console: Console) -> HeadMaterial:
    """Return the material with the encoder of a run, kept in the folder of the head's run."""
    run = folders.runs / name
    encoder = load_trained_encoder(run, config.input_size)
    sets = [drawn_stills(one, folders.data, config.bank.seed) for one in config.stills]
    paths = clip_paths(config.clips, folders.data)
    key = material_key(run, config.input_size, (config.stills, config.bank))
    clips_file = folders.output / f"clips_{key}.npz"
    if not clips_file.is_file():
        check_clip_paths(paths)  # what is missing is said before an hour of work
    folders.make_output()
    session = exported_encoder(encoder)
    bank = kept_bank(sets, session, config.bank, folders.output / f"bank_{key}.npz")
    clips = kept_clips(paths, session, clips_file, console)
    return HeadMaterial(frame_classifier(encoder, bank), bank, clips)


def _left_out(
    config: HeadRunConfig, material: HeadMaterial, folders: TrainingFolders, console: Console
) -> dict[tuple[str, str], list[ClipAnswer]]:
    """Return the answers on all clips, each by a head, and with folds an encoder, that never saw its source."""
    if not config.folds:
        return left_out_answers(config.training, *material, folders.output / "left_out", console)
    answers: dict[tuple[str, str], list[ClipAnswer]] = {}
    left_out = {source for fold in config.folds for source in fold.sources}
    missing = sorted({clip.source for clip in material.clips} - left_out)
    if missing:
        raise TrainingError(f"No fold of this run leaves out {', '.join(missing)}: add them to the sources of one.")
    for fold in config.folds:
        of_fold = head_material(config, fold.encoder, folders, console)
        output = folders.output / "left_out" / "-".join(fold.sources)
        for key, given in answers_without(config.training, *of_fold, fold.sources, output, console).items():
            answers.setdefault(key, []).extend(given)
    return answers


def comparison_table(rows: list[ComparisonRow]) -> Table:
    """Return the UAR in percent by source: of head and weighted mean, and of the head with its frames out of order."""
    columns = {"weighted mean": (WEIGHTED_MEAN, "plain"), **{order: (HEAD, order) for order in ORDERS}}
    headings = ["source", *("head" if title == "plain" else title for title in columns)]
    of_sources: list[list[str]] = []
    for source in dict.fromkeys(row.source for row in rows):
        of_source = {(row.head, row.order): row.uar for row in rows if row.source == source}
        of_sources.append([source, *(in_percent(of_source[one]) for one in columns.values())])
    return table_of(headings, of_sources, title="UAR in percent on each source, by a head that never saw it")


def drawn_stills(stills: BankStills, data: Path, seed: int) -> PreparedSet:
    """Return at most `count` samples of a split, drawn at random."""
    prepared = open_prepared_set(data / stills.name).split(stills.split)
    if not prepared.samples:
        raise DataError(
            f"The set {data / stills.name} has no samples in the split '{stills.split}': name another under 'stills'."
        )
    chosen = np.random.default_rng(seed).permutation(len(prepared.samples))[: stills.count]
    return replace(prepared, samples=tuple(prepared.samples[index] for index in sorted(chosen)))


def kept_bank(sets: Sequence[PreparedSet], encoder: Encoder, config: BankConfig, path: Path) -> EmbeddingBank:
    """Return the bank of some stills, from the file `path` if it is there."""
    if not path.is_file():
        save_bank(
            path, join_banks([embed_stills(one, lambda crops: encoder.run(crops).embeddings, config) for one in sets])
        )
    return load_bank(path)


def kept_clips(paths: Sequence[Path], encoder: Encoder, path: Path, console: Console) -> list[ClipEmbeddings]:
    """Return what an encoder makes of labelled clips (see clip_sources), from the file `path` if it is there."""
    if not path.is_file():
        faces = track(labelled_faces(paths), description="embeddings of clips", console=console)
        save_clip_embeddings(path, [embed_clip(clip, encoder) for clip in faces], clip_names(paths))
    return load_clip_embeddings(path, clip_names(paths))


def material_key(run: Path, input_size: int, others: object) -> str:
    """Return a short name for what is computed with the encoder of a run: another encoder, another name."""
    made_of = repr((file_sha256(run / CHECKPOINT_FILE), input_size, others))
    return hashlib.sha256(made_of.encode()).hexdigest()[:8]


def frame_classifier(encoder: TrainedEncoder, bank: EmbeddingBank) -> Classifier:
    """Return the classifier of the encoder, with the temperature that suits single stills."""
    weight = encoder.model.classifier.weight.detach().cpu().numpy()
    bias = encoder.model.classifier.bias.detach().cpu().numpy()
    logits: FloatArray = bank.embeddings[:, : bank.plain].mean(axis=1) @ weight.T + bias
    return Classifier(weight, bias, fit_temperature(logits, bank.labels, np.ones(len(bank), np.float32)))


def write_rows(rows: Sequence[DataclassInstance], path: Path) -> None:
    """Write a CSV file with one line for each dataclass. Raises OutputError where it cannot be written."""
    with whole_path(path) as part:
        part.write_text(csv_text(list(asdict(rows[0])), (astuple(row) for row in rows)), encoding="utf-8")
