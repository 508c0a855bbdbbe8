import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from skimage import data

from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.detection.yunet_detector import YUNET_FILE, YuNetDetector
from dfer_ros.core.errors import DetectorError
from dfer_ros.recordings.demo_clip import Pose, compose, crowd_frame

DETECTORS = ["mediapipe_detector", "yunet_detector"]
FACE_WIDTHS = [40, 60, 95, 150, 240, 400]

FACE_CENTRE, FACE_WIDTH, EYE_DISTANCE = np.array((222.0, 112.0)), 95.0, 43.5
"""Of the face in the portrait, in pixels."""


@pytest.fixture(params=DETECTORS)
def each_detector(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def picture(portrait, portrait_landmarks):
    """Return an image 640x480 with the face at a width in pixels, and where its landmarks are."""

    def make(face_width, mirrored=False):
        image = compose(np.full((480, 640, 3), 90, np.uint8), portrait, [Pose(0.5, 0.5, face_width, 0, mirrored)])
        scale = face_width / FACE_WIDTH
        offsets = (portrait_landmarks - FACE_CENTRE) * scale
        if mirrored:
            offsets = offsets[[1, 0, 2, 3]] * (-1, 1)
        return image, np.add(offsets, (320, 240)), EYE_DISTANCE * scale

    return make


def threads_of_this_process():
    return len(list(Path("/proc/self/task").iterdir()))


def worst_distance(first, second):
    return np.hypot(*(first - second).T).max()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("face_width", FACE_WIDTHS)
def test_the_one_face_is_found_with_its_landmarks_in_order_and_place(each_detector, picture, face_width, mirrored):
    image, landmarks, eye_distance = picture(face_width, mirrored)
    (face,) = each_detector.detect(image)
    assert face.landmarks.shape == (4, 2)
    assert worst_distance(face.landmarks, landmarks) < 0.3 * eye_distance


@pytest.mark.parametrize("face_width", FACE_WIDTHS)
def test_the_box_surrounds_the_landmarks_and_is_as_large_as_the_face(each_detector, picture, face_width):
    image, landmarks, _ = picture(face_width)
    (face,) = each_detector.detect(image)
    x, y, width, height = face.box
    assert ((landmarks > (x, y)) & (landmarks < (x + width, y + height))).all()
    assert 0.7 * face_width < width < 1.4 * face_width
    assert 0.7 * face_width < height < 1.5 * face_width


def test_values_are_float32_and_confidences_between_0_and_1(each_detector, portrait):
    (face,) = each_detector.detect(portrait)
    assert face.box.dtype == face.landmarks.dtype == np.float32
    assert face.box.shape == (4,)
    assert 0.8 < face.confidence <= 1.0
    assert isinstance(face.confidence, float)


@pytest.mark.parametrize("face_width", [500, 600])
def test_a_close_up_that_fills_the_frame_is_found(each_detector, picture, face_width):
    image, landmarks, eye_distance = picture(face_width)
    (face,) = each_detector.detect(image)
    assert worst_distance(face.landmarks, landmarks) < 0.3 * eye_distance


def test_a_face_cut_by_the_edges_of_the_frame_is_found(each_detector, portrait, portrait_landmarks):
    cut = cv2.resize(portrait[80:165, 190:260], None, fx=4, fy=4)
    (face,) = each_detector.detect(cut)
    assert worst_distance(face.landmarks, (portrait_landmarks - (190, 80)) * 4) < 0.3 * 4 * EYE_DISTANCE


@pytest.mark.parametrize("value", [0, 90, 255])
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (1, 1), (40, 40)])
def test_there_is_no_face_in_a_blank_image(each_detector, size, value):
    assert each_detector.detect(np.full((*size, 3), value, np.uint8)) == []


@pytest.mark.parametrize("size", [(32, 640), (10, 4000), (1, 640), (640, 24), (100, 2)])
def test_yunet_finds_no_face_in_a_narrow_strip(yunet_model, portrait, size):
    wide = create_detector(DetectorConfig("yunet", yunet_model=yunet_model, yunet_width=640))
    strip = np.full((*size, 3), 90, np.uint8)
    assert wide.detect(strip) == []
    assert len(wide.detect(portrait)) == 1
    assert wide.detect(strip) == []


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "hubble_deep_field"])
def test_there_is_no_face_in_pictures_of_other_things(each_detector, name):
    picture = getattr(data, name)()
    assert each_detector.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)) == []


