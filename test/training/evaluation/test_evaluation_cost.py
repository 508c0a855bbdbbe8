import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.training.encoder.export import export_encoder
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.vision_transformer import VisionTransformerConfig
from dfer_ros.training.evaluation.cost import network_cost


class Small(nn.Module):
    """Strided, grouped and biased convolutions, a linear layer, and the products of attention."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.grouped = nn.Conv2d(8, 8, (5, 3), groups=4, bias=False)
        self.last = nn.Linear(8, 7)

    def forward(self, image):
        maps = torch.relu(self.grouped(torch.relu(self.first(image))))
        rows = maps.flatten(2)
        mixed = torch.matmul(torch.matmul(rows, rows.transpose(1, 2)), rows)
        return self.last(mixed.mean(dim=2))


def counted_by_torch(model, *inputs):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs)
    return counter.get_total_flops() // 2


def export(model, inputs, names, path):
    torch.onnx.export(model, inputs, str(path), input_names=names, dynamo=False, opset_version=17)
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", [1, 3])
def test_multiply_adds_are_those_of_torch(tmp_path, batch):
    model, image = Small().eval(), torch.zeros(batch, 3, 33, 41)
    path = export(model, (image,), ["image"], tmp_path / "small.onnx")
    cost = network_cost(path, {"image": image.shape})
    assert cost.multiply_adds == counted_by_torch(model, image)
    assert cost.multiply_adds == sum(cost.by_operator.values())
    assert cost.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert cost.file_bytes == path.stat().st_size


@pytest.mark.filterwarnings("ignore")
def test_those_of_a_vision_transformer_are_counted_at_any_size(tmp_path):
    vit = VisionTransformerConfig(image_size=32, hidden_size=16, layers=1, heads=2)
    model = TrainableEncoder(EncoderConfig("vit", None, vit=vit), SurroundConfig()).eval()
    export_encoder(model, tmp_path / "vit.onnx")
    for size in (32, 64):
        cost = network_cost(tmp_path / "vit.onnx", {"image": (1, 3, size, size)})
        counted = counted_by_torch(model, torch.zeros(1, 3, size, size))
        assert cost.multiply_adds == pytest.approx(counted, rel=0.01)


@pytest.mark.filterwarnings("ignore")
def test_those_of_a_recurrent_layer_are_its_gates(tmp_path):
    path = export(nn.GRU(6, 4).eval(), (torch.zeros(5, 2, 6),), ["rows"], tmp_path / "gru.onnx")
    cost = network_cost(path, {"rows": (5, 2, 6)})
    # For every step and row, three gates that look at the input and at the state.
    assert cost.by_operator["GRU"] == 5 * 2 * 3 * 4 * (6 + 4)


def test_all_precisions_of_a_model_cost_the_same_multiply_adds(model_folder):
    costs = [
        network_cost(model_folder.path / encoder_file(precision), {"image": (1, 3, 96, 96)})
        for precision in model_folder.precisions
    ]
    assert len({cost.multiply_adds for cost in costs}) == 1
    # Quantisation leaves a few numbers more or less behind, no weights.
    assert max(cost.parameters for cost in costs) - min(cost.parameters for cost in costs) < 10
    assert 100e6 < costs[0].multiply_adds < 110e6
    assert costs[0].file_bytes > costs[1].file_bytes > costs[2].file_bytes


def test_multiply_adds_grow_with_the_image_and_the_batch(model_folder):
    path = model_folder.path / encoder_file("fp32")
    small, large, two = (
        network_cost(path, {"image": shape}).by_operator["Conv"]
        for shape in ((1, 3, 64, 64), (1, 3, 128, 128), (2, 3, 64, 64))
    )
    assert large == 4 * small
    assert two == 2 * small


def test_a_file_that_is_no_network_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be counted"):
        network_cost(path, {"image": (1, 3, 96, 96)})


def test_a_shape_that_is_not_known_is_said(tmp_path):
    node = helper.make_node("MatMul", ["rows", "weight"], ["out"])
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", 3])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", 2])
    weight = onnx.numpy_helper.from_array(np.zeros((3, 2), np.float32), "weight")
    path = tmp_path / "unknown.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [rows], [out], [weight])), path)
    assert network_cost(path, {"rows": (4, 3)}).multiply_adds == 4 * 3 * 2
    with pytest.raises(ModelError, match=r"the shape of 'out' \(MatMul\) is not known"):
        network_cost(path, {})
