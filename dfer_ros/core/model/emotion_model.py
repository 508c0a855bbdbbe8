"""A model folder, loaded: the frame encoder and the temporal head that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field

from dfer_ros.core.model.description import LARGEST_SIZE, SMALLEST_SIZE
from dfer_ros.core.model.encoder import AUTO, create_encoder
from dfer_ros.core.model.folder import PRECISIONS, at_input_size, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.parameter import parameter

_OWN_SIZE = 0


@dataclass(frozen=True)
class EmotionModelConfig:
    """Which model, how exact, and what it runs on."""

    model: str = parameter("mobilenet_v1", "Name of a shipped model, or path of a model folder.")
    precision: str = parameter(
        AUTO,
        "Precision of the encoder; auto measures those that are there and takes the fastest.",
        choices=(AUTO, *PRECISIONS),
    )
    input_size: int = parameter(
        _OWN_SIZE,
        "Side to which the crops are scaled for the encoder, found by `dfer tune`; 0: the model's own.",
        "pixels",
        SMALLEST_SIZE,
        LARGEST_SIZE,
        stand_in=_OWN_SIZE,
    )
    session: SessionConfig = field(default_factory=SessionConfig)


class EmotionModel:
    """Keeps no state between frames, so that the recognizers of several streams can share it, one call at a time.

    Raises ModelError where the model cannot be used.
    """

    def __init__(self, config: EmotionModelConfig) -> None:
        self.folder = at_input_size(open_model_folder(config.model), config.input_size)
        self.encoder = create_encoder(self.folder, config.precision, config.session)
        self.head = TemporalHead(self.folder, self.encoder.embedding_size, config.session)
