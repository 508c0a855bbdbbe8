"""Frame encoders: what they give, what of them is trained, and whether ONNX gives the same."""

from dataclasses import asdict

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dfer_ros.core.errors import OutputError, TrainingError
from dfer_ros.training.checkpoint import CHECKPOINT_FILE, save_checkpoint
from dfer_ros.training.encoder.export import check_export, export_encoder
from dfer_ros.training.encoder.frame_encoder import (
    FROZEN,
    LORA,
    AttentionPooling,
    AveragePooling,
    EncoderConfig,
    TrainableEncoder,
    parameter_counts,
)
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.trained_encoder import load_trained_encoder
from dfer_ros.training.encoder.vision_transformer import LoraConfig, VisionTransformerConfig
from dfer_ros.training.experiments.encoders.efficientnet_v2 import EfficientNetV2B0

ELLIPSE = SurroundConfig(crop=112, ellipse=True)
SMALL = (16,) * 15
SMALL_VIT = VisionTransformerConfig(hidden_size=32, layers=2, heads=2, intermediate_size=64)
CONFIGS = {
    "lite0": EncoderConfig(pretrained=None, widths=SMALL),
    "lite1 attention": EncoderConfig("efficientnet_lite1", None, pooling="attention", widths=(16,) * 20),
    "mobilenet": EncoderConfig("mobilenet_v1", None, widths=(16,) * 12),
    "v2": EncoderConfig("efficientnetv2_b0", None),
    "vit": EncoderConfig("vit", None, vit=SMALL_VIT),
    "vit 8 lora": EncoderConfig(
        "vit",
        None,
        pooling="attention",
        tuning=LORA,
        vit=VisionTransformerConfig(64, 8, 32, 2, 2, 64),
        lora=LoraConfig(4, 8, modules=("query", "value", "dense")),
    ),
}


def make(config, surround=ELLIPSE):
    """An encoder at random whose every tensor counts: adapters, attention and batch norm statistics too."""
    torch.manual_seed(0)
    model = TrainableEncoder(config, surround).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.9
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name or "score" in name:
                parameter.normal_(std=0.3 if "lora_B" in name else 0.03)
        for _ in range(3):
            model(torch.randn(4, 3, 64, 64))
    return model.eval()


def outputs(model, image):
    with torch.inference_mode():
        return model(image)


def run(path, image):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["embedding", "logits"], {"image": image.numpy()})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "encoder.onnx"
    model = make(CONFIGS["lite0"])
    export_encoder(model, path)
    return model, path


@pytest.mark.parametrize("name", CONFIGS)
def test_export_gives_the_same_at_every_size_and_batch(name, tmp_path):
    model, path = make(CONFIGS[name]), tmp_path / "encoder.onnx"
    export_encoder(model, path)
    assert [file.name for file in tmp_path.iterdir()] == ["encoder.onnx"]
    for size, batch in ((64, 1), (80, 2), (128, 3)):
        image = torch.randn(batch, 3, size, size)
        embedding, logits = outputs(model, image)
        assert logits.shape == (batch, 7) and embedding.shape[0] == batch
        for expected, given in zip((embedding, logits), run(path, image)):
            # An encoder that gives the same for all images would always agree.
            assert batch == 1 or expected.std(dim=0).max() > 1e-2
            np.testing.assert_allclose(given, expected, atol=1e-3)


def test_exported_graph_is_small_and_standard(exported):
    graph = onnx.load(exported[1])
    kinds = {node.op_type for node in graph.graph.node}
    assert "BatchNormalization" not in kinds and "Constant" not in kinds
    assert [operators.domain for operators in graph.opset_import] == [""]
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert shapes == {"image": ["N", 3, "S", "S"], "embedding": ["N", 1280], "logits": ["N", 7]}


