import ast
from pathlib import Path

import pytest

import dfer_ros

PACKAGE = Path(dfer_ros.__file__).parent
MESSAGES = {
    *("dfer_msgs", "sensor_msgs", "std_msgs", "std_srvs", "geometry_msgs", "rcl_interfaces", "builtin_interfaces"),
    *("diagnostic_msgs", "lifecycle_msgs", "rosgraph_msgs", "hri_msgs"),
}
ROS = {"rclpy", "rosbag2_py", "cv_bridge", "launch", "launch_ros", "ament_index_python"} | MESSAGES
TRAINING_LIBRARIES = {"torch", "torchvision", "timm", "peft", "onnx"}

ALLOWED = {
    "core": {"core"},
    "nodes": {"core", "nodes"},
    "training": {"core", "training"},
    "behavior": {"core", "nodes", "behavior"},
    "report": {"core", "report"},
    "graph": {"core", "nodes", "graph"},
    "bench": {"core", "nodes", "graph", "training", "bench"},
    "cli": {"core", "nodes", "training", "behavior", "report", "graph", "bench", "cli"},
}
"""The parts of the package that each part may import."""


def files_of(part):
    return sorted((PACKAGE / part).rglob("*.py"))


def imports_of(path):
    """Return the dotted names of all that a file imports anywhere, in functions as well."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ["dfer_ros", *path.relative_to(PACKAGE).parts[: -node.level]] if node.level else []
            base += [node.module] if node.module else []
            names |= {".".join([*base, alias.name]) for alias in node.names}
    return names


def libraries(path):
    return {name.split(".")[0] for name in imports_of(path)}


def parts(path):
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("dfer_ros.")}


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(PACKAGE)))


def test_the_parts_are_where_they_are_looked_for():
    assert all(len(files_of(part)) > 3 for part in ALLOWED)
    assert "rclpy" in libraries(PACKAGE / "nodes" / "managed_node.py")
    assert parts(PACKAGE / "nodes" / "dfer_node.py") == {"core", "nodes"}


@named(files_of("core"))
def test_core_knows_neither_ros_nor_training_libraries(path):
    assert libraries(path) & (ROS | TRAINING_LIBRARIES) == set()


@named(files_of("training"))
def test_training_knows_no_ros(path):
    assert libraries(path) & ROS == set()


@named(files_of("nodes"))
def test_nodes_know_no_training_libraries(path):
    assert libraries(path) & TRAINING_LIBRARIES == set()


@named([path for part in ALLOWED for path in files_of(part)])
def test_imports_point_one_way(path):
    part = path.relative_to(PACKAGE).parts[0]
    known = {name for name in parts(path) if (PACKAGE / name).is_dir()}
    assert known <= ALLOWED[part]


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_tests_of_core_know_no_ros(path):
    assert libraries(path) & ROS == set()


def test_no_file_of_the_package_lies_outside_its_parts():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py"}
