"""What is compressed: a run of `dfer train`, or the FP32 encoder of a model folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dfer_ros.core.atomic_file import whole_path
from dfer_ros.core.errors import TrainingError
from dfer_ros.core.model.folder import DESCRIPTION_FILE, ModelDescription, encoder_file, open_model_folder
from dfer_ros.training.checkpoint import CHECKPOINT_FILE
from dfer_ros.training.encoder.export import describe, export_encoder
from dfer_ros.training.encoder.frame_encoder import PLAIN_CONVOLUTIONAL
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder

_INPUT_SIZE = 96


@dataclass(frozen=True)
class Source:
    """description: how crops are prepared. run: folder of a run with its encoder, or None. onnx: FP32 file, or None."""

    description: ModelDescription
    run: Path | None = None
    trained: TrainedEncoder | None = None
    onnx: Path | None = None

    @property
    def plain_convolutional(self) -> bool:
        """Whether it is a run whose encoder can be pruned and fine-tuned for INT8."""
        return self.trained is not None and self.trained.model.config.architecture in PLAIN_CONVOLUTIONAL

    def write_fp32(self, path: Path) -> None:
        """Write the FP32 encoder. Raises TrainingError where it cannot be written."""
        if self.trained is not None:
            export_encoder(self.trained.model, path)
        elif self.onnx is not None:
            with whole_path(path) as part:
                part.write_bytes(self.onnx.read_bytes())


def open_source(path: Path, input_size: int | None) -> Source:
    """Return what is at a path: a run's folder, its checkpoint, or a model folder.

    input_size: pixels; None is 96 for a run, and what a model folder says. Raises TrainingError or ModelError where
    nothing of these is there or it cannot be read.
    """
    run = path.parent if path.name == CHECKPOINT_FILE else path
    if (run / CHECKPOINT_FILE).is_file():
        trained = load_trained_encoder(run, input_size or _INPUT_SIZE)
        return Source(describe(trained), run.resolve(), trained)
    if not (path / DESCRIPTION_FILE).is_file():
        raise TrainingError(
            f"{path} has neither {CHECKPOINT_FILE} nor {DESCRIPTION_FILE}: give the folder of a run or of a model."
        )
    folder = open_model_folder(str(path.resolve()))
    description = replace(folder.description, input_size=input_size or folder.description.input_size)
    return Source(description, onnx=folder.verified(encoder_file("fp32")))
