"""Where the calibration of a camera is looked for, and what is made of it."""

import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from dfer_ros.core.head_pose import default_camera
from dfer_ros.ros.camera_calibration import CameraCalibration, calibrated_camera, camera_info_topic, has_shape
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until

K = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
P = [450.0, 0.0, 310.0, 0.0, 0.0, 455.0, 235.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def info(**changes):
    lens = {"distortion_model": "plumb_bob", "d": [-0.3, 0.1, 0.0, 0.0, 0.0]}
    return CameraInfo(**{"width": 640, "height": 480, "k": K, "p": P, **lens, **changes})


@pytest.mark.parametrize(
    ("remaps", "topic"),
    [
        ((), "/robot/camera_info"),
        (("image:=/camera/image_raw",), "/camera/camera_info"),
        (("image:=/camera/color/image_raw/compressed",), "/camera/color/camera_info"),
        (("image:=/camera/image_raw", "camera_info:=/calibration"), "/calibration"),
    ],
    ids=["as it is", "beside a camera", "compressed", "remapped"],
)
def test_the_calibration_is_beside_the_image(_ros, remaps, topic):
    arguments = ["--ros-args", *(part for remap in remaps for part in ("-r", remap))]
    node = rclpy.create_node("listener", namespace="robot", cli_args=arguments)
    try:
        assert camera_info_topic(node) == topic
    finally:
        node.destroy_node()


def test_a_raw_image_has_its_matrix_and_its_lens():
    camera = calibrated_camera(info(), 640, 480)
    assert camera.matrix == pytest.approx(np.reshape(K, (3, 3)))
    assert camera.distortion == (-0.3, 0.1, 0.0, 0.0, 0.0)
    assert not camera.fisheye


def test_a_rectified_image_has_no_lens():
    camera = calibrated_camera(info(), 640, 480, rectified=True)
    assert camera.matrix == pytest.approx(np.reshape(P, (3, 4))[:, :3])
    assert camera.distortion == ()


def test_a_smaller_image_sees_as_much():
    """The corners of its pixels are those of the calibrated image's."""
    whole, half = calibrated_camera(info(d=[]), 640, 480), calibrated_camera(info(d=[]), 320, 240)
    corners = np.array([(-0.5, -0.5), (639.5, 479.5)], np.float32)
    assert half.rays((corners + 0.5) / 2 - 0.5) == pytest.approx(whole.rays(corners), abs=1e-5)


def test_a_part_of_the_image_sees_what_the_whole_sees_there():
    part = info(d=[], roi=RegionOfInterest(x_offset=100, y_offset=50, width=320, height=240))
    whole, cut = calibrated_camera(info(d=[]), 640, 480), calibrated_camera(part, 320, 240)
    point = np.array([(200.0, 150.0)], np.float32)
    assert cut.rays(point - (100, 50)) == pytest.approx(whole.rays(point), abs=1e-5)


def test_a_fisheye_is_told_from_other_lenses():
    camera = calibrated_camera(info(distortion_model="equidistant", d=[0.1, 0.0, 0.0, 0.0]), 640, 480)
    assert camera.fisheye
    assert camera.distortion == (0.1, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "lens",
    [
        {"distortion_model": "plumb_bob", "d": [0.1, 0.2]},
        {"distortion_model": "plumb_bob", "d": [float("nan")] * 5},
        {"distortion_model": "of a maker", "d": [0.1] * 5},
        {"distortion_model": "equidistant", "d": [0.1] * 5},
        {"distortion_model": "", "d": []},
    ],
    ids=["too few numbers", "no numbers", "not known", "too many numbers", "none"],
)
def test_a_lens_that_is_not_known_is_left_out(lens):
    camera = calibrated_camera(info(**lens), 640, 480)
    assert camera.distortion == ()
    assert np.isfinite(camera.rays(np.array([(1.0, 2.0)], np.float32))).all()


@pytest.mark.parametrize(
    "nothing",
    [{"k": [0.0] * 9}, {"width": 0, "height": 0}, {"k": [float("nan"), *K[1:]]}, {"k": [-500.0, *K[1:]]}],
    ids=["not calibrated", "no size", "no number", "negative"],
)
def test_a_message_without_a_calibration_is_none(nothing):
    assert calibrated_camera(info(**nothing), 640, 480) is None


@pytest.mark.parametrize(
    ("changes", "size", "fits"),
    [
        ({}, (320, 240), True),
        ({"width": 1920, "height": 1088}, (640, 360), True),
        ({"roi": RegionOfInterest(width=320, height=180)}, (640, 360), True),
        ({"binning_y": 2}, (640, 240), True),
        ({"width": 1920, "height": 1080}, (640, 480), False),
        ({"roi": RegionOfInterest(width=320, height=180)}, (640, 480), False),
        ({}, (480, 640), False),
    ],
    ids=["smaller", "padded", "a part", "binned", "wide", "a wide part", "upright"],
)
def test_the_shape_of_an_image_tells_whether_it_is_the_calibrated_one(changes, size, fits):
    assert has_shape(info(**changes), *size) is fits


def test_a_calibration_of_images_of_another_shape_is_refused_with_a_sentence_until_a_right_one_comes(_ros, capfd):
    node, camera = rclpy.create_node("listener", namespace="wide"), rclpy.create_node("camera", namespace="wide")
    try:
        calibration = CameraCalibration(node, ThrottledLog(node.get_logger()), 60.0)
        calibration.camera(640, 480)
        publisher = camera.create_publisher(CameraInfo, "camera_info", OUTPUT)
        said = []

        def hear():
            publisher.publish(info(width=1920, height=1080))
            rclpy.spin_once(node, timeout_sec=0.1)
            assumed = calibration.camera(640, 480)
            assert assumed.matrix == pytest.approx(default_camera(640, 480, 60.0).matrix)
            said.append(capfd.readouterr().err)

        sentence = "camera_info is of images of 1920x1080, and these are 640x480, of another shape"
        assert wait_until(lambda: sentence in "".join(said), pass_time=hear)
        hear()
        assert "".join(said).count("another shape") == 1
        assert calibration.camera(640, 360).matrix == pytest.approx(
            calibrated_camera(info(width=1920, height=1080), 640, 360).matrix
        )

        def hear_the_right_one():
            publisher.publish(info())
            rclpy.spin_once(node, timeout_sec=0.1)

        right = pytest.approx(np.reshape(K, (3, 3)))
        assert wait_until(lambda: calibration.camera(640, 480).matrix == right, pass_time=hear_the_right_one)
        assert wait_until(lambda: publisher.get_subscription_count() == 0, pass_time=hear_the_right_one)

        def hear_another_one():
            publisher.publish(info(k=[800.0, *K[1:]], height=360))
            rclpy.spin_once(node, timeout_sec=0.1)

        assert wait_until(lambda: calibration.camera(640, 360).matrix[0, 0] == 800.0, pass_time=hear_another_one)
    finally:
        node.destroy_node()
        camera.destroy_node()
