from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from weighted_mean_head import export_weighted_mean_head

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.folder import HEAD_FILE, ModelFolder, file_sha256
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.window import FrameWindow, WindowConfig

DECAY_SECONDS = 0.8


@pytest.fixture(scope="module")
def classifier(model_folder):
    """The weight [D, 7] and bias [7] of the layer that makes the FP32 encoder's logits."""
    graph = onnx.load(model_folder.path / "encoder_fp32.onnx").graph
    layer = next(node for node in graph.node if "logits" in node.output)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weight, bias = tensors[layer.input[1]], tensors[layer.input[2]]
    return (weight.T if weight.shape[0] == 7 else weight).astype(np.float64), bias.astype(np.float64)


@pytest.fixture(scope="module")
def size(classifier):
    return classifier[0].shape[0]


@pytest.fixture(scope="module")
def mean_folder(model_folder, tmp_path_factory):
    """The shipped model with the weighted mean as its head; the encoders are left out."""
    folder = tmp_path_factory.mktemp("model")
    export_weighted_mean_head(model_folder.path / "encoder_fp32.onnx", folder / HEAD_FILE, DECAY_SECONDS)
    return with_head(model_folder, folder)


@pytest.fixture(scope="module")
def head(mean_folder, size):
    return TemporalHead(mean_folder, size, SessionConfig())


def with_head(model_folder, folder):
    """Return the shipped model's description with the head that lies in a folder."""
    description = replace(model_folder.description, sha256={HEAD_FILE: file_sha256(folder / HEAD_FILE)})
    return ModelFolder(folder, description)


def add_outputs(path, **values):
    """Add outputs to a head that give the same row to every person."""
    model = onnx.load(path)
    graph = model.graph
    for name, value in values.items():
        row = np.array(value, np.float32)
        graph.initializer.append(numpy_helper.from_array(row, f"{name}_row"))
        graph.initializer.append(numpy_helper.from_array(np.zeros((7, *row.shape), np.float32), f"{name}_zeros"))
        graph.node.append(helper.make_node("MatMul", ["logits", f"{name}_zeros"], [f"{name}_zero"]))
        graph.node.append(helper.make_node("Add", [f"{name}_zero", f"{name}_row"], [name]))
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["P", *row.shape]))
    onnx.save(model, path)


def random_frames(size, count, seed):
    """Return stamps [T], embeddings [T, D] and qualities [T], far enough apart that a window keeps them all."""
    rng = np.random.default_rng(seed)
    return (
        np.cumsum(rng.uniform(0.07, 0.12, count)),
        rng.normal(0, 1, (count, size)).astype(np.float32),
        rng.uniform(0.05, 1.0, count),
    )


def window_of(stamps, embeddings, qualities):
    window = FrameWindow(WindowConfig(2.0, 32), embeddings.shape[1])
    for stamp, embedding, quality in zip(stamps, embeddings, qualities):
        window.add(stamp, embedding, quality)
    assert len(window) == len(stamps)
    return window


def weighted_mean_logits(classifier, stamps, embeddings, qualities):
    weights = qualities * np.exp(-(stamps[-1] - stamps) / DECAY_SECONDS)
    logits = embeddings.astype(np.float64) @ classifier[0] + classifier[1]
    return weights @ logits / weights.sum()


@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_the_logits_are_the_mean_weighted_by_quality_and_age(head, classifier, size, count):
    frames = random_frames(size, count, seed=count)
    expected = weighted_mean_logits(classifier, *frames)
    assert head.answer([window_of(*frames)]).logits[0] == pytest.approx(expected, abs=2e-3)


def test_persons_with_windows_of_different_lengths_are_answered_in_one_batch(head, classifier, size):
    persons = [random_frames(size, count, seed=10 + count) for count in (1, 16, 3, 9)]
    logits = head.answer([window_of(*frames) for frames in persons]).logits
    assert logits.shape == (4, 7)
    for row, frames in zip(logits, persons):
        assert row == pytest.approx(weighted_mean_logits(classifier, *frames), abs=2e-3)


def test_a_batch_gives_what_each_person_gives_alone(head, size):
    windows = [window_of(*random_frames(size, count, seed=20 + count)) for count in (2, 12, 5)]
    alone = np.concatenate([head.answer([window]).logits for window in windows])
    assert head.answer(windows).logits == pytest.approx(alone, abs=1e-4)


def test_a_window_of_quality_zero_gives_the_plain_mean_by_age(head, classifier, size):
    stamps, embeddings, _ = random_frames(size, 5, seed=30)
    expected = weighted_mean_logits(classifier, stamps, embeddings, np.ones(5))
    assert head.answer([window_of(stamps, embeddings, np.zeros(5))]).logits[0] == pytest.approx(expected, abs=5e-3)


def test_a_head_without_intensity_and_phase_gives_none(head, size):
    answer = head.answer([window_of(*random_frames(size, 3, seed=40))])
    assert answer.intensity is None
    assert answer.phase is None


def test_intensity_and_phase_come_from_a_head_that_gives_them(model_folder, head, size, tmp_path):
    export_weighted_mean_head(model_folder.path / "encoder_fp32.onnx", tmp_path / HEAD_FILE, DECAY_SECONDS)
    add_outputs(tmp_path / HEAD_FILE, intensity=0.25, phase=[0.0, 3.0, 1.0, 2.0])
    telling = TemporalHead(with_head(model_folder, tmp_path), size, SessionConfig())
    windows = [window_of(*random_frames(size, count, seed=50 + count)) for count in (2, 5)]
    answer = telling.answer(windows)
    assert answer.logits == pytest.approx(head.answer(windows).logits, abs=1e-5)
    assert answer.intensity.tolist() == [0.25, 0.25]
    assert answer.phase.tolist() == [[0.0, 3.0, 1.0, 2.0]] * 2


def test_an_output_of_another_shape_is_an_error(model_folder, size, tmp_path):
    export_weighted_mean_head(model_folder.path / "encoder_fp32.onnx", tmp_path / HEAD_FILE, DECAY_SECONDS)
    add_outputs(tmp_path / HEAD_FILE, phase=[0.0, 3.0, 1.0])
    with pytest.raises(ModelError, match=r"does not fit: .*, but it gives phase \[1, 3\] for one person"):
        TemporalHead(with_head(model_folder, tmp_path), size, SessionConfig())


def test_without_any_frame_the_head_gives_finite_logits(model_folder, size):
    session = onnxruntime.InferenceSession(str(model_folder.path / HEAD_FILE))
    inputs = {
        "embeddings": np.zeros((1, 4, size), np.float32),
        "ages": np.zeros((1, 4), np.float32),
        "mask": np.zeros((1, 4), np.float32),
    }
    assert np.isfinite(session.run(["logits"], inputs)[0]).all()
