"""dfer.launch.py: the nodes that it would start, where ROS's launch is installed."""

import shutil

import pytest
from launched_nodes import a_file, commands, executables, parameters, started
from launching import CHECKOUT, needs_launch

from dfer_ros.graph.processes import PROFILE_VARIABLES


@needs_launch
@pytest.mark.parametrize("overlay", [False, True])
def test_dfer_starts_its_nodes_with_the_shared_memory_profile(own_environment, overlay):
    for asked, nodes in {"one": ["perception_node"], "two": ["face_detector_node", "dfer_node"]}.items():
        processes, _ = started("dfer.launch.py", overlay=str(overlay).lower(), processes=asked)
        assert executables(processes) == nodes + ["overlay_node"] * overlay
    assert all(process.node_package == "dfer_ros" for process in processes)
    assert own_environment[PROFILE_VARIABLES[0]] == str(CHECKOUT / "config" / "fastdds_shm.xml")


@needs_launch
@pytest.mark.parametrize("shared", [True, False])
def test_every_camera_has_a_namespace_ids_and_a_topic_of_its_own(own_environment, tmp_path, shared):
    cameras = {"front": "/front/image_raw", "rear": "/rear/color"}
    given = {"cameras": cameras, "shared_encoder": shared, "processes": "two", "id_prefix": "robot_", "overlay": "true"}
    lines = commands(tmp_path, **given)
    nodes = {f"/dfer/{camera}/{node}" for camera in cameras for node in ("face_detector_node", "overlay_node")}
    nodes |= {"/dfer/dfer_node"} if shared else {f"/dfer/{camera}/dfer_node" for camera in cameras}
    assert set(lines) == nodes
    for camera, topic in cameras.items():
        detector, overlay = (lines[f"/dfer/{camera}/{node}"] for node in ("face_detector_node", "overlay_node"))
        assert parameters(detector)["id_prefix"] == f"robot_{camera}_"
        assert f"image:={topic}" in detector and f"image:={topic}" in overlay
    served = [list(parameters(words)["cameras"]) for name, words in lines.items() if name.endswith("/dfer_node")]
    assert served == ([["front", "rear"]] if shared else [[""], [""]])


@needs_launch
def test_all_cameras_share_one_process(own_environment, tmp_path):
    cameras = {"front": "/front/image_raw", "rear": "/rear/color"}
    lines = commands(tmp_path, cameras=cameras, id_prefix="robot_", overlay="true")
    assert set(lines) == {"/dfer/perception_node", "/dfer/front/overlay_node", "/dfer/rear/overlay_node"}
    words = lines["/dfer/perception_node"]
    assert words[1:7] == ["--camera", "front=/front/image_raw", "--camera", "rear=/rear/color", "--id-prefix", "robot_"]
    assert not [word for word in words if word.startswith("__node")]


