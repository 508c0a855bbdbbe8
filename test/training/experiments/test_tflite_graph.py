"""The face mesh that is shipped, made again of the file it was made of."""

from pathlib import Path

import onnx
import pytest

from dfer_ros.core.errors import ModelError
from dfer_ros.core.face_mesh import mesh_file
from dfer_ros.training.experiments.tflite_graph import load_classifier_graph, load_face_mesh_graph


def test_the_shipped_face_mesh_is_the_one_of_the_mediapipe_wheel():
    mediapipe = pytest.importorskip("mediapipe", reason="mediapipe 0.10.21 is not installed")
    modules = Path(mediapipe.__file__).parent / "modules"
    made = load_face_mesh_graph(modules / "face_landmark" / "face_landmark.tflite")
    assert made.graph == onnx.load(mesh_file()).graph


@pytest.mark.parametrize("model", ["face_detection/face_detection_short_range.tflite", "nothing.tflite"])
def test_another_model_is_refused_in_a_sentence(model):
    mediapipe = pytest.importorskip("mediapipe", reason="mediapipe 0.10.21 is not installed")
    with pytest.raises(ModelError, match="TFLite model of a face mesh"):
        load_face_mesh_graph(Path(mediapipe.__file__).parent / "modules" / model)


def test_a_damaged_file_is_a_sentence(tmp_path):
    path = tmp_path / "model.tflite"
    for content in (b"", b"no model, but long enough to have a root table", bytes(64)):
        path.write_bytes(content)
        for load, kind in ((load_face_mesh_graph, "a face mesh"), (load_classifier_graph, "a classifier")):
            with pytest.raises(ModelError, match=rf"model\.tflite cannot be read as the TFLite model of {kind}"):
                load(path)
