"""The README says what the nodes and launch files do."""

import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
NODES = ("face_detector_node", "dfer_node", "overlay_node", "video_source_node")


def rows(heading):
    """Return the first two cells of every row of the first table below a heading, without quotes and stars."""
    section = README.split(heading + "\n", 1)[1]
    table = re.search(r"\|.*\n\|-.*\n((?:\|.*\n)+)", section).group(1)
    cells = [[cell.strip(" `*") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1] for row in cells}


@pytest.mark.parametrize("node", NODES)
def test_the_parameter_tables_hold_the_defaults_of_the_yaml(node):
    content = yaml.safe_load((CHECKOUT / "config" / f"{node}.yaml").read_text(encoding="utf-8"))
    defaults = content[f"/**/{node}"]["ros__parameters"]
    assert {name: yaml.safe_load(value) for name, value in rows(f"### `{node}`").items()} == defaults


def test_the_commands_named_are_targets_of_the_makefile():
    targets = re.findall(r"^(\w+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make (\w+)", README, re.MULTILINE)) <= set(targets)


def test_the_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) >= 2
    assert all((CHECKOUT / link).exists() for link in links)


def test_the_example_of_a_behaviour_is_python_of_about_twenty_lines():
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    compile(code, "README.md", "exec")
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
