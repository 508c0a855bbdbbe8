"""The variants of an encoder: made one by one, measured together."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console

from dfer_ros.core.atomic_file import make_folder, whole_path
from dfer_ros.core.errors import DataError, TrainingError
from dfer_ros.core.faces import Image
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.training.checkpoint import CHECKPOINT_FILE
from dfer_ros.training.compression.fine_tuning import FineTuning, FineTuningConfig
from dfer_ros.training.compression.measurement import Accuracy, measure_accuracy, measure_latency
from dfer_ros.training.compression.quantisation import CALIBRATIONS, convert_fp16, quantise_int8
from dfer_ros.training.compression.source import Source
from dfer_ros.training.data.prepared_set import PreparedSet, check_names, open_prepared_set
from dfer_ros.training.encoder.export import export_encoder
from dfer_ros.training.encoder.frame_encoder import PLAIN_CONVOLUTIONAL

FP16, INT8, PRUNED = "fp16", "int8", "pruned"
VARIANTS = (FP16, INT8, PRUNED)
_FP32 = "fp32"
_RUNS_FOLDER = "runs"


@dataclass(frozen=True)
class CompressionConfig:
    """variants: of VARIANTS. calibrations: of CALIBRATIONS; the best on the validation samples is taken.

    calibration_crops: training samples that are looked at. largest_loss: points of mean WAR that INT8 may lose before
    it is fine-tuned. pruned_share: 0..1 of the expanded channels. fine_tuning.steps 0: no fine-tuning under fake
    quantisation, whatever is lost.
    """

    variants: tuple[str, ...] = VARIANTS
    calibrations: tuple[str, ...] = tuple(CALIBRATIONS)
    calibration_crops: int = 512
    largest_loss: float = 0.5
    pruned_share: float = 0.3
    fine_tuning: FineTuningConfig = field(default_factory=FineTuningConfig)
    seed: int = 0


@dataclass(frozen=True)
class Variant:
    """One encoder file. megabytes: 10^6 bytes. milliseconds: per face, one thread. speed_up: FP32's time over its own.

    lost: points of mean WAR against FP32. how: what was done to it.
    """

    name: str
    file: str
    how: str
    megabytes: float
    milliseconds: float
    speed_up: float
    accuracy: Accuracy
    lost: float


class Compression:
    """Makes the variants of one source in a folder.

    sets: folders of prepared sets; their training samples calibrate and fine-tune, their validation samples choose and
    measure. Raises DataError where there are none of these.
    """

    def __init__(
        self, source: Source, sets: list[Path], output: Path, config: CompressionConfig, console: Console
    ) -> None:
        opened = [open_prepared_set(folder) for folder in dict.fromkeys(sets)]
        check_names(opened)
        self._training_sets = [one.split("train") for one in opened if one.split("train").samples]
        self._validation = [one.split("validation") for one in opened if one.split("validation").samples]
        for split, found in (("train", self._training_sets), ("validation", self._validation)):
            if not found:
                raise DataError(
                    f"No sample of {', '.join(map(str, sets))} is of the split {split}: give a set with it."
                )
        if PRUNED in config.variants and not source.plain_convolutional:
            raise TrainingError(
                f"Only a run of 'dfer train' can be pruned, of {' or '.join(PLAIN_CONVOLUTIONAL)}: leave '{PRUNED}' "
                "out of --variants."
            )
        self._source, self._output, self._config, self._console = source, output, config, console
        self._crops = _calibration_crops(self._training_sets, config)
        self._made: dict[str, tuple[Path, str]] = {}
        self._accuracy: dict[str, Accuracy] = {}

    def run(self) -> list[Variant]:
        """Make and measure all variants; the first is FP32. Raises TrainingError where a file cannot be written."""
        make_folder(self._output)
        self._source.write_fp32(self._path(_FP32))
        self._add_variant(_FP32, "as trained")
        if FP16 in self._config.variants:
            self._console.print("Converting to FP16")
            convert_fp16(self._path(_FP32), self._path(FP16))
            self._add_variant(FP16, "weights and activations in 16 bits")
        if INT8 in self._config.variants:
            self._quantise(INT8, _FP32)
            if self._lost(INT8) > self._config.largest_loss and self._source.plain_convolutional:
                self._fine_tune_quantised()
        if PRUNED in self._config.variants:
            self._prune()
        return self._measured()

    def _quantise(self, name: str, precise: str) -> None:
        """Make an INT8 encoder from a precise one with the calibration that answers best."""
        with tempfile.TemporaryDirectory() as folder:
            candidates = {
                calibration: Path(folder) / f"{calibration}.onnx" for calibration in self._config.calibrations
            }
            for calibration, path in candidates.items():
                self._console.print(f"Quantising {precise}, calibration by {calibration}", highlight=False)
                quantise_int8(self._path(precise), path, self._crops, self._source.description, calibration)
            measured = self._measure({_FP32: self._path(_FP32), **candidates})
            best = max(candidates, key=lambda one: (measured[one].mean_war, measured[one].agreement))
            with whole_path(self._path(name)) as part:
                part.write_bytes(candidates[best].read_bytes())
        tried = ", ".join(f"{one} {measured[one].mean_war:.2f}" for one in candidates)
        self._made[name] = (self._path(name), f"calibrated by {best} (mean WAR {tried})")
        self._accuracy[name] = measured[best]

    def _fine_tune_quantised(self) -> None:
        lost, config = self._lost(INT8), self._config
        self._console.print(f"INT8 loses {lost:.2f} points, more than {config.largest_loss:g}", highlight=False)
        if config.fine_tuning.steps == 0:
            return
        tuned = self._fine_tuning().quantisation_aware(self._crops)
        export_encoder(tuned, self._path("tuned_fp32"))
        self._add_variant("tuned_fp32", "fine-tuned under fake quantisation")
        self._quantise("tuned_int8", "tuned_fp32")

    def _prune(self) -> None:
        model = self._fine_tuning().pruned(self._config.pruned_share)
        export_encoder(model, self._path("pruned_fp32"))
        self._add_variant(
            "pruned_fp32", f"without {100 * self._config.pruned_share:g} % of the expanded channels, fine-tuned"
        )
        if INT8 in self._config.variants:
            self._quantise("pruned_int8", "pruned_fp32")

    def _fine_tuning(self) -> FineTuning:
        assert self._source.run is not None
        key = file_sha256(self._source.run / CHECKPOINT_FILE)[:8]
        sets = [prepared.folder for prepared in self._training_sets]
        runs = self._output / _RUNS_FOLDER
        return FineTuning(self._source, sets, runs, key, self._config.fine_tuning, self._console)

    def _add_variant(self, name: str, how: str) -> None:
        self._made[name] = (self._path(name), how)
        self._accuracy[name] = self._measure({_FP32: self._path(_FP32), name: self._path(name)})[name]

    def _measure(self, encoders: dict[str, Path]) -> dict[str, Accuracy]:
        return measure_accuracy(encoders, self._validation, self._source.description, self._console)

    def _lost(self, name: str) -> float:
        return self._accuracy[_FP32].mean_war - self._accuracy[name].mean_war

    def _measured(self) -> list[Variant]:
        paths = {name: path for name, (path, _) in self._made.items()}
        crop = self._validation[0].crop(0)
        times = measure_latency(paths, crop, self._source.description, self._console)
        return [
            Variant(
                name,
                path.name,
                how,
                path.stat().st_size / 1e6,
                times[name],
                times[_FP32] / times[name],
                self._accuracy[name],
                self._lost(name),
            )
            for name, (path, how) in self._made.items()
        ]

    def _path(self, name: str) -> Path:
        return self._output / f"encoder_{name}.onnx"


def _calibration_crops(sets: list[PreparedSet], config: CompressionConfig) -> list[Image]:
    """Return training crops, equally many of each set, as far as it has them."""
    chance = np.random.default_rng(config.seed)
    crops = []
    for prepared in sets:
        count = min(-(-config.calibration_crops // len(sets)), len(prepared.samples))
        crops += [prepared.crop(int(index)) for index in chance.choice(len(prepared.samples), count, replace=False)]
    return crops