@pytest.mark.parametrize("enlargement", [2, 5, 7.5])
def test_coordinates_are_pixels_of_the_image_however_large_it_is(each_detector, portrait, enlargement):
    small, large = (each_detector.detect(cv2.resize(portrait, None, fx=f, fy=f)) for f in (1, enlargement))
    assert worst_distance(large[0].landmarks / enlargement, small[0].landmarks) < 0.15 * EYE_DISTANCE


@pytest.mark.parametrize("shape", [(512, 300), (300, 512), (400, 1600), (900, 300)])
def test_coordinates_are_right_in_images_of_any_shape(each_detector, portrait, portrait_landmarks, shape):
    image = np.full((*shape, 3), 90, np.uint8)
    part = portrait[: shape[0], 100 : 100 + min(shape[1], 300)]
    image[: part.shape[0], : part.shape[1]] = part
    faces = each_detector.detect(image)
    assert len(faces) == 1
    assert worst_distance(faces[0].landmarks, portrait_landmarks - (100, 0)) < 0.3 * EYE_DISTANCE


@pytest.mark.parametrize("count", [2, 5])
def test_all_faces_of_a_group_are_found(each_detector, count):
    faces = each_detector.detect(crowd_frame(count, 960, 540, 0.0))
    assert len(faces) == count
    assert len({tuple(face.box.round()) for face in faces}) == count


def test_yunet_finds_twenty_faces_where_it_sees_enough_pixels(yunet_model):
    wide = create_detector(DetectorConfig("yunet", yunet_model=yunet_model, yunet_width=960))
    assert len(wide.detect(crowd_frame(20, 1280, 720, 0.0))) == 20


def test_an_image_is_left_as_it_was_and_gives_the_same_faces_again(each_detector, clip):
    image = clip[0].copy()
    first, second = each_detector.detect(image), each_detector.detect(image)
    assert (image == clip[0]).all()
    assert [face.landmarks.tolist() for face in first] == [face.landmarks.tolist() for face in second]
    assert [face.box.tolist() for face in first] == [face.box.tolist() for face in second]


@pytest.mark.parametrize("face_width", [60, 95, 150])
def test_mediapipe_and_yunet_agree_within_a_few_pixels(mediapipe_detector, yunet_detector, picture, face_width):
    image, _, eye_distance = picture(face_width)
    (by_mediapipe,), (by_yunet,) = mediapipe_detector.detect(image), yunet_detector.detect(image)
    assert worst_distance(by_mediapipe.landmarks, by_yunet.landmarks) < 0.3 * eye_distance


@pytest.fixture(params=["mediapipe", "yunet"])
def configured(request, yunet_model):
    """Return a function that makes a detector of its own, at a confidence."""
    if request.param == "mediapipe":
        request.getfixturevalue("mediapipe_detector")

    def config(confidence=DetectorConfig.detection_confidence):
        return DetectorConfig(request.param, detection_confidence=confidence, yunet_model=yunet_model)

    return config


def test_the_detection_confidence_is_the_least_score(configured, portrait):
    score = create_detector(configured()).detect(portrait)[0].confidence
    # MediaPipe's full-range model must reach 0.1 more.
    below, above = (create_detector(configured(limit)) for limit in (score - 0.11, score + 0.01))
    assert len(below.detect(portrait)) == 1
    assert above.detect(portrait) == []


def test_the_detection_confidence_can_change_between_images(configured, portrait):
    detector = create_detector(configured())
    (before,) = detector.detect(portrait)
    detector.configure(configured(before.confidence + 0.01))
    assert detector.detect(portrait) == []
    detector.configure(configured())
    (after,) = detector.detect(portrait)
    assert after.confidence == before.confidence
    assert (after.box == before.box).all()


