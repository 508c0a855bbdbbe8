"""What a run of a frame encoder is told: data, surround, augmentation, teachers, schedule; every value is checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.augmentation import AugmentationConfig
from dfer_ros.training.encoder.batches import DataConfig
from dfer_ros.training.encoder.frame_encoder import VIT, EncoderConfig
from dfer_ros.training.encoder.surround import SurroundConfig


@dataclass(frozen=True)
class TeacherConfig:
    """run: name of an encoder's run. input_size: pixels at which it looks at the stills.

    bfloat16: whether it computes in 16 bits, for a vision transformer.
    """

    run: str
    input_size: int = 112
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if self.input_size < 1:
            raise TrainingError("A teacher needs an input_size of 1 pixel or more.")


@dataclass(frozen=True)
class DistillationConfig:
    """weight: share 0..1 of the teachers' probabilities in the targets. temperature: above 1 softens them.

    mirrored: whether they see each still a second time, mirrored.
    """

    teachers: tuple[TeacherConfig, ...] = ()
    weight: float = 0.6
    temperature: float = 1.0
    mirrored: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1 or self.temperature <= 0:
            raise TrainingError("distillation needs a weight of 0 to 1 and a temperature above 0.")


@dataclass(frozen=True)
class ScheduleConfig:
    """steps: of one batch each. learning_rate: after the warm-up, falling to zero along a cosine.

    sizes: input sizes in pixels that take turns. average: decay of the moving average of the weights.
    mixup: parameter of its beta distribution, 0 for none. frozen_norms: whether batch norms keep their statistics, as
    a last run needs to serve every size: while they follow the batch each size has its own, in use all share one.
    layer_decay: of a vision transformer, by how much each layer learns more slowly than the one after it; 1 for none.
    bfloat16: whether a vision transformer computes in 16 bits; its weights are kept in 32. On CPUs with AMX that is
    three times as fast.
    """

    steps: int = 8000
    batch_size: int = 64
    sizes: tuple[int, ...] = (64, 80, 96, 112, 128)
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 200
    average: float = 0.999
    mixup: float = 0.2
    label_smoothing: float = 0.05
    frozen_norms: bool = False
    layer_decay: float = 1.0
    bfloat16: bool = False
    checkpoint_steps: int = 200
    validation_steps: int = 1000

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch_size, self.checkpoint_steps, self.validation_steps, *self.sizes)
        if min(counts) < 1 or not self.sizes:
            raise TrainingError(
                "A schedule needs steps, batch_size, checkpoint_steps, validation_steps and at least one of sizes, all "
                "of them 1 or more."
            )
        if self.learning_rate <= 0 or min(self.warm_up_steps, self.mixup) < 0:
            raise TrainingError("A schedule needs a learning_rate above 0, and warm_up_steps and mixup of 0 or more.")
        if not 0 < self.layer_decay <= 1:
            raise TrainingError("A schedule needs a layer_decay above 0 and up to 1.")
        if not 0 <= self.average < 1 or not 0 <= self.label_smoothing < 1:
            raise TrainingError("A schedule needs an average and a label_smoothing of 0 to below 1.")


@dataclass(frozen=True)
class ValidationConfig:
    """sets: names of prepared sets whose validation split is measured. input_size: pixels."""

    sets: tuple[str, ...] = ()
    input_size: int = 96

    def __post_init__(self) -> None:
        if self.input_size < 1:
            raise TrainingError("validation needs an input_size of 1 pixel or more.")


@dataclass(frozen=True)
class EncoderTrainingConfig:
    """All of a run. start: name of a run whose weights this one begins with, or None. workers: loading processes.

    logit_adjustment: 0 leaves the answers as they are, which expects the classes as often as they were drawn; 1 makes
    the trained encoder answer as if all were equally likely (Menon et al. 2021).
    folds: sets, or sources of clips, by a name for them; `without` is the run that leaves those of one out.
    """

    data: tuple[DataConfig, ...]
    start: str | None = None
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    surround: SurroundConfig = field(default_factory=SurroundConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    logit_adjustment: float = 0.0
    seed: int = 0
    workers: int = 1
    folds: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def without(self, fold: str) -> EncoderTrainingConfig:
        """Return the run of a fold: the same without some sets and sources. Raises TrainingError for no such fold."""
        if fold not in self.folds:
            offer = f"it has {', '.join(self.folds)}" if self.folds else "it has none"
            raise TrainingError(f"The run has no fold '{fold}': {offer}.")
        left_out = self.folds[fold]
        kept = (one for one in self.data if one.name not in left_out)
        data = tuple(replace(one, without=(*one.without, *left_out)) for one in kept)
        return replace(self, data=data, folds={})

    def __post_init__(self) -> None:
        if not self.data:
            raise TrainingError("data needs at least one set.")
        if min(self.seed, self.workers) < 0:
            raise TrainingError("seed and workers must be 0 or more.")
        patch = self.encoder.vit.patch_size
        sizes = (*self.schedule.sizes, self.validation.input_size)
        if self.encoder.architecture == VIT and any(size % patch for size in sizes):
            raise TrainingError(f"A {VIT} needs sizes and a validation.input_size that are multiples of {patch}.")
        if self.encoder.architecture != VIT and (self.schedule.bfloat16 or self.schedule.layer_decay < 1):
            raise TrainingError(f"bfloat16 and layer_decay are for a {VIT}: leave them out for others.")
