"""Bad input gets one clear line each, and the next good image is answered."""

import shutil
import time

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
from status_values import values

from dfer_msgs.msg import Face, FaceArray
from dfer_ros.core.installed_files import share_directory
from dfer_ros.ros.image_conversion import fill_image
from dfer_ros.ros.waiting import wait_until


def unknown_encoding(message):
    message.encoding = "cmyk9"


def zero_size(message):
    message.width = message.height = 0


def truncated(message):
    message.data = message.data[: len(message.data) // 2]


def rows_too_short(message):
    message.step = 600


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (unknown_encoding, "encoding 'cmyk9' is not supported"),
        (zero_size, "The image is 0x0 pixels"),
        (truncated, "The image is truncated"),
        (rows_too_short, "rows are 600 bytes"),
    ],
)
def test_a_bad_image_is_named_once_and_the_next_good_one_answered(nodes, probe, clip, spoil, sentence):
    nodes.start("face_detector_node")
    camera = probe.publisher()
    probe.wait_for_graph(emotions=False)
    for index in range(5):
        bad = probe.image(clip[0], 100.0 + 2 * index)
        spoil(bad)
        camera.publish(bad)
        assert wait_until(lambda: nodes.lines("face_detector_node", sentence))
        time.sleep(0.05)
        probe.feed(clip[:1], probe.faces, [101.0 + 2 * index])
    assert len(probe.faces) == 5
    assert len(nodes.lines("face_detector_node", sentence)) == 1
    assert not nodes.lines("face_detector_node", "Unexpected error")


def test_a_corrupt_jpeg_is_named_once_and_the_next_good_one_answered(nodes, probe, clip):
    nodes.start("face_detector_node", "-p", "image_transport:=compressed")
    camera = probe.publisher(CompressedImage, "image/compressed")
    probe.wait_for_graph(emotions=False, topic="image/compressed")
    for _ in range(5):
        camera.publish(probe.compressed(b"this is no JPEG"))
        time.sleep(0.05)
    assert wait_until(lambda: nodes.lines("face_detector_node", "cannot be decoded"))
    camera.publish(probe.compressed(cv2.imencode(".jpg", clip[0])[1].tobytes()))
    assert wait_until(lambda: len(probe.faces) == 1)
    assert len(nodes.lines("face_detector_node", "cannot be decoded")) == 1


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda face: setattr(face, "quality", float("nan")), "The quality of anna is nan"),
        (lambda face: setattr(face, "quality", float("inf")), "The quality of anna is inf"),
        (lambda face: setattr(face.aligned, "encoding", "cmyk9"), "encoding 'cmyk9' is not supported"),
    ],
    ids=["quality nan", "quality inf", "encoding"],
)
def test_a_face_of_no_use_is_left_out_and_an_image_of_such_faces_only_counts_as_unusable(
    nodes, probe, aligned_crop, diagnostics, spoil, sentence
):
    nodes.start("dfer_node")
    faces = probe.publisher(FaceArray, "faces")
    assert wait_until(lambda: faces.get_subscription_count() == 2)  # the probe listens as well

    def seen(*names):
        message = probe.stamp(FaceArray())
        message.faces = [Face(id=name, quality=0.9, confidence=0.9) for name in names]
        for face in message.faces:
            fill_image(face.aligned, aligned_crop)
            if face.id == "anna":
                spoil(face)
        time.sleep(0.1)  # no more often than frame_rate allows
        return message

    def is_unusable(count):
        return name in diagnostics and values(diagnostics[name])["dropped: unusable"] == count

    name = "dfer_node: faces"
    probe.wait_until_heard(lambda: seen("ben"), faces)
    probe.emotions.clear()
    probe.ask([seen("anna", "ben")], faces)
    assert wait_until(lambda: is_unusable("0"))
    faces.publish(seen("anna"))
    assert wait_until(lambda: is_unusable("1"))
    probe.ask([seen("ben")], faces)
    assert len(probe.emotions) == 2
    assert [[one.face_id for one in array.emotions] for array in probe.emotions] == [["ben"]] * 2
    assert all(np.isfinite(array.emotions[0].probabilities).all() for array in probe.emotions)
    assert len(nodes.lines("dfer_node", sentence)) == 1

    def is_counted():
        counted = values(diagnostics[name])
        dropped = {reason: count for reason, count in counted.items() if reason.startswith("dropped: ")}
        return dropped.pop("dropped: unusable") == "1" and int(counted["frames processed"]) == (
            int(counted["frames in"]) - 1 - sum(int(count) for count in dropped.values())
        )

    assert wait_until(is_counted)


