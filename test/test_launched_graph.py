"""Real launches of real nodes, where ROS's launch is installed."""

import os
import re
import signal
import subprocess
import sys

import pytest
from launching import launch, launch_environment, needs_launch

from dfer_ros.recordings.demo_clip import FPS
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def clip_file(clip, tmp_path):
    """The clip as a video."""
    file = tmp_path / "clip.mp4"
    with VideoOutput(file, FPS) as video:
        for frame in clip:
            video.write(frame)
    return file


@pytest.fixture
def environment():
    """The environment of a launch."""
    return launch_environment()


class Launched:
    """A running launch, and its log."""

    def __init__(self, file, log, environment, **arguments):
        self._log = log
        with log.open("w") as output:
            # launch itself waits five seconds before it kills: too few where all cores are busy.
            self._process = launch(file, output, environment, sigterm_timeout=PATIENCE_SECONDS, **arguments)

    def stop(self):
        """Press Ctrl-C, and return the exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(timeout=2 * PATIENCE_SECONDS)

    @property
    def log(self):
        return self._log.read_text()

    def process_of(self, node):
        """Return the number of the process that was started last for a node, counted as launch does."""
        return int(re.findall(rf"\[{node}\]: process started with pid \[(\d+)\]", self.log)[-1])


@pytest.fixture
def launched(tmp_path, environment):
    """Start a launch; it is stopped at the end of the test."""
    running = []

    def start(file, **arguments):
        running.append(Launched(file, tmp_path / f"{len(running)}.log", environment, **arguments))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def play(environment):
    """Play a video as a camera with a topic; it ends with the test."""
    cameras = []

    def start(file, topic):
        node = [sys.executable, "-m", "dfer_ros.nodes.video_source_node", "--ros-args", "-r", f"image:={topic}"]
        cameras.append(subprocess.Popen([*node, "-p", f"source:={file}", "-p", "loop:=true"], env=environment))

    yield start
    for camera in cameras:
        camera.send_signal(signal.SIGINT)
    assert [camera.wait(PATIENCE_SECONDS) for camera in cameras] == [0] * len(cameras)


class Observer:
    """A node that listens to `emotions`, of several cameras where their names are given."""

    def __init__(self, namespace, cameras=("",)):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        from dfer_msgs.msg import EmotionArray

        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node("observer", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.answers = {camera: [] for camera in cameras}
        for camera, answers in self.answers.items():
            topic = "/".join(filter(None, (namespace, camera, "emotions")))
            self.node.create_subscription(EmotionArray, topic, answers.append, 10)

    def close(self):
        self.node.destroy_node()
        self._executor.shutdown()
        self._context.try_shutdown()

    def wait_for(self, condition):
        """Return whether the condition came true in time."""
        return wait_until(condition, pass_time=lambda: self._executor.spin_once(timeout_sec=0.1))

    def people(self, camera=""):
        """Return the ids of the people of whom an emotion came."""
        return {emotion.face_id for answer in self.answers[camera] for emotion in answer.emotions}

    def nodes(self):
        """Return the full names of the nodes in the graph, without this one."""
        names = self.node.get_node_names_and_namespaces()
        return {f"{of}/{name}".replace("//", "/") for name, of in names} - {"/observer"}

    def parameters(self, node, *names):
        """Return parameters of a node."""
        from rcl_interfaces.srv import GetParameters
        from rclpy.parameter import parameter_value_to_python

        client = self.node.create_client(GetParameters, f"{node}/get_parameters")
        assert client.wait_for_service(PATIENCE_SECONDS), f"{node} does not answer"
        asked = client.call_async(GetParameters.Request(names=names))
        self._executor.spin_until_future_complete(asked, timeout_sec=PATIENCE_SECONDS)
        return [parameter_value_to_python(value) for value in asked.result().values]


@pytest.fixture
def observe():
    """Begin to listen."""
    observers = []

    def start(*arguments):
        observers.append(Observer(*arguments))
        return observers[-1]

    yield start
    for one in observers:
        one.close()


@needs_launch
def test_a_launch_answers_with_emotions_and_ends_well(launched, observe, mediapipe_detector, clip_file, tmp_path):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**/dfer_node: {ros__parameters: {precision: fp32, hysteresis: 0.25, frame_rate: 12.0}}\n")
    arguments = {"camera": clip_file, "params_file": parameters, "precision": "int8", "overlay": "true"}
    graph = launched("camera.launch.py", namespace="launched", **arguments)
    observer = observe("/launched")
    nodes = ("face_detector_node", "dfer_node", "overlay_node", "video_source_node")
    processes = len(nodes) - 1  # the first two share one
    assert observer.wait_for(lambda: observer.people() and len(observer.nodes()) >= len(nodes)), graph.log
    assert observer.nodes() == {f"/launched/{node}" for node in nodes}
    # The argument, the parameter file, and an argument that was not touched.
    assert observer.parameters("/launched/dfer_node", "precision", "hysteresis", "frame_rate") == ["int8", 0.25, 12.0]
    assert graph.stop() == 0
    assert "Traceback" not in graph.log, graph.log
    assert graph.log.count("process has finished cleanly") == processes, graph.log


@needs_launch
@pytest.mark.parametrize(("processes", "killed"), [("one", "perception_node"), ("two", "face_detector_node")])
def test_two_cameras_share_one_dfer_node_and_nothing_else(
    launched, observe, play, mediapipe_detector, clip_file, processes, killed
):
    cameras = {"front": "/front/image_raw", "rear": "/rear/image_raw"}
    arguments = {"cameras": cameras, "processes": processes, "precision": "int8"}
    graph = launched("dfer.launch.py", namespace="robot", respawn="true", **arguments)
    for topic in cameras.values():
        play(clip_file, topic)
    observer = observe("/robot", tuple(cameras))
    assert observer.wait_for(lambda: all(observer.people(camera) for camera in cameras)), graph.log
    for camera in cameras:
        assert all(person.startswith(f"{camera}_") for person in observer.people(camera)), observer.people(camera)

    os.kill(graph.process_of(f"{killed}-1"), signal.SIGKILL)
    for answers in observer.answers.values():
        answers.clear()
    assert observer.wait_for(lambda: all(observer.people(camera) for camera in cameras)), graph.log
    assert "process has died" in graph.log
