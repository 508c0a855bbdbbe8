"""How long an encoder takes at every input size: one precision on one provider is a variant, all are timed in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime

from dfer_ros.core.alignment import ALIGNED_SIZE
from dfer_ros.core.errors import ModelError, first_line
from dfer_ros.core.latency import median_milliseconds
from dfer_ros.core.model.description import SMALLEST_SIZE, ModelDescription
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.execution_providers import fallback_warning, provider_names
from dfer_ros.core.model.onnx_session import SessionConfig, create_session


@dataclass(frozen=True)
class EncoderVariant:
    """precision: or the name of a file. provider: ONNX Runtime's name of the one in use."""

    precision: str
    provider: str
    session: onnxruntime.InferenceSession

    @property
    def embedding_size(self) -> int:
        """Numbers of one embedding."""
        image = np.zeros((1, 3, SMALLEST_SIZE, SMALLEST_SIZE), dtype=np.float32)
        return int(self.session.run(["embedding"], {"image": image})[0].shape[1])


def open_variants(
    files: Mapping[str, Path], providers: Sequence[str], threads: int
) -> tuple[list[EncoderVariant], list[str]]:
    """Return a variant for every encoder file, by precision, and provider; and a sentence for each provider left out.

    Raises ModelError where a file or the name of a provider cannot be used, and where no provider can be used.
    """
    variants: list[EncoderVariant] = []
    warnings: dict[str, None] = {}
    for precision, path in files.items():
        for provider in provider_names(providers):
            session = create_session(path, SessionConfig((provider,), threads))
            _check_contract(session, path)
            if session.get_providers()[0] == provider:
                variants.append(EncoderVariant(precision, provider, session))
            else:
                warnings[fallback_warning((provider,), session.get_providers())] = None
    if not variants:
        raise ModelError(" ".join(warnings))
    return variants, list(warnings)


def sizes_taken(session: onnxruntime.InferenceSession, multiple: int, largest: int, faces: int) -> list[int]:
    """Return the multiples from 64 to largest pixels at which the encoder runs on so many faces at once.

    Raises ModelError where it has a fixed size, or runs at less than two of them.
    """
    sides = {side for side in session.get_inputs()[0].shape[2:] if isinstance(side, int)}
    if sides:
        raise ModelError(
            f"The encoder takes images of {' by '.join(map(str, sorted(sides)))} pixels only: there is no resolution "
            "to choose; export it with a dynamic size."
        )
    taken, problem = [], ""
    for size in range(-(-SMALLEST_SIZE // multiple) * multiple, largest + 1, multiple):
        try:
            session.run(["embedding"], {"image": np.zeros((faces, 3, size, size), dtype=np.float32)})
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            problem = f" ({first_line(error)})"
        else:
            taken.append(size)
    if len(taken) < 2:
        raise ModelError(
            f"The encoder runs at less than two multiples of {multiple} from {SMALLEST_SIZE} to {largest} pixels, each "
            f"for {faces} at once{problem}: choose a smaller --multiple or a larger --largest."
        )
    return taken


def spread(sizes: Sequence[int], count: int) -> list[int]:
    """Return so many of the sizes, evenly spread from the smallest to the largest; all where there are not more."""
    places = np.linspace(0, len(sizes) - 1, min(count, len(sizes)))
    return [sizes[round(place)] for place in places]


def variant_times(
    variants: Mapping[EncoderVariant, Sequence[int]],
    description: ModelDescription,
    faces: int,
    blocks: Iterable[int],
) -> dict[EncoderVariant, list[float]]:
    """Return the median milliseconds of one frame's crops for every variant, in the order of its input sizes.

    Pre-processing is part of it, as in dfer_node. All variants and sizes take turns, in every one of the blocks.
    """
    candidates = {
        f"{variant.precision} {variant.provider} {size}": _encoder_call(variant.session, description, size, faces)
        for variant, sizes in variants.items()
        for size in sizes
    }
    medians = iter(median_milliseconds(candidates, blocks).values())
    return {variant: [next(medians) for _ in sizes] for variant, sizes in variants.items()}


def _encoder_call(
    session: onnxruntime.InferenceSession, description: ModelDescription, size: int, faces: int
) -> Callable[[], object]:
    crops = list(np.random.default_rng(0).integers(0, 256, (faces, ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8))
    sized = replace(description, input_size=size)
    return lambda: session.run(["embedding"], {"image": preprocess(crops, sized)})


def _check_contract(session: onnxruntime.InferenceSession, path: Path) -> None:
    inputs, outputs = session.get_inputs(), [output.name for output in session.get_outputs()]
    if [one.name for one in inputs] != ["image"] or len(inputs[0].shape) != 4 or "embedding" not in outputs:
        raise ModelError(
            f"{path} does not follow the contract, image [N, 3, S, S] to embedding [N, D]: write it with 'dfer export'."
        )
