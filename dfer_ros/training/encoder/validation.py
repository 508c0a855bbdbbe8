"""How good an encoder in training is on the validation splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dfer_ros.core.faces import FloatArray
from dfer_ros.core.recall import accuracy, unweighted_average_recall
from dfer_ros.training.data.prepared_set import PreparedSet
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder

_PREDICTED_AT_ONCE = 128


def validation_recalls(
    encoder: TrainedEncoder, sets: Sequence[PreparedSet], adjustment: FloatArray
) -> dict[str, float]:
    """Return WAR and UAR in percent on each set, by its name. adjustment: what is added to the logits [7]."""
    recalls = {}
    for prepared in sets:
        labels = prepared.targets().argmax(axis=1)
        predicted = (_logits(encoder, prepared) + adjustment).argmax(axis=1)
        recalls[f"{prepared.name}_war"] = round(100 * accuracy(predicted, labels), 2)
        recalls[f"{prepared.name}_uar"] = round(100 * unweighted_average_recall(predicted, labels), 2)
    return recalls


def _logits(encoder: TrainedEncoder, prepared: PreparedSet) -> FloatArray:
    """Return the logits [N, 7] of all samples of a set."""
    count = len(prepared.samples)
    parts = np.array_split(np.arange(count), -(-count // _PREDICTED_AT_ONCE))
    return np.concatenate([encoder.logits([prepared.crop(int(index)) for index in part]) for part in parts])
