"""The encoder at every input size: which it takes, and how long it takes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import encoder_file
from dfer_ros.tuning.timing import open_variants, sizes_taken, spread, variant_times


def write_encoder(path: Path, operators, side="S", output="embedding") -> Path:
    """Write an encoder of a few operators, the last of which gives `pooled` [N, D, 1, 1]."""
    flatten = helper.make_node("Flatten", ["pooled"], [output])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, side, side])
    embedding = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", "D"])
    graph = helper.make_graph([*operators, flatten], "encoder", [image], [embedding])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def pool(source):
    return helper.make_node("GlobalAveragePool", [source], ["pooled"])


def open_one(path):
    variants, warnings = open_variants({"fp32": path}, ["cpu"], 1)
    assert warnings == []
    return variants[0]


@pytest.fixture(scope="module")
def any_size(tmp_path_factory):
    return open_one(write_encoder(tmp_path_factory.mktemp("encoder") / "any.onnx", [pool("image")]))


@pytest.fixture
def shipped(model_folder):
    return open_one(model_folder.verified(encoder_file("int8")))


def test_the_shipped_encoder_takes_every_multiple_of_eight(shipped):
    assert sizes_taken(shipped.session, 8, 128, 1) == [64, 72, 80, 88, 96, 104, 112, 120, 128]
    assert shipped.embedding_size == 1024


def test_multiples_begin_at_64_pixels(any_size):
    assert sizes_taken(any_size.session, 24, 128, 2) == [72, 96, 120]
    assert sizes_taken(any_size.session, 32, 352, 1)[-1] == 352


def test_an_encoder_of_patches_takes_multiples_of_its_patch_only(tmp_path):
    patches = helper.make_node("SpaceToDepth", ["image"], ["patches"], blocksize=16)
    encoder = open_one(write_encoder(tmp_path / "patches.onnx", [patches, pool("patches")]))
    assert sizes_taken(encoder.session, 8, 128, 1) == [64, 80, 96, 112, 128]


def test_a_fixed_size_and_too_few_sizes_are_refused(tmp_path, any_size):
    fixed = open_one(write_encoder(tmp_path / "fixed.onnx", [pool("image")], side=96))
    with pytest.raises(ModelError, match="images of 96 pixels only: there is no resolution to choose"):
        sizes_taken(fixed.session, 8, 128, 1)
    with pytest.raises(ModelError, match="less than two multiples of 50 from 64 to 128 pixels"):
        sizes_taken(any_size.session, 50, 128, 1)


def test_a_file_with_another_contract_is_refused(tmp_path):
    other = write_encoder(tmp_path / "other.onnx", [pool("image")], output="features")
    with pytest.raises(ModelError, match="does not follow the contract, image"):
        open_variants({"fp32": other}, ["cpu"], 1)


def test_a_provider_that_is_not_there_is_left_out_with_its_reason(model_folder):
    path = model_folder.verified(encoder_file("int8"))
    variants, warnings = open_variants({"int8": path}, ["qnn", "cpu"], 1)
    assert [variant.provider for variant in variants] == ["CPUExecutionProvider"]
    assert len(warnings) == 1 and "QNNExecutionProvider is not installed" in warnings[0]
    with pytest.raises(ModelError, match="QNNExecutionProvider is not installed"):
        open_variants({"int8": path}, ["qnn"], 1)
    with pytest.raises(ModelError, match="Execution provider 'warp' is not known"):
        open_variants({"int8": path}, ["warp"], 1)


def test_the_measured_sizes_are_spread_from_end_to_end():
    sizes = list(range(64, 129, 4))
    assert spread(sizes, 10) == [64, 72, 80, 84, 92, 100, 108, 112, 120, 128]
    assert spread(sizes[:5], 10) == sizes[:5]
    assert spread(sizes, 2) == [64, 128]


def test_every_variant_is_timed_at_its_own_sizes(model_folder, shipped, any_size):
    times = variant_times({shipped: [64, 128], any_size: [96]}, model_folder.description, 2, range(1))
    # Four times the pixels: no load of the machine makes the smaller one the slower, both in one run.
    assert times[shipped][0] < times[shipped][1]
    assert len(times[any_size]) == 1 and times[any_size][0] > 0


def test_a_model_runs_at_the_input_size_of_its_configuration(aligned_crop):
    own = EmotionModel(EmotionModelConfig(precision="int8"))
    same, smaller = (EmotionModel(EmotionModelConfig(precision="int8", input_size=size)) for size in (96, 64))
    embedding = own.encoder.encode([aligned_crop])
    assert np.array_equal(embedding, same.encoder.encode([aligned_crop]))
    assert embedding.shape == smaller.encoder.encode([aligned_crop]).shape
    assert not np.allclose(embedding, smaller.encoder.encode([aligned_crop]), atol=0.01)
