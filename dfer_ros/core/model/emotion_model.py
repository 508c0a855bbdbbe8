"""A model folder, loaded: the frame encoder and the temporal head that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field

from dfer_ros.core.model.encoder import AUTO, create_encoder
from dfer_ros.core.model.folder import at_input_size, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead


@dataclass(frozen=True)
class EmotionModelConfig:
    """model: name of a shipped model or path of a model folder. precision: auto, fp32, fp16 or int8.

    session: providers and threads of ONNX Runtime. input_size: pixels to which crops are scaled; 0: the model's own.
    """

    model: str = "mobilenet_v1"
    precision: str = AUTO
    session: SessionConfig = field(default_factory=SessionConfig)
    input_size: int = 0


class EmotionModel:
    """Keeps no state between frames, so that the recognizers of several streams can share it, one call at a time.

    Raises ModelError where the model cannot be used.
    """

    def __init__(self, config: EmotionModelConfig) -> None:
        self.folder = at_input_size(open_model_folder(config.model), config.input_size)
        self.encoder = create_encoder(self.folder, config.precision, config.session)
        self.head = TemporalHead(self.folder, self.encoder.embedding_size, config.session)