@pytest.mark.parametrize("size", [64, 81, 128])
def test_exported_encoder_does_not_see_what_is_outside_the_ellipse(exported, size):
    image = torch.randn(1, 3, size, size)
    corners, middle = image.clone(), image.clone()
    side = size // 8
    for rows in (slice(None, side), slice(-side, None)):
        for columns in (slice(None, side), slice(-side, None)):
            corners[..., rows, columns] += 5.0
    middle[..., size // 2, size // 2] += 5.0
    plain = run(exported[1], image)[1]
    np.testing.assert_array_equal(run(exported[1], corners)[1], plain)
    assert np.abs(run(exported[1], middle)[1] - plain).max() > 1e-4


def test_a_file_that_gives_other_numbers_is_refused(exported):
    model = make(CONFIGS["lite0"])
    check_export(model, exported[1])
    with torch.no_grad():
        model.classifier.bias += 0.01
    with pytest.raises(TrainingError, match=r"differs from the trained one by 0\.01"):
        check_export(model, exported[1])


def test_export_into_a_folder_that_is_missing_is_one_sentence(exported, tmp_path):
    path = tmp_path / "missing" / "encoder.onnx"
    with pytest.raises(OutputError, match=r"encoder.onnx cannot be written: there is no folder"):
        export_encoder(exported[0], path)


def test_exporting_a_lora_encoder_merges_a_copy(tmp_path):
    model = make(CONFIGS["vit 8 lora"])
    names = set(model.state_dict())
    export_encoder(model, tmp_path / "lora.onnx")
    assert set(model.state_dict()) == names
    plain = TrainableEncoder(EncoderConfig("vit", None, pooling="attention", vit=model.config.vit), ELLIPSE)
    export_encoder(plain, tmp_path / "plain.onnx")
    count = [len(onnx.load(tmp_path / name).graph.node) for name in ("lora.onnx", "plain.onnx")]
    assert count[0] == count[1]


def test_v2_b0_has_the_size_of_that_of_keras():
    tensors = EfficientNetV2B0().state_dict()
    assert sum(tensor.numel() for name, tensor in tensors.items() if "num_batches" not in name) == 5_919_312


def test_attention_pooling_begins_as_the_mean_and_can_look_at_one_place():
    features = torch.randn(2, 6, 3, 4)
    pooling = AttentionPooling(6)
    torch.testing.assert_close(pooling(features), AveragePooling()(features))
    features[:, 0] = -1.0
    features[:, 0, 2, 1] = 1.0
    with torch.no_grad():
        pooling.score.weight[0, 0] = 100.0
    torch.testing.assert_close(pooling(features), features[:, :, 2, 1])


def test_lora_trains_adapters_and_classifier_only():
    full = make(EncoderConfig("vit", None, pooling="attention", vit=CONFIGS["vit 8 lora"].vit))
    lora = make(CONFIGS["vit 8 lora"])
    # Rank 4 on query and value (32 -> 32), and on the output (32 -> 32) and the two layers of the MLP (32 <-> 64).
    adapters = 2 * 4 * (3 * (32 + 32) + 2 * (32 + 64))
    rest = (32 + 1) + (32 * 7 + 7)
    assert parameter_counts(lora) == (adapters + rest, parameter_counts(full)[1] + adapters)
    assert parameter_counts(full)[0] == parameter_counts(full)[1]


def test_lora_starts_from_the_weights_of_a_plain_run_and_gives_the_same():
    plain = make(EncoderConfig("vit", None, pooling="attention", vit=CONFIGS["vit 8 lora"].vit))
    lora = TrainableEncoder(CONFIGS["vit 8 lora"], ELLIPSE).eval()
    lora.load_state_dict(plain.state_dict())
    image = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(outputs(lora, image), outputs(plain, image))
    again = TrainableEncoder(CONFIGS["vit 8 lora"], ELLIPSE).eval()
    trained = make(CONFIGS["vit 8 lora"])
    again.load_state_dict(trained.state_dict())
    torch.testing.assert_close(outputs(again, image), outputs(trained, image))


def test_frozen_backbone_keeps_weights_and_statistics():
    model = TrainableEncoder(EncoderConfig(pretrained=None, widths=SMALL, tuning=FROZEN), ELLIPSE).train()
    before = {name: tensor.clone() for name, tensor in model.backbone.state_dict().items()}
    optimiser = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=1.0)
    model(torch.randn(2, 3, 64, 64))[1].square().sum().backward()
    optimiser.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.backbone.state_dict().items())
    assert parameter_counts(model)[0] == 1280 * 7 + 7


def test_vit_of_a_local_checkpoint_folder(tmp_path):
    model = make(CONFIGS["vit"])
    model.backbone.network.save_pretrained(tmp_path)
    loaded = TrainableEncoder(EncoderConfig("vit", str(tmp_path), vit=SMALL_VIT), ELLIPSE).eval()
    image = torch.randn(1, 3, 96, 96)
    torch.testing.assert_close(loaded.backbone(image), model.backbone(image))
    other = VisionTransformerConfig(hidden_size=64)
    with pytest.raises(TrainingError, match=r"set it to .*'hidden_size': 32"):
        TrainableEncoder(EncoderConfig("vit", str(tmp_path), vit=other), ELLIPSE)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"The ViT checkpoint in .* cannot be loaded"):
        TrainableEncoder(EncoderConfig("vit", str(tmp_path), vit=SMALL_VIT), ELLIPSE)


def test_checkpoint_from_before_pooling_and_tuning_still_loads(tmp_path):
    model = TrainableEncoder(EncoderConfig(pretrained=None), ELLIPSE).eval()
    assert {"backbone.stem.0.weight", "backbone.blocks.3.expand.1.bias", "classifier.weight"} <= set(model.state_dict())
    average = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    encoder = {"architecture": "efficientnet_lite0", "pretrained": "imagenet", "dropout": 0.2}
    save_checkpoint(
        tmp_path / CHECKPOINT_FILE,
        {"encoder": encoder, "surround": asdict(ELLIPSE), "average": average, "adjustment": [0.0]},
    )
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(outputs(load_trained_encoder(tmp_path, 64).model, image), outputs(model, image))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "resnet"}, "architecture 'resnet' is not known"),
        ({"pooling": "max"}, "pooling 'max' is not known: use average or attention"),
        ({"tuning": "half"}, "tuning 'half' is not known"),
        ({"tuning": "lora"}, "tuning 'lora' is for a vit"),
        ({"pretrained": "faces"}, "pretrained 'faces' is not known"),
        ({"architecture": "efficientnetv2_b0", "pretrained": "imagenet"}, "set 'pretrained' to null"),
        ({"architecture": "vit", "pretrained": "missing"}, "There is no config.json in missing"),
        ({"widths": (16, 16)}, "widths has 2 numbers, but efficientnet_lite0 takes 15"),
        ({"architecture": "mobilenet_v1", "widths": (16,)}, "widths has 1 numbers, but a MobileNet takes 12"),
        ({"architecture": "vit", "widths": (16,)}, "widths are for efficientnet_lite0"),
        (
            {"architecture": "vit", "tuning": "lora", "vit": SMALL_VIT, "lora": LoraConfig(modules=("querry",))},
            "lora.modules are .'querry'., but must be some of query, key, value, dense",
        ),
    ],
)
def test_wrong_configurations_are_one_sentence(options, message):
    with pytest.raises(TrainingError, match=message):
        TrainableEncoder(EncoderConfig(**{"pretrained": None, **options}), ELLIPSE)
