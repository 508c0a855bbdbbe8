"""The time that is left for the encoder, from a frame rate and what everything else costs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from dfer_ros.core.errors import DferError

TRANSPORT_MS = 3.0
"""Image and faces through DDS and shared memory, 640x480, on one computer; where no graph was measured."""


@dataclass(frozen=True)
class FrameCost:
    """What a frame takes beside the encoder, milliseconds.

    detection_ms: detector, tracker and alignment. transport_ms: from process to process. head_ms: the temporal head.
    """

    detection_ms: float
    transport_ms: float
    head_ms: float

    @property
    def total_ms(self) -> float:
        """All of it."""
        return self.detection_ms + self.transport_ms + self.head_ms


def encoder_budget_ms(frame_rate: float, cost: FrameCost) -> float:
    """Return the milliseconds left for the encoder if every frame is answered before the next one comes.

    Raises DferError where nothing is left.
    """
    left = 1e3 / frame_rate - cost.total_ms
    if left <= 0:
        raise DferError(
            f"At {frame_rate:g} Hz a frame has {1e3 / frame_rate:.3g} ms, and detection ({cost.detection_ms:.3g} ms), "
            f"transport ({cost.transport_ms:.3g} ms) and head ({cost.head_ms:.3g} ms) leave nothing for the encoder: "
            "lower --frame-rate."
        )
    return left


def graph_latency_ms(path: Path, faces: int) -> float:
    """Return the median latency of the graph with so many faces and shared memory, from a JSON of `dfer bench graph`.

    Raises DferError where the file is not one, or was not measured with that many faces.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["results"]
        latencies = {int(row["faces"]): float(row["p50_ms"]) for row in reversed(rows) if row["shared_memory"]}
    except OSError as error:
        raise DferError(f"{path} cannot be read ({error.strerror}): give a JSON file of 'dfer bench graph'.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DferError(
            f"{path} is not a JSON file of 'dfer bench graph': measure with it, or leave --graph out."
        ) from error
    latency = latencies.get(faces, math.nan)
    if not math.isfinite(latency):
        there = ", ".join(str(count) for count in sorted(latencies)) or "none"
        raise DferError(f"{path} has no latency with {faces} faces and shared memory (it has {there}): change --faces.")
    return latency


def transport_ms(graph_ms: float, detection_ms: float, encoder_ms: float, head_ms: float) -> float:
    """Return what of the graph's latency is neither detection nor encoder nor head, at least 0."""
    return max(0.0, graph_ms - detection_ms - encoder_ms - head_ms)
