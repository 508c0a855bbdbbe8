"""Vision transformers of `transformers`, tuned as a whole or with LoRA (Hu et al. 2022).

The plain one (Dosovitskiy et al. 2021) and that of DINOv2 (Oquab et al. 2024), for which pretrained weights can be had.

`transformers` and `peft` are imported only when such an encoder is made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dfer_ros.core.errors import TrainingError, first_line
from dfer_ros.training.encoder.dinov2_weights import load_dinov2_weights

PLAIN, DINOV2 = FAMILIES = ("vit", "dinov2")
_ADAPTER = "default"
_MODULES = {
    "query": ("query", "q_proj"),
    "key": ("key", "k_proj"),
    "value": ("value", "v_proj"),
    "dense": ("dense", "o_proj", "fc1", "fc2"),
}
"""The linear layers of a ViT, and what the versions of `transformers` call them."""


@dataclass(frozen=True)
class VisionTransformerConfig:
    """image_size: pixels for which the position embeddings are stored; other sizes interpolate them.

    family: one of FAMILIES. patch_size: side of a patch in pixels. hidden_size, intermediate_size: channels.
    layers, heads: counts. frozen_layers: how many of the first layers stay as they are, and what comes before them.
    """

    image_size: int = 96
    patch_size: int = 16
    hidden_size: int = 192
    layers: int = 8
    heads: int = 3
    intermediate_size: int = 768
    family: str = PLAIN
    frozen_layers: int = 0


@dataclass(frozen=True)
class LoraConfig:
    """rank, alpha: of the low-rank updates, which are scaled by alpha / rank. dropout: 0..1, on their input.

    modules: the linear layers that get one: query, key, value and dense, which is all the others.
    """

    rank: int = 8
    alpha: int = 16
    dropout: float = 0.0
    modules: tuple[str, ...] = ("query", "value")


class VisionTransformer(nn.Module):
    """Images [N, 3, S, S] to feature maps [N, D, S / patch, S / patch]: the patch tokens of the last layer."""

    def __init__(self, config: VisionTransformerConfig, pretrained: Path | None, lora: LoraConfig | None) -> None:
        super().__init__()
        self._patch = config.patch_size
        self._options: dict[str, Any] = {} if config.family == DINOV2 else {"interpolate_pos_encoding": True}
        self.network = _create_network(config, pretrained)
        if config.frozen_layers:
            self.network.embeddings.requires_grad_(False)
            for layer in self.network.encoder.layer[: config.frozen_layers]:
                layer.requires_grad_(False)
        if lora is not None:
            _add_adapters(self.network, lora)
            self.register_load_state_dict_pre_hook(_accept_plain_weights)  # type: ignore[no-untyped-call]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the feature maps [N, D, S / patch, S / patch]."""
        tokens = self.network(image, **self._options).last_hidden_state[:, 1:]
        side = image.shape[-1] // self._patch
        return tokens.transpose(1, 2).unflatten(2, (side, side))

    def merge(self) -> None:
        """Merge the adapters into the weights and drop them."""
        from peft.tuners.lora import LoraLayer

        adapters = [(name, module) for name, module in self.network.named_modules() if isinstance(module, LoraLayer)]
        for name, module in adapters:
            module.merge()
            self.network.set_submodule(name, module.get_base_layer())


def _create_network(config: VisionTransformerConfig, pretrained: Path | None) -> Any:
    if config.family not in FAMILIES:
        raise TrainingError(f"vit.family '{config.family}' is not known: use one of {', '.join(FAMILIES)}.")
    if config.family == PLAIN:
        return _create(config) if pretrained is None else _load_network(pretrained, config)
    network = _create_dinov2(config)
    if pretrained is not None:
        load_dinov2_weights(network, pretrained)
    return network


def _create_dinov2(config: VisionTransformerConfig) -> Any:
    from transformers import Dinov2Config, Dinov2Model

    if config.intermediate_size % config.hidden_size:
        raise TrainingError(f"A {DINOV2} needs an intermediate_size that is a multiple of its hidden_size.")
    described = Dinov2Config(
        image_size=config.image_size,
        patch_size=config.patch_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        mlp_ratio=config.intermediate_size // config.hidden_size,
    )
    described._attn_implementation = "eager"
    network = Dinov2Model(described)
    network.embeddings.mask_token.requires_grad_(False)  # of its pretraining only
    return network


def _create(config: VisionTransformerConfig) -> Any:
    from transformers import ViTConfig, ViTModel

    described = ViTConfig(
        image_size=config.image_size,
        patch_size=config.patch_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.intermediate_size,
    )
    described._attn_implementation = "eager"
    return ViTModel(described, add_pooling_layer=False)


def _load_network(folder: Path, config: VisionTransformerConfig) -> Any:
    """Return the ViT of a checkpoint folder. Raises TrainingError where it is not there or not of this size."""
    from transformers import ViTModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if not (folder / "config.json").is_file():
        raise TrainingError(f"There is no config.json in {folder}: set 'pretrained' to the folder of a ViT checkpoint.")
    try:
        network: Any = ViTModel.from_pretrained(
            folder, add_pooling_layer=False, local_files_only=True, attn_implementation="eager"
        )
    except Exception as error:  # transformers and safetensors raise many classes for a damaged folder
        raise TrainingError(f"The ViT checkpoint in {folder} cannot be loaded: {first_line(error)}") from error
    found = VisionTransformerConfig(
        network.config.image_size,
        network.config.patch_size,
        network.config.hidden_size,
        network.config.num_hidden_layers,
        network.config.num_attention_heads,
        network.config.intermediate_size,
        frozen_layers=config.frozen_layers,
    )
    if found != config:
        raise TrainingError(f"The ViT in {folder} is not as 'vit' says: set it to {asdict(found)}.")
    return network


def _add_adapters(network: nn.Module, config: LoraConfig) -> None:
    """Freeze a network and give it LoRA adapters, which alone are trained."""
    from peft import LoraConfig as PeftConfig, inject_adapter_in_model

    unknown = [module for module in config.modules if module not in _MODULES]
    if unknown or not config.modules:
        raise TrainingError(f"lora.modules are {list(config.modules)}, but must be some of {', '.join(_MODULES)}.")
    described = PeftConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=[name for module in config.modules for name in _MODULES[module]],
    )
    inject_adapter_in_model(described, network, adapter_name=_ADAPTER)


def _accept_plain_weights(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Let the weights of the same ViT without adapters be loaded; the adapters stay as they are."""
    own = module.state_dict()
    if any(name.startswith(prefix) and ".lora_" in name for name in state):
        return
    for name, tensor in own.items():
        if ".lora_" in name:
            state[prefix + name] = tensor
        elif ".base_layer." in name and prefix + name.replace(".base_layer.", ".") in state:
            state[prefix + name] = state.pop(prefix + name.replace(".base_layer.", "."))
