"""Encoders that were shipped or are fast: a MobileNet out of its model folder, and a network through ONNX Runtime."""

import shutil

import numpy as np
import pytest
import torch
from made_runs import SMALL_VIT, save_encoder

from dfer_ros.core.errors import ModelError, TrainingError
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.training.encoder.export import exported_encoder
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.session import EncoderSession
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import TrainedEncoder, load_trained_encoder, normalise


def test_a_shipped_mobilenet_says_what_its_file_says(model_folder, aligned_crop, serious_crop):
    crops = [aligned_crop, serious_crop]
    session = EncoderSession(model_folder.path / encoder_file("fp32"), model_folder.description)
    trained = load_trained_encoder(model_folder.path, model_folder.description.input_size)
    assert trained.surround.crop == model_folder.description.crop
    np.testing.assert_allclose(trained.run(crops).logits, session.run(crops).logits, atol=1e-4)


def test_its_batch_norms_are_folded_until_they_are_fitted(model_folder, aligned_crop):
    model = load_trained_encoder(model_folder.path, 96).model
    assert model.backbone.folded
    image = normalise(torch.from_numpy(np.stack([aligned_crop[:96, :96], aligned_crop[16:112, 16:112]])))
    with torch.inference_mode():
        before = model(image)[1]
        model.backbone.fit_statistics(image)
        assert not model.backbone.folded
        torch.testing.assert_close(model.eval()(image)[1], before, atol=1e-3, rtol=1e-3)


def test_a_damaged_or_other_file_is_named(model_folder, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(model_folder.path, folder)
    (folder / encoder_file("fp32")).write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"encoder_fp32\.onnx is damaged"):
        load_trained_encoder(folder, 96)
    with pytest.raises(TrainingError, match="There is no checkpoint"):
        load_trained_encoder(tmp_path / "gone", 96)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_fast_encoder_says_the_same(tmp_path, aligned_crop, serious_crop, bfloat16):
    save_encoder(tmp_path / "run")
    trained = load_trained_encoder(tmp_path / "run", 32, bfloat16=bfloat16)
    fast = exported_encoder(trained)
    assert (fast is trained) == bfloat16
    crops = [aligned_crop, serious_crop, aligned_crop[:, ::-1]]
    expected = TrainedEncoder(trained.model, trained.surround, 32).run(crops)
    found = fast.run(crops)
    tolerance = 0.05 if bfloat16 else 1e-4
    np.testing.assert_allclose(found.logits, expected.logits, atol=tolerance)
    np.testing.assert_allclose(found.embeddings, expected.embeddings, atol=tolerance)


def test_a_checkpoint_is_preferred_to_a_file_beside_it(model_folder, tmp_path):
    save_encoder(tmp_path / "run", EncoderConfig("vit", None, vit=SMALL_VIT))
    shutil.copy(model_folder.path / encoder_file("fp32"), tmp_path / "run")
    assert load_trained_encoder(tmp_path / "run", 32).model.config.architecture == "vit"
    assert TrainableEncoder(EncoderConfig("vit", None, vit=SMALL_VIT), SurroundConfig()).config.vit == SMALL_VIT
