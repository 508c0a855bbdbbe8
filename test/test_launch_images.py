"""Where images come from with camera.launch.py and replay.launch.py: a driver, a file or a bag."""

import pytest
from launched_nodes import a_file, executables, started
from launching import HAS_LAUNCH, needs_launch

if HAS_LAUNCH:
    from launch.utilities import perform_substitutions

DRIVER_TOPICS = {
    "usb_cam": "/camera/image_raw",
    "realsense2_camera": "/camera/camera/color/image_raw",
    "depthai": "/oak/rgb/image_raw",
}


@needs_launch
@pytest.mark.parametrize("camera", DRIVER_TOPICS)
def test_camera_starts_a_driver_and_listens_to_its_topic(own_environment, tmp_path, camera):
    own_environment["AMENT_PREFIX_PATH"] += f":{prefix_with_drivers(tmp_path)}"
    processes, context = started("camera.launch.py", camera=camera, params_file=str(a_file(tmp_path)))
    assert executables(processes)[0] == "perception_node"
    assert context.launch_configurations["image"] == DRIVER_TOPICS[camera]
    driver = processes[1]
    if camera == "usb_cam":
        assert driver.node_executable == "usb_cam_node_exe"
    else:
        assert "params_file" not in perform_substitutions(context, driver.cmd[1]), "our arguments reached the driver"


def prefix_with_drivers(folder):
    """Make an install prefix in which every driver is a launch file that starts a process with what it was told."""
    index = folder / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    files = {
        "usb_cam": "camera.launch.py",
        "realsense2_camera": "rs_launch.py",
        "depthai_ros_driver": "driver.launch.py",
    }
    for package, file in files.items():
        (index / package).touch()
        launch_folder = folder / "share" / package / "launch"
        launch_folder.mkdir(parents=True)
        (launch_folder / file).write_text(
            "from launch import LaunchDescription\n"
            "from launch.actions import ExecuteProcess, OpaqueFunction\n"
            "def start(context):\n"
            "    return [ExecuteProcess(cmd=['echo', ' '.join(context.launch_configurations)])]\n"
            "def generate_launch_description():\n"
            "    return LaunchDescription([OpaqueFunction(function=start)])\n"
        )
    return folder


@needs_launch
def test_camera_plays_a_file(own_environment, tmp_path):
    processes, context = started("camera.launch.py", camera=str(a_file(tmp_path)), image="/my/image")
    assert executables(processes) == ["perception_node", "video_source_node"]
    assert context.launch_configurations["image"] == "/my/image"


@needs_launch
@pytest.mark.parametrize(
    "camera, sentence", [("webcam", "neither a driver .* nor"), ("realsense2_camera", "apt install")]
)
def test_a_camera_that_is_not_there_is_refused(own_environment, camera, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        started("camera.launch.py", camera=camera)


@needs_launch
@pytest.mark.parametrize("loop", [False, True])
def test_replay_plays_the_bag_with_its_clock(own_environment, tmp_path, loop):
    processes, context = started("replay.launch.py", bag=str(tmp_path), rate="2.0", loop=str(loop).lower())
    assert executables(processes) == ["perception_node"]
    command = " ".join(perform_substitutions(context, part) for part in processes[-1].cmd)
    assert command == f"ros2 bag play {tmp_path} --clock --rate 2.0 --delay 3.0" + " --loop" * loop
    assert context.launch_configurations["use_sim_time"] == "true"


@needs_launch
def test_a_bag_that_is_not_there_is_refused(own_environment):
    with pytest.raises(RuntimeError, match="no bag /nowhere"):
        started("replay.launch.py", bag="/nowhere")
