"""docs/architecture.md shows the rooms as import-linter holds them, and the way of a frame as the code has it."""

import ast
import re
from pathlib import Path

import pytest
from importlinter.api import read_configuration

CHECKOUT = Path(__file__).resolve().parents[1]
TEXT = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
(PICTURE,) = re.findall(r"```mermaid\n(.*?)```", TEXT, re.DOTALL)
STEPS = re.findall(r"^\| `(dfer_ros/[\w/]+\.py)` \| `([\w.]+)` \|", TEXT, re.MULTILINE)


def rooms_of_the_picture():
    """Return the rooms by the name that the picture has for them, and the groups of rooms by theirs."""
    nodes = re.compile(r'^ +(\w+)\["(\w+): ', re.MULTILINE)
    groups = {name: dict(nodes.findall(inside)) for name, inside in _groups()}
    return dict(nodes.findall(PICTURE)), groups


def _groups():
    return re.findall(r"subgraph (\w+) .*?\n(.*?)\n    end", PICTURE, re.DOTALL)


def contracts():
    return read_configuration(str(CHECKOUT / "pyproject.toml"))["contracts_options"]


def test_the_layers_of_the_picture_are_those_of_import_linter():
    (layers,) = (contract["layers"] for contract in contracts() if contract["type"] == "layers")
    rooms, groups = rooms_of_the_picture()
    (way,) = re.findall(r"^    (\w+(?: --> \w+)+)$", PICTURE, re.MULTILINE)
    drawn = [set(groups[name].values()) if name in groups else {rooms[name]} for name in way.split(" --> ")]
    assert drawn == [set(layer.split(" | ")) for layer in layers]
    assert PICTURE.count("-->") == len(layers) - 1


def test_every_folder_of_the_package_is_a_room_of_the_picture():
    rooms, _ = rooms_of_the_picture()
    folders = {path.parent.name for path in (CHECKOUT / "dfer_ros").glob("*/__init__.py")}
    assert sorted(rooms.values()) == sorted(folders)


def test_the_rooms_without_ros_are_those_of_import_linter():
    (without,) = (
        set(contract["source_modules"]) for contract in contracts() if "rclpy" in contract.get("forbidden_modules", ())
    )
    (sentence,) = re.findall(r"^- (.*) know no ROS", TEXT, re.MULTILINE)
    assert {f"dfer_ros.{room}" for room in re.findall(r"`(\w+)`", sentence)} == without


def test_every_file_and_folder_that_is_named_exists():
    named = re.findall(r"`([\w/]+/[\w/]+\.\w+)`", TEXT)
    assert len(named) > 30
    assert [path for path in named if not (CHECKOUT / path).is_file()] == []
    beside = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert len(beside) >= 6
    assert [folder for folder in beside if not (CHECKOUT / folder).is_dir()] == []


@pytest.mark.parametrize(("file", "function"), STEPS)
def test_a_step_of_the_way_of_a_frame_exists(file, function):
    scope = ast.parse((CHECKOUT / file).read_text(encoding="utf-8"))
    for name in function.split("."):
        found = [node for node in scope.body if getattr(node, "name", None) == name]
        assert found, f"{file} has no {function}"
        scope = found[0]
    assert isinstance(scope, ast.FunctionDef)


def test_the_way_of_a_frame_leads_from_the_camera_to_the_message():
    functions = [function for _, function in STEPS]
    assert functions[0] == "FrameSubscription._take"
    assert functions.index("face_array") < functions.index("EmotionStream.process") < functions.index("emotion_array")