def ends_with(nodes, node, sentence, *arguments):
    """Assert that a node started with these arguments ends with code 1 and one line that holds the sentence."""
    process = nodes.start(node, *arguments)
    assert process.wait(60) == 1
    assert wait_until(lambda: nodes.logs[node])
    fatal = nodes.lines(node, "[FATAL]")
    assert len(fatal) == 1
    assert sentence in fatal[0]


@pytest.mark.parametrize(
    ("node", "parameter", "sentence"),
    [
        ("dfer_node", "cameras:=['front-left']", "The camera 'front-left' of the parameter 'cameras'"),
        ("dfer_node", "precision:=fast", "'precision' must be one of auto, fp32, fp16, int8"),
        ("dfer_node", "threads:=0", "'threads' must be a number from 1 to 64"),
        ("dfer_node", "providers:=CPU", "'providers' must be a list of texts"),
        ("dfer_node", "providers:=['gpu']", "Execution provider 'gpu' is not known: use cpu, cuda"),
        ("dfer_node", "input:=tracked", "'input' must be one of faces, hri"),
        ("dfer_node", "model:=/nowhere/model", "There is no model folder /nowhere/model"),
        ("face_detector_node", "id_prefix:=9lives", "'id_prefix' must be empty or a letter"),
        ("face_detector_node", "frame_rate:=0.0", "'frame_rate' must be a number from 0.1 to 240.0 Hz"),
        ("face_detector_node", "frame_rate:=often", "'frame_rate' must be a number from 0.1 to 240.0 Hz"),
        ("face_detector_node", "image_transport:=theora", "'image_transport' must be one of raw, compressed"),
        ("video_source_node", "source:=''", "'source' is empty"),
        ("video_source_node", "source:=/nowhere.mp4", "There is no file or folder /nowhere.mp4"),
    ],
)
def test_a_wrong_value_at_start_ends_the_node_with_a_sentence(nodes, node, parameter, sentence):
    ends_with(nodes, node, sentence, "-p", parameter)


def test_a_damaged_model_ends_the_node(nodes, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(share_directory() / "models" / "mobilenet_v1", model)
    encoder = model / "encoder_int8.onnx"
    content = bytearray(encoder.read_bytes())
    content[len(content) // 2] ^= 1
    encoder.write_bytes(content)
    ends_with(nodes, "dfer_node", "encoder_int8.onnx is damaged", "-p", f"model:={model}", "-p", "precision:=int8")


def test_a_missing_encoder_ends_the_node(nodes, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(share_directory() / "models" / "mobilenet_v1", model)
    (model / "encoder_fp16.onnx").unlink()
    ends_with(nodes, "dfer_node", "encoder_fp16.onnx is missing", "-p", f"model:={model}", "-p", "precision:=fp16")


def test_a_missing_yunet_model_ends_the_node(nodes):
    arguments = ("-p", "detector:=yunet", "-p", "yunet_model:=/nowhere/yunet.onnx")
    ends_with(nodes, "face_detector_node", "no model file at /nowhere/yunet.onnx", *arguments)


def test_a_provider_that_is_not_installed_is_named_and_passed_over(nodes, probe):
    providers = "providers:=['TensorrtExecutionProvider', 'CPUExecutionProvider']"
    nodes.start("dfer_node", "-p", providers, "-p", "precision:=int8")
    assert wait_until(lambda: nodes.lines("dfer_node", "int8 on CPUExecutionProvider"))
    assert len(nodes.lines("dfer_node", "TensorrtExecutionProvider is not installed")) == 1
    assert nodes.processes["dfer_node"].poll() is None
