"""Networks made smaller in torch: pruned for real, and quantised in pretence as ONNX Runtime will in earnest."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dfer_ros.core.errors import OutputError, TrainingError
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.encoder import preprocess
from dfer_ros.core.model.folder import ModelDescription, encoder_file
from dfer_ros.training.compression.fake_quantisation import fake_quantise
from dfer_ros.training.compression.pruning import prune
from dfer_ros.training.compression.quantisation import CALIBRATIONS, convert_fp16, quantise_int8
from dfer_ros.training.encoder.export import export_encoder
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder, parameter_counts
from dfer_ros.training.encoder.surround import SurroundConfig

SURROUND = SurroundConfig(crop=112, ellipse=True)
DESCRIPTION = ModelDescription(
    LABELS, 112, 64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1.0, 1, 1.0, 0.0, sha256={}
)
CONFIGS = {
    "lite0": EncoderConfig(pretrained=None, widths=(48,) * 15),
    "mobilenet": EncoderConfig("mobilenet_v1", None, widths=(48,) * 12),
}


def make(name, images):
    """An encoder at random with batch norm statistics of images."""
    torch.manual_seed(0)
    model = TrainableEncoder(CONFIGS[name], SURROUND).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.9
    with torch.no_grad():
        for _ in range(3):
            model(images)
    return model.eval()


@pytest.fixture(scope="module")
def crops(aligned_crop, serious_crop):
    """Faces, brighter and darker."""
    return [
        np.clip(crop.astype(np.float32) * light, 0, 255).astype(np.uint8)
        for crop in (aligned_crop, serious_crop)
        for light in np.linspace(0.4, 1.4, 20)
    ]


@pytest.fixture(scope="module")
def images(crops):
    """The encoder's input [8, 3, 64, 64] for some of the crops."""
    return torch.from_numpy(preprocess(crops[::5], DESCRIPTION))


@pytest.fixture(scope="module")
def shipped(model_folder):
    """The FP32 encoder of the shipped model: unlike one at random it bears rounding."""
    return model_folder.path / encoder_file("fp32")


def run(path, image):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["embedding", "logits"], {"image": image.numpy()})


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_int8_answers_like_fp32_in_a_third_of_the_bytes(calibration, shipped, crops, images, tmp_path, capsys):
    path = tmp_path / "int8.onnx"
    quantise_int8(shipped, path, crops, DESCRIPTION, calibration)
    assert path.stat().st_size < 0.35 * shipped.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == ["int8.onnx"]
    assert capsys.readouterr().out == ""
    for expected, given in zip(run(shipped, images), run(path, images)):
        differences = expected - expected.mean(axis=0), given - given.mean(axis=0)
        assert np.corrcoef(*(rows.ravel() for rows in differences))[0, 1] > 0.95
    assert run(path, torch.zeros(3, 3, 96, 96))[1].shape == (3, 7)


def test_int8_rounds_neither_the_surround_nor_what_it_gives(crops, images, tmp_path):
    model, path, int8 = make("lite0", images), tmp_path / "encoder.onnx", tmp_path / "int8.onnx"
    export_encoder(model, path)
    quantise_int8(path, int8, crops, DESCRIPTION, "minmax")
    graph = onnx.load(int8).graph
    before = [node.op_type for node in graph.node[: next(i for i, n in enumerate(graph.node) if n.op_type == "Conv")]]
    assert "Sqrt" in before and before.count("QuantizeLinear") == 1
    last = {output: node.op_type for node in graph.node for output in node.output}
    assert (last["embedding"], last["logits"]) == ("ReduceMean", "Gemm")


def test_fp16_answers_like_fp32_in_half_of_the_bytes(shipped, images, tmp_path):
    path = tmp_path / "fp16.onnx"
    convert_fp16(shipped, path)
    assert path.stat().st_size < 0.55 * shipped.stat().st_size
    for expected, given in zip(run(shipped, images), run(path, images)):
        np.testing.assert_allclose(given, expected, atol=0.02 * np.abs(expected).max())


def test_a_place_that_cannot_be_written_is_one_sentence(shipped, tmp_path):
    with pytest.raises(OutputError, match=r"fp16.onnx cannot be written: there is no folder"):
        convert_fp16(shipped, tmp_path / "missing" / "fp16.onnx")


@pytest.mark.parametrize("name", CONFIGS)
def test_channels_that_do_nothing_are_pruned_without_a_trace(name, images):
    model = make(name, images)
    with torch.no_grad():
        for layer in model.backbone.prunable:
            layer.weight[16:] = 0.0
            norm = next(two for one, two in _pairs(model) if one is layer)
            # Zeros after the batch norm too, and weights as small as those before it.
            norm.weight[16:] = norm.bias[16:] = norm.running_mean[16:] = 0.0
            for other, after in _pairs(model):
                if other.groups == 48 and other.weight.shape[0] == 48:
                    other.weight[16:] = 0.0
                    after.weight[16:] = after.bias[16:] = after.running_mean[16:] = 0.0
    smaller = prune(model, SURROUND, 2 / 3).eval()
    assert set(smaller.config.widths) == {16}
    assert parameter_counts(smaller)[1] < 0.7 * parameter_counts(model)[1] or name == "lite0"
    with torch.inference_mode():
        torch.testing.assert_close(smaller(images), model(images), atol=1e-4, rtol=1e-3)


def _pairs(model):
    modules = [one for one in model.backbone.modules() if isinstance(one, (torch.nn.Conv2d, torch.nn.BatchNorm2d))]
    return list(zip(modules[::2], modules[1::2]))


def test_pruning_takes_the_small_channels_and_leaves_the_given_model_alone(images):
    model = make("lite0", images)
    before = copy.deepcopy(model.state_dict())
    smaller = prune(model, SURROUND, 0.3)
    assert 0.55 * 15 * 48 <= sum(smaller.config.widths) <= 0.85 * 15 * 48
    assert all(width % 16 == 0 for width in smaller.config.widths)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_pretended_int8_rounds_weights_and_activations(images):
    model = make("lite0", images)
    names, plain = list(model.state_dict()), copy.deepcopy(model)
    fake_quantise(model, [images])
    assert list(model.state_dict()) == names
    with torch.inference_mode():
        rounded, precise = model.backbone.stem(images).numpy(), plain.backbone.stem(images).numpy()
        convolved = model.backbone.stem[0](images).numpy()
    step = precise.max() / 255
    assert len(np.unique(rounded)) <= 256 < len(np.unique(precise))
    assert 0 < np.abs(rounded - precise).max() < 6 * step
    weight = plain.backbone.stem[0].weight.detach()
    scale = weight.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
    expected = torch.nn.functional.conv2d(images, (weight / scale).round() * scale, stride=2, padding=1)
    np.testing.assert_allclose(convolved, expected, atol=1e-4)


def test_pretended_int8_can_be_trained(images):
    model = make("lite0", images)
    fake_quantise(model, [images])
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    labels = torch.arange(len(images)) % 7
    losses = []
    for _ in range(8):
        loss = torch.nn.functional.cross_entropy(model.train()(images)[1], labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses[-2:]) < 0.8 * losses[0]
    assert float(model.backbone.stem[0].weight.grad.abs().max()) > 0


@pytest.mark.parametrize("change", [lambda model: prune(model, SURROUND, 0.3), lambda model: fake_quantise(model, [])])
def test_other_architectures_are_refused(change):
    with pytest.raises(TrainingError, match=r"not for efficientnetv2_b0: leave it out"):
        change(TrainableEncoder(EncoderConfig("efficientnetv2_b0", None), SURROUND))