def test_no_detection_is_below_the_confidence_in_a_crowd_of_small_faces(configured):
    crowd = crowd_frame(20, 960, 540, 0.3)
    counts = []
    for confidence in (0.2, 0.5, 0.8):
        scores = [face.confidence for face in create_detector(configured(confidence)).detect(crowd)]
        assert all(score >= confidence for score in scores)
        counts.append(len(scores))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_mediapipe_works_in_the_thread_of_its_caller_and_starts_none(mediapipe_detector, portrait):
    before = threads_of_this_process()
    detector = create_detector(DetectorConfig("mediapipe"))
    assert len(detector.detect(portrait)) == 1
    detector.configure(DetectorConfig("mediapipe", detection_confidence=0.6))
    assert len(detector.detect(portrait)) == 1
    assert threads_of_this_process() <= before


def test_mediapipe_can_be_made_in_one_thread_and_used_in_another(mediapipe_detector, portrait):
    detector, found = create_detector(DetectorConfig("mediapipe")), []
    thread = threading.Thread(target=lambda: found.extend(detector.detect(portrait)))
    thread.start()
    thread.join()
    assert len(found) == 1


def test_mediapipe_is_loaded_without_matplotlib_until_somebody_plots(mediapipe_detector):
    code = """
import sys
from dfer_ros.core.detection import DetectorConfig, create_detector
create_detector(DetectorConfig(detector="mediapipe"))
print("matplotlib" in sys.modules)
from mediapipe.python.solutions import drawing_utils
print(drawing_utils.plt.figure.__module__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "matplotlib.pyplot"], done.stderr


def test_auto_takes_mediapipe_where_it_is(mediapipe_detector, tmp_path):
    config = DetectorConfig("auto", yunet_model=str(tmp_path / "absent.onnx"))
    assert create_detector(config).name == mediapipe_detector.name == "mediapipe"


@pytest.fixture
def without_mediapipe(monkeypatch):
    """As on a Python for which there is no wheel."""
    monkeypatch.setitem(sys.modules, "mediapipe.python.solution_base", None)


def test_auto_takes_yunet_where_mediapipe_is_not(without_mediapipe, yunet_model):
    assert create_detector(DetectorConfig("auto", yunet_model=yunet_model)).name == "yunet"


def test_mediapipe_that_is_not_installed_is_an_error_that_says_what_to_install(without_mediapipe):
    with pytest.raises(DetectorError, match=r"pip install mediapipe==0\.10\.21"):
        create_detector(DetectorConfig("mediapipe"))


def test_auto_without_any_detector_says_what_both_need(without_mediapipe, tmp_path):
    with pytest.raises(DetectorError, match=r"No face detector is available.*mediapipe==0\.10\.21.*dfer fetch yunet"):
        create_detector(DetectorConfig("auto", yunet_model=str(tmp_path / "absent.onnx")))


def test_an_unknown_detector_is_an_error_that_names_those_known():
    with pytest.raises(DetectorError, match="'hog' is not known: use one of auto, mediapipe, yunet, haar, mtcnn"):
        create_detector(DetectorConfig("hog"))


def test_a_missing_yunet_file_is_an_error_that_names_it(tmp_path):
    missing = tmp_path / "absent.onnx"
    with pytest.raises(DetectorError, match=f"no model file at {missing}: run 'dfer fetch yunet'"):
        create_detector(DetectorConfig("yunet", yunet_model=str(missing)))


def test_yunet_is_looked_for_where_it_is_fetched_to(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(DetectorError, match=f"no model file at {tmp_path / 'dfer_ros' / YUNET_FILE}"):
        create_detector(DetectorConfig("yunet"))


@pytest.mark.parametrize("content", [b"", b"no network", bytes(100_000)])
def test_a_damaged_yunet_file_is_an_error_that_names_it(tmp_path, content):
    damaged = tmp_path / YUNET_FILE
    damaged.write_bytes(content)
    with pytest.raises(DetectorError, match=f"cannot use the YuNet model {damaged}"):
        YuNetDetector(damaged, DetectorConfig())


def test_a_closed_detector_gives_its_memory_back():
    pytest.importorskip("mediapipe", reason="mediapipe 0.10.21 is not installed: there is none for Python 3.13 and on")
    process = psutil.Process()

    def resident_after(rounds):
        for _ in range(rounds):
            create_detector(DetectorConfig("mediapipe")).close()
        return process.memory_info().rss / 2**20

    before = resident_after(3)
    assert resident_after(10) - before < 60, "ten detectors that are not freed keep 200 MB"
