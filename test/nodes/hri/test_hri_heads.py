"""Landmarks and frames of heads, heard as libhri and tf2 hear them, of the real portrait."""

import sys

import cv2
import numpy as np
import pytest
from hri_robot import TRACKED, IdsList, header
from rclpy.qos import QoSProfile
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo

from dfer_ros.core.alignment import align_face
from dfer_ros.core.face_mesh import FaceMesh
from dfer_ros.core.faces import Detection, Face
from dfer_ros.core.head_pose import FRONTAL
from dfer_ros.core.model.onnx_session import SessionConfig
from dfer_ros.graph.processes import wait_until
from dfer_ros.nodes.hri.faces import HriFaces

_messages = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")
FacialLandmarks = _messages.FacialLandmarks
TFMessage = pytest.importorskip("tf2_msgs.msg", reason="tf2_msgs is not installed").TFMessage
CALIBRATION = "/camera_info"


@pytest.fixture(scope="module")
def mesh():
    return FaceMesh(SessionConfig())


class CountingMesh:
    """The real face mesh, and how often it was asked."""

    def __init__(self, mesh):
        self._mesh = mesh
        self.asked = 0

    def landmarks(self, image, detected):
        self.asked += 1
        return self._mesh.landmarks(image, detected)


@pytest.fixture
def counting(mesh):
    return CountingMesh(mesh)


@pytest.fixture
def faces(robot, counting):
    made = HriFaces(robot["detector"].node, 1.0, counting)
    yield made
    robot["detector"].call(made.close)


@pytest.fixture
def show(faces, portrait, portrait_landmarks):
    """Have the portrait published as the face of an id."""
    detection = Detection(np.array((175, 60, 95, 110), np.float32), portrait_landmarks, 0.75)
    seen = align_face(portrait, portrait_landmarks)

    def shown(face_id, image=portrait, frame_id="camera", seconds=100.0):
        face = Face(face_id, detection, 1.0, seen)
        faces.publish(header(seconds, frame_id), seconds, image, [face])

    return shown


def hear_frames(robot):
    """Return the list to which the transforms on /tf are added."""
    heard = []
    quality = QoSProfile(depth=100)
    robot["listener"].node.create_subscription(
        TFMessage, "/tf", lambda message: heard.extend(message.transforms), quality
    )
    return heard


def rotation(transform):
    q = transform.transform.rotation
    return Rotation.from_quat((q.x, q.y, q.z, q.w)).as_matrix()


def place(landmarks, code):
    point = landmarks.landmarks[code]
    return np.array((point.x * landmarks.width, point.y * landmarks.height)) - 0.5


def test_the_landmarks_have_the_codes_of_hri_msgs(robot, show, portrait_landmarks):
    heard = robot["listener"].hear(FacialLandmarks, "/humans/faces/anna/landmarks")
    assert wait_until(lambda: show("anna") or heard)
    message = heard[-1]
    assert message.header == header(100.0)
    assert (message.width, message.height, len(message.landmarks)) == (512, 512, 70)
    code = FacialLandmarks
    right, left, nose, mouth = portrait_landmarks
    near = [
        (right, (code.RIGHT_EYE_OUTSIDE, code.RIGHT_EYE_INSIDE, code.RIGHT_EYE_TOP_1, code.RIGHT_EYE_BOTTOM_2)),
        (left, (code.LEFT_EYE_OUTSIDE, code.LEFT_EYE_INSIDE, code.LEFT_EYE_TOP_2, code.LEFT_EYE_BOTTOM_1)),
        (nose, (code.NOSE,)),
        (mouth, (code.MOUTH_OUTER_RIGHT, code.MOUTH_OUTER_LEFT, code.MOUTH_INNER_TOP_2, code.MOUTH_INNER_BOTTOM_2)),
    ]
    for expected, codes in near:
        middle = np.mean([place(message, one) for one in codes], axis=0)
        assert np.linalg.norm(middle - expected) < 6, codes


def test_landmarks_lie_on_each_side_in_the_order_of_their_codes(robot, show):
    heard = robot["listener"].hear(FacialLandmarks, "/humans/faces/anna/landmarks")
    assert wait_until(lambda: show("anna") or heard)
    message, code = heard[-1], FacialLandmarks
    jaw = np.array([place(message, one) for one in range(code.RIGHT_EAR, code.LEFT_EAR + 1)])
    assert (np.diff(jaw[:, 0]) > 0).sum() >= 14, "from the person's right ear, left in the image, to the left one"
    assert jaw[:, 1].argmax() == code.MENTON
    for first, last in ((17, 26), (31, 35), (48, 54), (60, 64)):
        row = np.array([place(message, one) for one in range(first, last + 1)])
        assert (np.diff(row[:, 0]) > 0).all()
    bridge = np.array([place(message, one) for one in range(code.SELLION, code.NOSE + 1)])
    assert (np.diff(bridge[:, 1]) > 0).all()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (51, 57), (62, 66)):
        assert place(message, upper)[1] < place(message, lower)[1]


