"""Small prepared sets, and the run of a small encoder, as the commands leave them."""

import json
from dataclasses import asdict

import cv2
import numpy as np
import torch

from dfer_ros.training.checkpoint import CHECKPOINT_FILE, save_checkpoint
from dfer_ros.training.data.prepared_set import SETTINGS_FILE, Sample, one_label, write_index
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.vision_transformer import VisionTransformerConfig

SMALL_VIT = VisionTransformerConfig(hidden_size=16, layers=1, heads=2)


def striped(label, seed):
    """Return a crop [128, 128, 3] of stripes, the broader the higher the label, with noise."""
    stripes = np.uint8(150) * (np.arange(128) // (4 * label + 2) % 2).astype(np.uint8)[:, None, None]
    return np.random.default_rng((label, seed)).integers(0, 100, (128, 128, 3)).astype(np.uint8) + stripes


def write_stills(folder, split="validation"):
    """Write two stills of each class."""
    folder.mkdir(parents=True)
    samples = []
    for label in range(7):
        for number in range(2):
            name = f"{label}_{number}.png"
            assert cv2.imwrite(str(folder / name), striped(label, 50 + number))
            samples.append(Sample(name, split, "", "", 0.0, 1.0, one_label(label)))
    write_index(folder, samples)
    return folder


def write_clips(folder, clips, data_set=None, picture=striped):
    """Write clips, (name, split, label, frames) each, at 5 Hz; picture: from label and frame to a crop."""
    samples = []
    for name, split, label, frames in clips:
        (folder / name).mkdir(parents=True)
        for frame in range(frames):
            image = f"{name}/{frame:05d}.png"
            assert cv2.imwrite(str(folder / image), picture(label, frame))
            samples.append(Sample(image, split, name, name, frame / 5, 0.9, one_label(label)))
    write_index(folder, samples)
    if data_set is not None:
        (folder / SETTINGS_FILE).write_text(json.dumps({"settings": {"data set": data_set}}))
    return folder


def save_encoder(folder, config=None, seed=0):
    """Write the checkpoint of an encoder at random as a run leaves it, and return it."""
    config = config or EncoderConfig("vit", None, vit=SMALL_VIT)
    torch.manual_seed(seed)
    model, surround = TrainableEncoder(config, SurroundConfig()), SurroundConfig()
    weights = {f"module.{name}": value for name, value in model.state_dict().items()}
    folder.mkdir(parents=True)
    state = {"encoder": asdict(config), "surround": asdict(surround), "average": weights, "adjustment": [0.0] * 7}
    save_checkpoint(folder / CHECKPOINT_FILE, state)
    return model
