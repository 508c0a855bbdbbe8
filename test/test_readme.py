"""The README says what the nodes and launch files do."""

import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
NODES = ("face_detector_node", "dfer_node", "overlay_node", "video_source_node")


def rows(heading, table=0):
    """Return the first two cells of every row of a table below a heading, without quotes and stars."""
    section = README.split(heading + "\n", 1)[1]
    lines = re.findall(r"\|.*\n\|-.*\n((?:\|.*\n)+)", section)[table].splitlines()
    cells = [[cell.strip(" `*") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1] for row in cells}


def yaml_defaults(node):
    content = yaml.safe_load((CHECKOUT / "config" / f"{node}.yaml").read_text(encoding="utf-8"))
    return content["/**"]["ros__parameters"]


@pytest.mark.parametrize("node", NODES)
def test_the_parameter_tables_hold_the_defaults_of_the_yaml(node):
    assert {name: yaml.safe_load(value) for name, value in rows(f"### `{node}`").items()} == yaml_defaults(node)


def test_the_launch_arguments_that_are_parameters_have_the_defaults_of_the_yaml():
    arguments = rows("### Launch files", table=1)
    defaults = {**yaml_defaults("dfer_node"), **yaml_defaults("face_detector_node")}
    parameters = ("image_transport", "image_reliability", "precision", "frame_rate", "detector")
    assert {name: arguments[name] for name in parameters} == {name: str(defaults[name]) for name in parameters}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_named_are_targets_of_the_makefile(page):
    targets = re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([\w-]+)", (CHECKOUT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert named
    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"])
def test_the_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)]+)\)", (CHECKOUT / page).read_text(encoding="utf-8"))
    own = [link for link in links if "://" not in link]
    assert own or page == "docs/architecture.md"
    assert [link for link in own if not ((CHECKOUT / page).parent / link).exists()] == []


def test_the_example_of_a_behaviour_is_python_of_about_twenty_lines():
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    compile(code, "README.md", "exec")
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