def test_only_landmarks_that_are_known_have_a_confidence(robot, show, portrait):
    heard = robot["listener"].hear(FacialLandmarks, "/humans/faces/ben/landmarks")
    assert wait_until(lambda: show("ben") or heard)
    known = [point.c for point in heard[-1].landmarks]
    assert known[:68] == [0.75] * 68
    assert known[68:] == [0.0, 0.0], "the mesh does not tell where the pupils are"
    upper = np.ascontiguousarray(portrait[:135])
    assert wait_until(lambda: show("ben", upper) or heard[-1].height == 135)
    # What lies beyond the image is not in 0..1.
    for point in heard[-1].landmarks:
        assert 0 <= point.x <= 1 and 0 <= point.y <= 1
    assert heard[-1].landmarks[FacialLandmarks.MENTON].c == 0.0
    assert heard[-1].landmarks[FacialLandmarks.SELLION].c == 0.75


def test_a_head_has_the_frames_of_rep_155(robot, show):
    heard = hear_frames(robot)
    assert wait_until(lambda: show("carla") or heard)
    face, gaze = heard[:2]
    assert (face.header, face.child_frame_id) == (header(100.0), "face_carla")
    assert (gaze.header, gaze.child_frame_id) == (header(100.0, "face_carla"), "gaze_carla")
    # She looks about into the camera: x of her face comes out of it, against the optical axis, z points up.
    turn = rotation(face)
    assert np.degrees(np.arccos(np.clip((turn * FRONTAL).sum(axis=0), -1, 1))).max() < 15
    # Half a metre before a camera of 60 degrees a face is as wide as hers in 512 pixels at 0.64 m.
    where = face.transform.translation
    assert 0.45 < where.z < 0.8
    assert where.x < 0 and where.y < 0, "she is left of and above the middle"
    # z of the gaze is x of the face, x to the person's right, y down.
    assert rotation(gaze) == pytest.approx(np.array([(0, 0, 1), (-1, 0, 0), (0, -1, 0)]))
    assert (gaze.transform.translation.x, gaze.transform.translation.y, gaze.transform.translation.z) == (0, 0, 0)


def test_the_calibration_of_the_camera_is_used(robot, show, faces):
    heard = hear_frames(robot)
    assert wait_until(lambda: show("dora") or heard)
    assumed = heard[0].transform.translation
    calibration = CameraInfo(width=512, height=512, k=[900.0, 0.0, 256.0, 0.0, 900.0, 256.0, 0.0, 0.0, 1.0])
    publisher = robot["camera"].node.create_publisher(CameraInfo, CALIBRATION, 10)

    def farther():
        publisher.publish(calibration)
        show("dora")
        return any(one.transform.translation.z > 1.5 * assumed.z for one in heard)

    assert wait_until(farther)
    assert wait_until(lambda: not robot["listener"].node.count_subscribers(CALIBRATION)), "it is read once"
    late = header(300.0)
    assert wait_until(lambda: show("dora", seconds=300.0) or any(one.header == late for one in heard))
    assert all(one.transform.translation.z > 1.5 * assumed.z for one in heard if one.header == late)


def test_a_mirrored_face_is_turned_the_other_way(robot, faces, portrait, portrait_landmarks):
    heard = hear_frames(robot)
    image = cv2.flip(portrait, 1)
    mirrored = portrait_landmarks[[1, 0, 2, 3]] * (-1, 1) + (511, 0)
    yaws = {}
    for name, picture, landmarks in (("one", portrait, portrait_landmarks), ("other", image, mirrored)):
        detection = Detection(np.array((175, 60, 95, 110), np.float32), landmarks.astype(np.float32), 0.75)
        seen = Face(name, detection, 1.0, align_face(picture, landmarks.astype(np.float32)))

        def told(picture=picture, seen=seen, name=name):
            faces.publish(header(100.0), 100.0, picture, [seen])
            return [one for one in heard if one.child_frame_id == f"face_{name}"]

        assert wait_until(told)
        turn = FRONTAL.T @ rotation(told()[-1])
        yaws[name] = np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))
    assert yaws["one"] == pytest.approx(-yaws["other"], abs=3)


def test_nothing_is_computed_while_nobody_listens(robot, show, counting):
    for index in range(20):
        show("emil", seconds=100.0 + index / 30)
    assert counting.asked == 0
    heard = robot["listener"].hear(FacialLandmarks, "/humans/faces/emil/landmarks")
    assert wait_until(lambda: show("emil") or heard)
    before, frames = counting.asked, hear_frames(robot)
    assert wait_until(lambda: show("emil") or frames)
    assert counting.asked > before


