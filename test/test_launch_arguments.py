"""The launch files: what they name is there, and their arguments have the defaults of the YAML."""

import ast
import re

import pytest
import yaml
from launch_arguments import ARGUMENTS, FILES, MORE_ARGUMENTS
from launched_nodes import installed_nodes
from launching import CHECKOUT, HAS_LAUNCH, needs_launch

if HAS_LAUNCH:
    from launch import LaunchContext
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch.utilities import perform_substitutions


@pytest.mark.parametrize("file", FILES)
def test_a_launch_file_is_python_that_describes_a_launch(file):
    tree = ast.parse((CHECKOUT / "launch" / file).read_text(encoding="utf-8"))
    assert "generate_launch_description" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("file", FILES)
def test_a_launch_file_names_only_nodes_and_files_that_are_there(file):
    texts = set(re.findall(r'"([^"\s]*)"', (CHECKOUT / "launch" / file).read_text(encoding="utf-8")))
    assert {text for text in texts if text.endswith("_node")} <= set(installed_nodes())
    assert {text for text in texts if text.endswith(".launch.py")} <= {*FILES, "driver.launch.py"}


@needs_launch
@pytest.mark.parametrize("file", FILES)
def test_the_arguments_have_the_defaults_of_the_yaml(file):
    expected = {name: default(name, said) for name, said in ARGUMENTS.items()} | MORE_ARGUMENTS[file]
    assert declared(file) == expected


@needs_launch
def test_an_argument_has_the_choices_of_the_parameter():
    described = get_launch_description_from_python_launch_file(str(CHECKOUT / "launch" / "dfer.launch.py"))
    choices = {argument.name: argument.choices for argument in described.get_launch_arguments() if argument.choices}
    assert choices["precision"] == ["auto", "fp32", "fp16", "int8"]
    assert "detector" not in choices  # other packages may add some
    assert choices["image_transport"] == ["raw", "compressed"]
    assert choices["image_reliability"] == ["auto", "reliable", "best_effort"]
    assert choices["input"] == ["faces", "hri"]
    assert set(choices["autostart"]) == {"true", "false", "True", "False"}


def default(name, said):
    """Return the default of an argument, which the YAML of all its nodes must agree on."""
    if isinstance(said, str):
        return said
    texts = {node: yaml.safe_load((CHECKOUT / "config" / f"{node}.yaml").read_text(encoding="utf-8")) for node in said}
    (value,) = {text["/**"]["ros__parameters"][name] for node, text in texts.items()}
    return str(value).lower() if isinstance(value, bool) else str(value)


def declared(file):
    """Return the arguments that `ros2 launch --show-args` would show, with their defaults."""
    description = get_launch_description_from_python_launch_file(str(CHECKOUT / "launch" / file))
    arguments = description.get_launch_arguments()
    assert all(len(argument.description) > 10 for argument in arguments)
    return {
        argument.name: argument.default_value and perform_substitutions(LaunchContext(), argument.default_value)
        for argument in arguments
    }
