"""The options of every command that recognises: which model, and which face detector."""

from __future__ import annotations

import argparse

from dfer_ros.core.detection import DETECTORS, DetectorConfig
from dfer_ros.core.model.emotion_model import EmotionModelConfig


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument("--model", default=EmotionModelConfig.model, help="model name or folder (%(default)s)")


def add_detector_options(parser: argparse.ArgumentParser) -> None:
    """Add --detector and --yunet-model."""
    parser.add_argument("--detector", default=DetectorConfig.detector, choices=DETECTORS, help="(%(default)s)")
    parser.add_argument("--yunet-model", default=DetectorConfig.yunet_model, help="YuNet's ONNX file")
