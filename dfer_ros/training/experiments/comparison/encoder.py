"""One frame encoder in the comparison: what it makes of stills and clips, and what heads make of that."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dfer_ros.training.clips.embeddings import ClipEmbeddings, embed_clip, load_clip_embeddings, save_clip_embeddings
from dfer_ros.training.clips.faces import ClipFaces
from dfer_ros.training.clips.windows import clip_windows, head_answers
from dfer_ros.training.courses.bank import BankConfig, EmbeddingBank
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.export import export_encoder
from dfer_ros.training.encoder.frame_encoder import parameter_counts
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder
from dfer_ros.training.evaluation.clip_answers import ClipAnswer, groups
from dfer_ros.training.evaluation.cost import network_cost
from dfer_ros.training.experiments.comparison.results import ComparedModel, kept_result
from dfer_ros.training.head.create_head import HeadConfig, create_head, parameter_count
from dfer_ros.training.head.export import export_head
from dfer_ros.training.head.left_out import ComparisonRow, comparison_row
from dfer_ros.training.head.run import frame_classifier, kept_bank
from dfer_ros.training.head.trainable_head import TrainableHead
from dfer_ros.training.head.training import Classifier, HeadTrainingConfig, choose_decay, train_head, weighted_mean

_NEWEST_ONLY = 1e-3
"""Seconds: a decay with which older frames weigh nothing."""

MakeHead = Callable[[Sequence[ClipEmbeddings], str], TrainableHead]
"""From the clips of all sources but one and the name of that one to a head for it."""

BANK_FILE, CLIPS_FILE = "bank.npz", "clips.npz"


@dataclass(frozen=True)
class ComparisonMaterial:
    """What all heads are trained and compared on.

    faces: of the clips. frame_rate: Hz, of the video whose second is counted.
    """

    stills: Sequence[PreparedSet]
    bank: BankConfig
    faces: Sequence[ClipFaces]
    training: HeadTrainingConfig
    frame_rate: float


class ComparedEncoder:
    """A trained encoder, with its embeddings and finished results in a folder: what is there is not made again."""

    def __init__(self, encoder: TrainedEncoder, material: ComparisonMaterial, folder: Path, console: Console) -> None:
        self._encoder, self._material = encoder, material
        self._folder, self._console = folder, console

    def newest_frame(self, name: str) -> ComparedModel:
        """Return the encoder alone, answering every frame by itself."""

        def measure() -> ComparedModel:
            mean = weighted_mean(_NEWEST_ONLY, self._classifier.temperature)
            rows = self._rows(name, lambda others, source: mean, of_logits=True)
            return self._model(name, 0, 0, rows)

        return kept_result(self._folder / "still_newest.json", measure)

    def weighted_mean(self, name: str) -> ComparedModel:
        """Return the weighted mean of the frames' logits, with the decay that suits the other sources best."""

        def head(others: Sequence[ClipEmbeddings], source: str) -> TrainableHead:
            decay = choose_decay(self._material.training, self._classifier, others)
            return weighted_mean(decay, self._classifier.temperature)

        def measure() -> ComparedModel:
            # Nothing but the decay is fitted.
            return self._model(name, 1, self._head_cost("weighted_mean"), self._rows(name, head, of_logits=True))

        return kept_result(self._folder / "still_mean.json", measure)

    def trained_head(self, kind: str) -> ComparedModel:
        """Return a head of a kind, trained on courses of stills and on the clips of the other sources."""
        training = self._material.training
        config = replace(training, head=replace(training.head, kind=kind))

        def head(others: Sequence[ClipEmbeddings], source: str) -> TrainableHead:
            self._console.print(f"{kind}, left out: {source}", highlight=False)
            folder = self._folder / kind / source
            return train_head(config, self._classifier, self._bank, others, source, folder, self._console)

        def measure() -> ComparedModel:
            parameters = parameter_count(create_head(config.head, *self._classifier))
            return self._model(kind, parameters, self._head_cost(kind), self._rows(kind, head, of_logits=False))

        return kept_result(self._folder / f"{kind}.json", measure)

    @cached_property
    def _bank(self) -> EmbeddingBank:
        return kept_bank(self._material.stills, self._encoder, self._material.bank, self._folder / BANK_FILE)

    @cached_property
    def _classifier(self) -> Classifier:
        return frame_classifier(self._encoder, self._bank)

    @cached_property
    def _clips(self) -> list[ClipEmbeddings]:
        path = self._folder / CLIPS_FILE
        if not path.is_file():
            faces = track(self._material.faces, description="embeddings of clips", console=self._console)
            save_clip_embeddings(path, [embed_clip(clip, self._encoder) for clip in faces])
        return load_clip_embeddings(path)

    def _rows(self, name: str, make_head: MakeHead, of_logits: bool) -> tuple[ComparisonRow, ...]:
        """Return the figures on each source, by a head made without it, and on all videos."""
        answers: list[ClipAnswer] = []
        for source in dict.fromkeys(clip.source for clip in self._clips):
            head = make_head([clip for clip in self._clips if clip.source != source], source)
            tested = [clip for clip in self._clips if clip.source == source]
            window = self._material.training.window
            answers += head_answers(head, [clip_windows(clip, window, of_logits) for clip in tested])
        return tuple(comparison_row(source, name, "plain", group) for source, group in groups(answers).items())

    def _model(self, name: str, parameters: int, head_cost: int, rows: tuple[ComparisonRow, ...]) -> ComparedModel:
        per_second = (self._encoder_cost + head_cost) * self._material.frame_rate
        return ComparedModel(name, parameter_counts(self._encoder.model)[0], parameters, per_second, rows)

    @cached_property
    def _encoder_cost(self) -> int:
        """The multiply-adds of one image."""
        size = self._encoder.input_size
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "encoder.onnx"
            export_encoder(self._encoder.model, path)
            return network_cost(path, {"image": (1, 3, size, size)}).multiply_adds

    def _head_cost(self, kind: str) -> int:
        """Return the multiply-adds of one full window of one person."""
        training = self._material.training
        head = create_head(HeadConfig(kind, training.head.width, training.head.layers), *self._classifier)
        frames = training.window_frames
        shapes = {"embeddings": (1, frames, head.weight.shape[0]), "ages": (1, frames), "mask": (1, frames)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "head.onnx"
            export_head(head, path)
            return network_cost(path, shapes).multiply_adds
