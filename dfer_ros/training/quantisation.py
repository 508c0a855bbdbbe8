"""Smaller encoders from an FP32 one: static INT8 (QDQ, per channel) and FP16."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from dfer_ros.core.encoder import preprocess
from dfer_ros.core.faces import Image
from dfer_ros.core.model_folder import ModelDescription

_BATCH = 16


class _CropReader(CalibrationDataReader):
    def __init__(self, crops: Sequence[Image], description: ModelDescription) -> None:
        self._batches: Iterator[dict[str, Any]] = (
            {"image": preprocess(crops[start : start + _BATCH], description)} for start in range(0, len(crops), _BATCH)
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def quantise_int8(encoder: Path, output: Path, crops: Sequence[Image], description: ModelDescription) -> None:
    """Write a static INT8 version of an FP32 encoder, calibrated on aligned crops by percentile.

    Unsigned activations and signed weights: the form for which ONNX Runtime has VNNI kernels; both signed ran at the
    speed of FP32.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(encoder), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(output),
            _CropReader(crops, description),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
        )


def convert_fp16(encoder: Path, output: Path) -> None:
    """Write an FP16 version of an FP32 encoder; its inputs and outputs stay FP32."""
    onnx.save(convert_float_to_float16(onnx.load(encoder), keep_io_types=True), output)
