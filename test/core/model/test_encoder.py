from dataclasses import replace

import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import align_face
from dfer_ros.core.decision import calibrated_probabilities
from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.encoder import FrameEncoder, create_encoder, preprocess
from dfer_ros.core.model.folder import PRECISIONS, ModelFolder, open_model_folder
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.core.model.temporal_head import TemporalHead
from dfer_ros.core.window import FrameWindow, WindowConfig


@pytest.fixture(scope="module")
def encoders(model_folder):
    return {precision: FrameEncoder(model_folder, precision, SessionConfig()) for precision in PRECISIONS}


@pytest.fixture(scope="module")
def crops(portrait, portrait_landmarks):
    """Real crops: near and far, turned, shifted, mirrored, dark and blurred."""
    rng = np.random.default_rng(0)
    centre = portrait_landmarks.mean(axis=0)
    made = []
    for _ in range(16):
        angle, scale = np.deg2rad(rng.uniform(-20, 20)), rng.uniform(0.75, 1.3)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        landmarks = (portrait_landmarks - centre) @ turn.T + centre + rng.uniform(-4, 4, 2)
        made.append(align_face(portrait, landmarks))
    made += [crop[:, ::-1] for crop in made[:4]]
    made += [crop // 4 for crop in made[4:8]]
    made += [cv2.GaussianBlur(crop, (0, 0), 2.5) for crop in made[8:12]]
    return made


def probabilities(model_folder, embeddings):
    """Return what the head makes of every embedding alone."""
    windows = []
    for embedding in embeddings:
        window = FrameWindow(WindowConfig(2.0, 32), len(embedding))
        window.add(0.0, embedding, 1.0)
        windows.append(window)
    logits = TemporalHead(model_folder, embeddings.shape[1], SessionConfig()).logits(windows)
    return calibrated_probabilities(logits, model_folder.description.temperature)


def test_the_input_is_the_middle_of_the_crop_in_normalised_rgb(model_folder, aligned_crop):
    description = replace(model_folder.description, crop=96, input_size=96)
    middle = aligned_crop[16:112, 16:112, ::-1].astype(np.float64) / 255
    expected = (middle - description.mean) / description.std
    batch = preprocess([aligned_crop], description)
    assert batch.dtype == np.float32
    assert batch.shape == (1, 3, 96, 96)
    assert np.abs(batch[0].transpose(1, 2, 0) - expected).max() < 1e-5


@pytest.mark.parametrize("input_size", [48, 96, 112, 224])
def test_the_input_is_scaled_to_the_size_of_the_model(model_folder, aligned_crop, input_size):
    description = replace(model_folder.description, crop=112, input_size=input_size)
    batch = preprocess([aligned_crop] * 3, description)
    assert batch.shape == (3, 3, input_size, input_size)
    scaled = cv2.resize(aligned_crop[8:120, 8:120], (input_size, input_size))[..., ::-1] / 255
    expected = (scaled - description.mean) / description.std
    assert np.abs(batch[2].transpose(1, 2, 0) - expected).max() < 1e-4


@pytest.mark.parametrize("precision", PRECISIONS)
def test_embeddings_are_float32_rows(encoders, crops, precision):
    encoder = encoders[precision]
    embeddings = encoder.encode(crops[:3])
    assert embeddings.shape == (3, encoder.embedding_size)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_batch_gives_what_each_crop_gives_alone(encoders, crops, precision):
    encoder = encoders[precision]
    alone = np.concatenate([encoder.encode([crop]) for crop in crops])
    assert np.abs(encoder.encode(crops) - alone).max() < 1e-4


@pytest.mark.parametrize(("precision", "difference"), [("fp16", 0.002), ("int8", 0.05)])
def test_smaller_precisions_agree_with_fp32_on_real_crops(model_folder, encoders, crops, precision, difference):
    exact = probabilities(model_folder, encoders["fp32"].encode(crops))
    rough = probabilities(model_folder, encoders[precision].encode(crops))
    assert np.abs(rough - exact).max() < difference
    assert (rough.argmax(axis=1) == exact.argmax(axis=1)).all()


def test_different_crops_have_different_embeddings(encoders, crops):
    first, second = encoders["int8"].encode([crops[0], crops[0] // 3])
    assert np.abs(first - second).max() > 0.05


def test_runs_and_crops_are_counted(model_folder, crops):
    encoder = FrameEncoder(model_folder, "int8", SessionConfig())
    assert (encoder.runs, encoder.crops) == (0, 0)
    encoder.encode(crops[:5])
    encoder.encode(crops[:1])
    assert (encoder.runs, encoder.crops) == (2, 6)


def test_auto_takes_a_precision_that_is_there(model_folder, model_copy):
    assert create_encoder(model_folder, "auto", SessionConfig()).precision in PRECISIONS
    assert create_encoder(open_model_folder(str(model_copy)), "auto", SessionConfig()).precision == "int8"


def test_auto_takes_the_fastest(model_folder, monkeypatch):
    times = {"fp32": 3.0, "fp16": 1.0, "int8": 2.0}
    monkeypatch.setattr("dfer_ros.core.model.encoder.seconds_per_crop", lambda encoder: times[encoder.precision])
    assert create_encoder(model_folder, "auto", SessionConfig()).precision == "fp16"


def test_auto_starts_with_its_counters_at_zero(model_folder):
    encoder = create_encoder(model_folder, "auto", SessionConfig())
    assert (encoder.runs, encoder.crops) == (0, 0)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_named_precision_is_the_one_in_use(model_folder, precision):
    assert create_encoder(model_folder, precision, SessionConfig()).precision == precision


@pytest.mark.parametrize("precision", ["", "INT8", "fp64"])
def test_an_unknown_precision_is_an_error_that_names_those_known(model_folder, precision):
    with pytest.raises(ModelError, match=f"'{precision}' is not known: use one of auto, fp32, fp16, int8"):
        create_encoder(model_folder, precision, SessionConfig())


def test_a_precision_that_is_not_in_the_folder_is_an_error(model_copy):
    with pytest.raises(ModelError, match=r"encoder_fp16\.onnx is missing"):
        create_encoder(open_model_folder(str(model_copy)), "fp16", SessionConfig())


def test_a_folder_without_encoders_is_an_error(model_folder, tmp_path):
    empty = ModelFolder(tmp_path, model_folder.description)
    with pytest.raises(ModelError, match=f"There is no encoder in {tmp_path}"):
        create_encoder(empty, "auto", SessionConfig())


def test_a_provider_that_is_not_installed_is_passed_over_for_the_cpu(model_folder):
    encoder = FrameEncoder(model_folder, "int8", SessionConfig(providers=("cuda",)))
    assert encoder.providers == ("CPUExecutionProvider",)
    assert "CUDAExecutionProvider is not installed" in encoder.warning
