import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from dfer_ros.core.model_folder import HEAD_FILE
from dfer_ros.core.onnx_session import SessionConfig
from dfer_ros.core.temporal_head import TemporalHead
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.training.weighted_mean_head import export_weighted_mean_head

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
def head(model_folder, size):
    return TemporalHead(model_folder, size, SessionConfig())


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
    assert head.logits([window_of(*frames)])[0] == pytest.approx(expected, abs=2e-3)


def test_persons_with_windows_of_different_lengths_are_answered_in_one_batch(head, classifier, size):
    persons = [random_frames(size, count, seed=10 + count) for count in (1, 16, 3, 9)]
    logits = head.logits([window_of(*frames) for frames in persons])
    assert logits.shape == (4, 7)
    for row, frames in zip(logits, persons):
        assert row == pytest.approx(weighted_mean_logits(classifier, *frames), abs=2e-3)


def test_a_batch_gives_what_each_person_gives_alone(head, size):
    windows = [window_of(*random_frames(size, count, seed=20 + count)) for count in (2, 12, 5)]
    alone = np.concatenate([head.logits([window]) for window in windows])
    assert head.logits(windows) == pytest.approx(alone, abs=1e-4)


def test_a_window_of_quality_zero_gives_the_plain_mean_by_age(head, classifier, size):
    stamps, embeddings, _ = random_frames(size, 5, seed=30)
    expected = weighted_mean_logits(classifier, stamps, embeddings, np.ones(5))
    assert head.logits([window_of(stamps, embeddings, np.zeros(5))])[0] == pytest.approx(expected, abs=5e-3)


def test_the_shipped_head_is_the_weighted_mean_of_the_shipped_encoder(model_folder, size, tmp_path):
    exported = tmp_path / HEAD_FILE
    export_weighted_mean_head(model_folder.path / "encoder_fp32.onnx", exported, DECAY_SECONDS)
    rng = np.random.default_rng(0)
    inputs = {
        "embeddings": rng.normal(0, 1, (3, 8, size)).astype(np.float32),
        "ages": rng.uniform(0, 2, (3, 8)).astype(np.float32),
        "mask": rng.uniform(0, 1, (3, 8)).astype(np.float32),
    }
    shipped, again = (
        onnxruntime.InferenceSession(str(path)).run(["logits"], inputs)[0]
        for path in (model_folder.path / HEAD_FILE, exported)
    )
    assert again == pytest.approx(shipped, abs=1e-4)


def test_without_any_frame_the_head_gives_finite_logits(model_folder, size):
    session = onnxruntime.InferenceSession(str(model_folder.path / HEAD_FILE))
    inputs = {
        "embeddings": np.zeros((1, 4, size), np.float32),
        "ages": np.zeros((1, 4), np.float32),
        "mask": np.zeros((1, 4), np.float32),
    }
    assert np.isfinite(session.run(["logits"], inputs)[0]).all()