def test_a_face_that_the_mesh_does_not_see_has_no_pose(robot, show, portrait):
    heard, frames = robot["listener"].hear(FacialLandmarks, "/humans/faces/fay/landmarks"), hear_frames(robot)
    assert wait_until(lambda: show("fay") or (heard and frames))
    wall = np.full_like(portrait, 120)
    for _ in range(5):
        show("fay", wall, seconds=200.0)
    late = [header(200.0), header(200.0, "face_gina")]
    assert wait_until(lambda: show("gina", seconds=200.0) or any(one.header in late for one in frames))
    assert {one.child_frame_id for one in frames if one.header.stamp.sec == 200} == {"face_gina", "gaze_gina"}
    assert all(message.header.stamp.sec == 100 for message in heard)


def test_images_that_name_no_frame_have_landmarks_but_no_frames(robot, show):
    heard, frames = robot["listener"].hear(FacialLandmarks, "/humans/faces/hugo/landmarks"), hear_frames(robot)
    assert wait_until(lambda: show("hugo", frame_id="") or len(heard) > 3)
    assert wait_until(lambda: show("hugo", frame_id="camera") or frames)
    assert {one.header.frame_id for one in frames} == {"camera", "face_hugo"}


def test_closing_leaves_nothing(robot, faces, show):
    frames = hear_frames(robot)
    assert wait_until(lambda: show("ines") or frames)
    listener = robot["listener"]
    assert wait_until(lambda: listener.publishers("/tf") and listener.publishers("/humans/faces/ines/landmarks"))
    assert wait_until(lambda: listener.node.count_subscribers(CALIBRATION) == 1)
    robot["detector"].call(faces.close)
    assert wait_until(lambda: not listener.publishers("/tf"))
    assert wait_until(lambda: not listener.publishers("/humans/faces/ines/landmarks"))
    assert wait_until(lambda: listener.node.count_subscribers(CALIBRATION) == 0)


def test_without_tf2_msgs_there_are_landmarks_still(robot, mesh, monkeypatch, portrait, portrait_landmarks):
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", None)
    alone = HriFaces(robot["detector"].node, 1.0, mesh)
    detection = Detection(np.array((175, 60, 95, 110), np.float32), portrait_landmarks, 0.75)
    face = Face("jana", detection, 1.0, align_face(portrait, portrait_landmarks))
    heard = robot["listener"].hear(FacialLandmarks, "/humans/faces/jana/landmarks")
    assert wait_until(lambda: alone.publish(header(100.0), 100.0, portrait, [face]) or heard)
    assert not robot["listener"].publishers("/tf")
    robot["detector"].call(alone.close)


@pytest.fixture
def frames_of_a_graph(nodes, probe, robot, clip):
    """Show the clip to a detector that runs with these arguments, and return what is heard on /tf and /humans."""

    def shown(*arguments):
        frames, landmarks = hear_frames(robot), {}
        nodes.start("face_detector_node", "-p", "hri:=true", *arguments)
        probe.publisher()
        probe.wait_for_graph(emotions=False)

        def follow(message):
            for face_id in message.ids:
                if face_id not in landmarks:
                    topic = f"/humans/faces/{face_id}/landmarks"
                    landmarks[face_id] = robot["listener"].hear(FacialLandmarks, topic)

        robot["listener"].node.create_subscription(IdsList, TRACKED, follow, 1)
        assert wait_until(lambda: probe.node.count_subscribers(TRACKED) == 2)
        sent = probe.feed(clip, probe.faces, pause=0.05)
        return frames, landmarks, sent

    return shown


def test_the_real_detector_tells_a_listener_of_ros4hri_where_the_head_is(frames_of_a_graph, nodes):
    frames, landmarks, sent = frames_of_a_graph()
    ((face_id, heard),) = landmarks.items()
    assert wait_until(lambda: len(heard) > 10 and len(frames) > 20), f"{len(heard)}, {len(frames)}"
    assert {one.child_frame_id for one in frames} == {f"face_{face_id}", f"gaze_{face_id}"}
    assert {(one.header.stamp.sec, one.header.stamp.nanosec) for one in frames} <= set(sent)
    heads = [one.transform.translation for one in frames if one.header.frame_id == "camera"]
    assert heads[-1].z < 0.8 * heads[0].z, "the head of the clip comes near"
    assert wait_until(lambda: len(nodes.lines("face_detector_node", "saw 60 degrees")) == 1), "it is said once"


def test_a_detector_that_is_to_leave_heads_alone_does(frames_of_a_graph, robot, nodes):
    frames, landmarks, _ = frames_of_a_graph("-p", "head_pose:=false")
    assert landmarks, "the face is tracked all the same"
    assert not any(landmarks.values())
    assert not frames
    assert not robot["listener"].publishers("/tf")
    assert not nodes.lines("face_detector_node", "degrees")
