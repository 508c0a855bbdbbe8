"""Blending the weights of encoders: what is averaged is the function, and what cannot be is refused."""

import pytest
import torch
from made_runs import SMALL_VIT, save_encoder
from rich.console import Console

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.blend import BlendedRun, BlendRunConfig, blended_weights, run_blend
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import fold_norms
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder
from dfer_ros.training.folders import TrainingFolders

VIT = EncoderConfig("vit", None, vit=SMALL_VIT)
SURROUND = SurroundConfig(crop=90)


def mobilenet(seed=0):
    """A small MobileNet whose batch norms have seen something."""
    torch.manual_seed(seed)
    model = TrainableEncoder(EncoderConfig("mobilenet_v1", None, 0.0, widths=(16,) * 12), SurroundConfig()).train()
    for _ in range(3):
        model(torch.randn(8, 3, 64, 64))
    return model.eval()


def test_folding_the_norms_changes_nothing():
    model, image = mobilenet(), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = model(image)
        assert not model.backbone.folded
        fold_norms(model.backbone)
        after = model(image)
    assert model.backbone.folded
    for one, other in zip(before, after):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_shares_are_relative():
    one, other = (TrainableEncoder(VIT, SurroundConfig()) for _ in range(2))
    mixed = blended_weights([one, other], [3.0, 1.0])
    weight = 0.75 * one.classifier.weight + 0.25 * other.classifier.weight
    torch.testing.assert_close(mixed["classifier.weight"], weight)


def test_a_blend_of_a_run_with_itself_is_that_run(tmp_path):
    model = save_encoder(tmp_path / "one", VIT)
    save_encoder(tmp_path / "other", VIT)
    config = BlendRunConfig((BlendedRun("one", 0.3), BlendedRun("other", 0.7)), SURROUND)
    run_blend(config, TrainingFolders(tmp_path, tmp_path, "both"), Console(quiet=True))
    blend = load_trained_encoder(tmp_path / "both", 32)
    assert blend.surround == SURROUND
    for name, value in model.state_dict().items():
        torch.testing.assert_close(blend.model.state_dict()[name], value)


def test_the_blend_of_a_fold_takes_the_runs_of_that_fold():
    config = BlendRunConfig((BlendedRun("student", folds=True), BlendedRun("first")), SURROUND)
    assert [one.run for one in config.without("mead").runs] == ["student_mead", "first"]
    with pytest.raises(TrainingError, match="No run of this blend has the fold 'mead'"):
        config.without("mead").without("mead")


def test_what_cannot_be_blended_is_refused(tmp_path):
    save_encoder(tmp_path / "vit", VIT)
    save_encoder(tmp_path / "conv", EncoderConfig("mobilenet_v1", None, widths=(16,) * 12))
    config = BlendRunConfig((BlendedRun("vit"), BlendedRun("conv")), SURROUND)
    with pytest.raises(TrainingError, match="The run conv is a mobilenet_v1 and vit a vit: only runs of one"):
        run_blend(config, TrainingFolders(tmp_path, tmp_path, "both"), Console(quiet=True))
    with pytest.raises(TrainingError, match="at least two runs"):
        BlendRunConfig((BlendedRun("vit"),), SURROUND)
    with pytest.raises(TrainingError, match="needs a share above 0"):
        BlendedRun("vit", 0.0)
