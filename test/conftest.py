"""What tests share: a portrait, its crop, a made clip, detectors, the shipped recognizer, an own environment."""

import gc
import importlib.util
import itertools
import os
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from launching import launch_environment
from ros_domain import claim_domain
from skimage import data

from dfer_ros.core.alignment import align_face
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.detection.yunet_detector import YUNET_FILE, yunet_default_path
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import open_model_folder
from dfer_ros.core.recognizer import Recognizer, RecognizerConfig
from dfer_ros.recordings.demo_clip import demo_frames, load_portrait

# A run in the background of a script ignores Ctrl-C, one under nohup a closed terminal, and all that they start would.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)

# For this process and all that it starts: nobody else on this machine or network may answer.
os.environ["ROS_DOMAIN_ID"] = str(claim_domain())
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
# Messages of Humble refuse a value of another type, such as an integer for a float; later ones do if they are told to.
os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

CHECKOUT = Path(__file__).resolve().parents[1]
CLIP_FRAMES = 60


def pytest_collection_modifyitems(items):
    """Mix the rooms evenly: workers that all start nodes wait for each other, and long rooms are to end together."""
    rooms = {}
    for path in dict.fromkeys(item.path for item in items):
        rooms.setdefault(path.parent, []).append(path)
    place = {path: (index + 0.5) / len(files) for files in rooms.values() for index, path in enumerate(files)}
    items.sort(key=lambda item: place[item.path])


def pytest_sessionstart():
    """Collect no garbage while tests are imported: nothing of them is any."""
    gc.disable()


def pytest_collection_finish():
    """Keep half a million objects of tests and libraries out of every collection of garbage from here on."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def portrait():
    """The smiling astronaut [512, 512, 3] uint8 BGR."""
    image = load_portrait()
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def portrait_landmarks():
    """Eyes, nose tip and mouth centre of the portrait [4, 2] in pixels, read off by a person."""
    landmarks = np.array([(203.0, 101.0), (246.5, 103.0), (223.5, 126.0), (223.0, 145.0)], dtype=np.float32)
    landmarks.setflags(write=False)
    return landmarks


@pytest.fixture(scope="session")
def aligned_crop(portrait, portrait_landmarks):
    """The aligned crop [128, 128, 3] of the portrait."""
    crop = align_face(portrait, portrait_landmarks)
    crop.setflags(write=False)
    return crop


@pytest.fixture(scope="session")
def serious_crop():
    """The aligned crop of another person, who does not smile: the cameraman, seen from his side."""
    image = cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2BGR)
    landmarks = np.array([(236.0, 144.0), (249.0, 155.0), (251.0, 175.0), (237.0, 184.0)], dtype=np.float32)
    crop = align_face(image, landmarks)
    crop.setflags(write=False)
    return crop


@pytest.fixture(scope="session")
def clip():
    """Two seconds of the demo clip at 30 Hz: one head, 640x480, comes near."""
    return list(itertools.islice(demo_frames(), CLIP_FRAMES))


@pytest.fixture(scope="session")
def yunet_model():
    """The path of YuNet's model file."""
    places = (CHECKOUT.parent / "shared" / "weights" / YUNET_FILE, yunet_default_path())
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip(f"there is no {YUNET_FILE}: 'dfer fetch yunet' gets it")
    return str(found)


@pytest.fixture(scope="session")
def mediapipe_detector():
    """The MediaPipe detector."""
    pytest.importorskip("mediapipe", reason="mediapipe 0.10.21 is not installed: there is none for Python 3.13 and on")
    return create_detector(DetectorConfig("mediapipe"))


@pytest.fixture(scope="session")
def yunet_detector(yunet_model):
    """The YuNet detector at its default width."""
    return create_detector(DetectorConfig("yunet", yunet_model=yunet_model))


@pytest.fixture(scope="session")
def detector(request):
    """The detector that is there, MediaPipe before YuNet."""
    there = importlib.util.find_spec("mediapipe") is not None
    return request.getfixturevalue("mediapipe_detector" if there else "yunet_detector")


@pytest.fixture(scope="session")
def model_folder():
    """The model folder that is shipped."""
    return open_model_folder(EmotionModelConfig.model)


@pytest.fixture
def model_copy(model_folder, tmp_path):
    """A copy of the shipped model with the INT8 encoder only, for a test to spoil."""
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("model.yaml", "head.onnx", "encoder_int8.onnx"):
        shutil.copy(model_folder.path / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def _loaded_recognizer():
    return Recognizer(EmotionModel(EmotionModelConfig(precision="int8")))


@pytest.fixture
def recognizer(_loaded_recognizer):
    """The shipped recognizer, INT8, with its defaults and without memory of the test before."""
    _loaded_recognizer.reset()
    _loaded_recognizer.configure(RecognizerConfig())
    return _loaded_recognizer


@pytest.fixture
def robot():
    """A node that publishes emotions."""
    # Here, as it takes ROS, which most tests do without.
    from emotion_robot import Robot

    made = Robot()
    yield made
    made.close()


@pytest.fixture
def own_environment(monkeypatch):
    """Give the test an environment of its own: launch writes into it."""
    environment = launch_environment()
    monkeypatch.setattr(os, "environ", environment)
    return environment
