"""A frame encoder as it is trained: surround, backbone, pooling, classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.encoder import mobilenet_v1
from dfer_ros.training.encoder.mobilenet_v1 import MobileNetV1, load_face_weights
from dfer_ros.training.encoder.surround import EllipseMask, SurroundConfig
from dfer_ros.training.encoder.vision_transformer import LoraConfig, VisionTransformer, VisionTransformerConfig
from dfer_ros.training.experiments.encoders import efficientnet_lite, efficientnet_v2
from dfer_ros.training.experiments.encoders.efficientnet_lite import EfficientNetLite, load_imagenet_weights
from dfer_ros.training.experiments.encoders.efficientnet_v2 import EfficientNetV2B0

AVERAGE, ATTENTION = "average", "attention"


class AveragePooling(nn.Module):
    """Feature maps [N, D, H, W] to their mean [N, D]."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the embeddings [N, D]."""
        return features.mean(dim=(2, 3))


class AttentionPooling(nn.Module):
    """Feature maps [N, D, H, W] to a mean [N, D] whose weights over the places are learned: a softmax of scores.

    Untrained, it is the plain mean.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(channels, 1, 1)
        for parameter in self.score.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the embeddings [N, D]."""
        weights = self.score(features).flatten(2).softmax(dim=2)
        return torch.matmul(features.flatten(2), weights.transpose(1, 2)).squeeze(2)


def create_pooling(name: str, channels: int) -> nn.Module:
    """Return a pooling by its name. Raises TrainingError for a name that is not known."""
    if name == AVERAGE:
        return AveragePooling()
    if name == ATTENTION:
        return AttentionPooling(channels)
    raise TrainingError(f"pooling '{name}' is not known: use {AVERAGE} or {ATTENTION}.")


IMAGENET = "imagenet"
EFFICIENTNET_LITE = ("efficientnet_lite0", "efficientnet_lite1")
EFFICIENTNET_V2_B0 = "efficientnetv2_b0"
MOBILENET_V1 = "mobilenet_v1"
VIT = "vit"
FULL, FROZEN, LORA = TUNINGS = ("full", "frozen", "lora")


@dataclass(frozen=True)
class EncoderConfig:
    """architecture: one of ARCHITECTURES. dropout: 0..1, before the classifier. pooling: average or attention.

    pretrained: 'imagenet' for an EfficientNet-Lite, the folder of a checkpoint for a ViT, that of the weights of face
    recognition for a MobileNet, or None.
    tuning: 'full' trains everything, 'frozen' only pooling and classifier, 'lora' these and adapters of a ViT.
    widths: channels of the pruned layers of an encoder of PLAIN_CONVOLUTIONAL, or None where none was pruned.
    """

    architecture: str = "efficientnet_lite0"
    pretrained: str | None = IMAGENET
    dropout: float = 0.2
    pooling: str = AVERAGE
    tuning: str = FULL
    widths: tuple[int, ...] | None = None
    vit: VisionTransformerConfig = field(default_factory=VisionTransformerConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)