@needs_launch
@pytest.mark.parametrize(
    "cameras, sentence",
    [
        ("[front, rear]", "names and topics"),
        ("{front: 1}", "names and topics"),
        ("{front: /image", "names and topics"),
        ("{front/left: /image}", "cannot be named 'front/left'"),
        ("{1st: /image}", "cannot be named '1st'"),
        ("{front_: /image}", "cannot be named 'front_'"),
        ("{on: /image}", "cannot be named True"),
    ],
)
def test_cameras_that_cannot_be_are_refused(own_environment, cameras, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        started("dfer.launch.py", cameras=cameras)


@needs_launch
def test_faces_of_another_detector_need_none_of_ours(own_environment, tmp_path):
    lines = commands(tmp_path, input="hri")
    assert set(lines) == {"/dfer/dfer_node"}
    assert parameters(lines["/dfer/dfer_node"])["input"] == "hri"


@needs_launch
@pytest.mark.parametrize("needs_ours", [{"overlay": "true"}, {"cameras": "{front: /image}"}])
def test_what_needs_our_detector_is_refused_where_another_is_asked_for(own_environment, needs_ours):
    (name,) = needs_ours
    with pytest.raises(RuntimeError, match=f"{name} needs our face detector"):
        started("dfer.launch.py", input="hri", **needs_ours)


@needs_launch
def test_arguments_that_are_parameters_reach_every_node_that_has_them(own_environment, tmp_path):
    given = {"autostart": "False", "hri": "true", "id_prefix": "left_", "frame_rate": "15.0"}
    (tmp_path / "one").mkdir()
    together = commands(tmp_path / "one", **given)["/dfer/perception_node"]
    lines = commands(tmp_path, processes="two", **given)
    both = {"autostart": False, "hri": True, "frame_rate": 15.0}
    for detector in (parameters(together, "face_detector_node"), parameters(lines["/dfer/face_detector_node"])):
        assert {name: detector[name] for name in (*both, "id_prefix")} == {**both, "id_prefix": "left_"}
    for dfer in (parameters(together, "dfer_node"), parameters(lines["/dfer/dfer_node"])):
        assert {name: dfer[name] for name in both} == both
    assert "id_prefix" not in parameters(lines["/dfer/dfer_node"])


@needs_launch
@pytest.mark.parametrize("namespace", ["dfer", "/robot/dfer", "", "/"])
def test_the_enclave_of_a_node_is_its_full_name(own_environment, tmp_path, namespace):
    given = {"camera": a_file(tmp_path), "namespace": namespace, "overlay": "true", "processes": "two"}
    lines = commands(tmp_path, "camera.launch.py", **given)
    nodes = {"face_detector_node", "dfer_node", "overlay_node", "video_source_node"}
    assert set(lines) == {f"/{namespace.strip('/')}/{node}".replace("//", "/") for node in nodes}
    assert {name: words[words.index("--enclave") + 1] for name, words in lines.items()} == {
        name: name for name in lines
    }


@needs_launch
@pytest.mark.parametrize("namespace", ["/", "/robot/"])
def test_the_nodes_of_cameras_are_below_any_namespace(own_environment, tmp_path, namespace):
    lines = commands(tmp_path, cameras="{front: /front/image_raw}", namespace=namespace, processes="two")
    base = namespace.rstrip("/")
    assert set(lines) == {f"{base}/front/face_detector_node", f"{base}/dfer_node"}
    assert {words[words.index("--enclave") + 1] for words in lines.values()} == set(lines)


@needs_launch
@pytest.mark.parametrize("processes", ["one", "two"])
@pytest.mark.parametrize(("given", "frame_rate"), [({}, 7.0), ({"frame_rate": "12.0"}, 12.0)])
def test_what_an_outer_launch_file_sets_for_all_nodes_holds_until_an_argument_says_more(
    own_environment, tmp_path, given, frame_rate, processes
):
    outer = tmp_path / "outer.launch.py"
    outer.write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import IncludeLaunchDescription\n"
        "from launch_ros.actions import SetParameter\n"
        "def generate_launch_description():\n"
        "    given = [SetParameter('frame_rate', 7.0), SetParameter('autostart', False), SetParameter('loop', False)]\n"
        f"    inner = IncludeLaunchDescription({str(CHECKOUT / 'launch' / 'camera.launch.py')!r})\n"
        "    return LaunchDescription([*given, inner])\n"
    )
    lines = commands(tmp_path, outer, camera=a_file(tmp_path), processes=processes, **given)
    for node in ("face_detector_node", "dfer_node"):
        found = parameters(lines[f"/dfer/{'perception_node' if processes == 'one' else node}"], node)
        assert (found["frame_rate"], found["autostart"]) == (frame_rate, False)
    assert parameters(lines["/dfer/video_source_node"])["loop"] is True


@needs_launch
@pytest.mark.parametrize(
    ("given", "in_file", "detector", "recognizer"),
    [({}, False, 9.0, 7.0), ({}, True, 11.0, 11.0), ({"frame_rate": "12.0"}, True, 12.0, 12.0)],
)
def test_what_somebody_changed_is_that_nodes_alone_and_yields_to_a_file_and_an_argument(
    own_environment, tmp_path, given, in_file, detector, recognizer
):
    share = tmp_path / "share"
    for folder in ("config", "launch"):
        shutil.copytree(CHECKOUT / folder, share / folder)
    config = share / "config" / "face_detector_node.yaml"
    config.write_text(config.read_text().replace("frame_rate: 30.0", "frame_rate: 9.0"))
    params_file = tmp_path / "all.yaml"
    params_file.write_text("/**: {ros__parameters: {frame_rate: 11.0}}\n")
    outer = tmp_path / "outer.launch.py"
    outer.write_text(
        "from pathlib import Path\n"
        "from dfer_ros.core import installed_files\n"
        f"installed_files.share_directory = lambda: Path({str(share)!r})\n"
        "from launch import LaunchDescription\n"
        "from launch.actions import IncludeLaunchDescription\n"
        "from launch_ros.actions import SetParameter\n"
        "def generate_launch_description():\n"
        f"    inner = IncludeLaunchDescription({str(share / 'launch' / 'dfer.launch.py')!r})\n"
        "    return LaunchDescription([SetParameter('frame_rate', 7.0), inner])\n"
    )
    given = {**given, "params_file": params_file} if in_file else given
    words = commands(tmp_path, outer, **given)["/dfer/perception_node"]
    found = [parameters(words, node)["frame_rate"] for node in ("face_detector_node", "dfer_node")]
    assert found == [detector, recognizer]


@needs_launch
def test_a_profile_of_the_user_stays(own_environment):
    own_environment[PROFILE_VARIABLES[1]] = "mine.xml"
    started("dfer.launch.py")
    assert own_environment[PROFILE_VARIABLES[1]] == "mine.xml"
    assert PROFILE_VARIABLES[0] not in own_environment


@needs_launch
def test_a_parameter_file_that_is_not_there_is_refused(own_environment):
    with pytest.raises(RuntimeError, match="no parameter file /nowhere"):
        started("dfer.launch.py", params_file="/nowhere")