class TrainableEncoder(nn.Module):
    """Normalised images [N, 3, S, S] to (embedding [N, D], logits [N, 7]). config: what it was made from.

    Raises TrainingError for a configuration that names what is not known or not installed.
    """

    def __init__(self, config: EncoderConfig, surround: SurroundConfig) -> None:
        super().__init__()
        self._check(config)
        self.config = config
        self.surround = EllipseMask(surround.crop) if surround.ellipse else nn.Identity()
        self.backbone, size = _ARCHITECTURES[config.architecture].create(config)
        self.pooling = create_pooling(config.pooling, size)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(size, len(LABELS))
        self._frozen = config.tuning == FROZEN
        if self._frozen:
            self.backbone.requires_grad_(False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embedding [N, D] and logits [N, 7]."""
        embedding = self.pooling(self.backbone(self.surround(image)))
        return embedding, self.classifier(self.dropout(embedding))

    def train(self, mode: bool = True) -> TrainableEncoder:
        """Switch to training or evaluation; a frozen backbone keeps its batch norm statistics and drops nothing."""
        super().train(mode)
        if self._frozen:
            self.backbone.eval()
        return self

    def merge_adapters(self) -> None:
        """Merge adapters, if there are any, into the weights: the same function without their cost."""
        if isinstance(self.backbone, VisionTransformer):
            self.backbone.merge()

    @staticmethod
    def _check(config: EncoderConfig) -> None:
        if config.architecture not in ARCHITECTURES:
            raise TrainingError(
                f"architecture '{config.architecture}' is not known: use one of {', '.join(ARCHITECTURES)}."
            )
        if not 0 <= config.dropout < 1:
            raise TrainingError(f"dropout is {config.dropout:g}, but must be from 0 to below 1.")
        if config.tuning not in TUNINGS:
            raise TrainingError(f"tuning '{config.tuning}' is not known: use one of {', '.join(TUNINGS)}.")
        if config.tuning == LORA and config.architecture != VIT:
            raise TrainingError(f"tuning '{LORA}' is for a {VIT}; {config.architecture} takes '{FULL}' or '{FROZEN}'.")
        if config.widths is not None and config.architecture not in PLAIN_CONVOLUTIONAL:
            raise TrainingError(f"widths are for {', '.join(PLAIN_CONVOLUTIONAL)}, not for {config.architecture}.")


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """Return how many parameters are trained, and how many there are."""
    parameters = list(model.parameters())
    trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return trained, sum(parameter.numel() for parameter in parameters)


def _create_vit(config: EncoderConfig) -> tuple[nn.Module, int]:
    folder = Path(config.pretrained) if config.pretrained is not None else None
    try:
        network = VisionTransformer(config.vit, folder, config.lora if config.tuning == LORA else None)
    except ImportError as error:
        raise TrainingError(
            f"A {VIT} needs {error.name}, which is not installed: 'pip install {error.name}'."
        ) from error
    return network, config.vit.hidden_size


def _create_efficientnet_v2(config: EncoderConfig) -> tuple[nn.Module, int]:
    if config.pretrained is not None:
        raise TrainingError(f"There are no weights to install for {EFFICIENTNET_V2_B0}: set 'pretrained' to null.")
    return EfficientNetV2B0(), efficientnet_v2.EMBEDDING_SIZE


def _create_mobilenet(config: EncoderConfig) -> tuple[nn.Module, int]:
    network = MobileNetV1(config.widths)
    if config.pretrained is not None:
        load_face_weights(network, Path(config.pretrained))
    return network, mobilenet_v1.EMBEDDING_SIZE


def _create_efficientnet_lite(config: EncoderConfig) -> tuple[nn.Module, int]:
    network = EfficientNetLite(config.architecture, config.widths)
    if config.pretrained == IMAGENET:
        load_imagenet_weights(network, config.architecture)
    elif config.pretrained is not None:
        raise TrainingError(f"pretrained '{config.pretrained}' is not known: use '{IMAGENET}' or null.")
    return network, efficientnet_lite.EMBEDDING_SIZE


@dataclass(frozen=True)
class _Architecture:
    """create: returns a network that gives feature maps [N, D, H, W], and D.

    plain_convolutional: of convolutions and ReLU6 alone.
    """

    create: Callable[[EncoderConfig], tuple[nn.Module, int]]
    plain_convolutional: bool = False


_ARCHITECTURES: Mapping[str, _Architecture] = {
    **dict.fromkeys(EFFICIENTNET_LITE, _Architecture(_create_efficientnet_lite, plain_convolutional=True)),
    MOBILENET_V1: _Architecture(_create_mobilenet, plain_convolutional=True),
    EFFICIENTNET_V2_B0: _Architecture(_create_efficientnet_v2),
    VIT: _Architecture(_create_vit),
}
ARCHITECTURES = tuple(_ARCHITECTURES)
PLAIN_CONVOLUTIONAL = tuple(name for name, one in _ARCHITECTURES.items() if one.plain_convolutional)
"""Those that can be pruned and fine-tuned for INT8."""


def run_in_bfloat16(model: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return embedding [N, D] and logits [N, 7], float32, of a model without batch norms that computes in 16 bits.

    Its parameters stay in 32 bits, and so do their gradients: small steps are not lost.
    """
    short = {name: parameter.bfloat16() for name, parameter in model.named_parameters()}
    embedding, logits = torch.func.functional_call(model, short, (image.bfloat16(),))
    return embedding.float(), logits.float()
