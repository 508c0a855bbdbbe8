"""Writes what users read of the parameters from the fields that are these: `make parameters`.

    python resource/write_parameters.py [--check] [FOLDER]

config/*.yaml, their checksums and launch/parameter_arguments.yaml as a whole, the tables of README.md and docs/ between
their markers.
--check writes nothing, and ends with exit code 1 where something is stale. FOLDER: a checkout; else the one it is in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dfer_ros.behavior.examples.greet_node import GreetNodeConfig
from dfer_ros.behavior.examples.smile_tree_node import SmileTreeNodeConfig
from dfer_ros.behavior.examples.speech_rate_node import SpeechRateNodeConfig
from dfer_ros.core.installed_files import CHECKSUMS
from dfer_ros.core.parameter import Parameter, Value, parameters
from dfer_ros.nodes.emotion_stream import DferNodeConfig
from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
from dfer_ros.nodes.video_source_node import VideoSourceConfig
from dfer_ros.ros.image_subscription import ImageConfig
from dfer_ros.streams.health import HealthLimits

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NODES = {
    "face_detector_node": parameters(FaceDetectorNodeConfig()),
    "dfer_node": parameters(DferNodeConfig()),
    "overlay_node": parameters(ImageConfig()),
    "video_source_node": parameters(VideoSourceConfig()),
}
"""The parameters of the nodes that the launch files start."""

LAUNCH_ARGUMENTS = {
    "image_transport": "",
    "image_reliability": "",
    "frame_rate": "",
    "detector": "",
    "precision": "",
    "id_prefix": "With `cameras`, the name of each follows.",
    "hri": "",
    "input": "With hri, face_detector_node is not started.",
    "autostart": "",
}
"""The parameters that are arguments of the launch files, and what launching adds to their meaning."""

NOTICE = "Written by `make parameters`; "


def main() -> int:
    """Write, or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and say what is stale")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    arguments = parser.parse_args()
    stale = {path: text for path, text in written(arguments.folder).items() if read(path) != text}
    for path, text in stale.items():
        if arguments.check:
            print(f"{path} is stale: run 'make parameters'.", file=sys.stderr)  # noqa: T201
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and arguments.check else 0


def read(path: Path) -> str:
    """Return the text of a file, empty where there is none."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def written(checkout: Path) -> dict[Path, str]:
    """Return the text that every file is to have."""
    texts = {checkout / "config" / f"{node}.yaml": node_yaml(node) for node in NODES}
    texts[checkout / "config" / CHECKSUMS] = checksums()
    texts[checkout / "launch" / "parameter_arguments.yaml"] = launch_yaml()
    tables = {
        "README.md": {**{node: node_table(node) for node in NODES}, "launch arguments": launch_table()},
        "docs/diagnostics.md": {"limits": short_table("parameter", HealthLimits())},
        "docs/behavior.md": {
            "greet_node": short_table("`greet_node`", GreetNodeConfig()),
            "speech_rate_node": short_table("`speech_rate_node`", SpeechRateNodeConfig()),
            "smile_tree_node": short_table("`smile_tree_node`", SmileTreeNodeConfig()),
        },
    }
    return texts | {checkout / name: with_tables(checkout / name, of_file) for name, of_file in tables.items()}


def with_tables(path: Path, tables: dict[str, str]) -> str:
    """Return the text of a document with tables in the place of what stands between their markers."""
    text, end = read(path), "<!-- end of parameters -->"
    for name, table in tables.items():
        begin = f"<!-- parameters: {name} -->"
        before, found, after = text.partition(begin)
        _, ended, after = after.partition(end)
        if not found or not ended:
            sys.exit(f"{path} must have the line '{begin}' and after it the line '{end}'.")
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


def node_yaml(node: str) -> str:
    """Return the YAML file of a node."""
    lines = [
        f"# Every parameter of {node}, with its default.",
        f"# {NOTICE}values may be changed. In a file for several nodes /**/{node}: takes the place of /**:.",
        "/**:",
        "  ros__parameters:",
    ]
    for row in NODES[node].values():
        constraint = f" {row.constraint[0].upper()}{row.constraint[1:]}." if row.choices or is_number(row) else ""
        lines += [f"    # {row.description}{constraint}", f"    {row.name}: {literal(row.default)}"]
    return "\n".join(lines) + "\n"


def checksums() -> str:
    """Return the checksums of the YAML files, as `sha256sum` writes them."""
    return "".join(f"{hashlib.sha256(node_yaml(node).encode()).hexdigest()}  {node}.yaml\n" for node in NODES)


def launch_yaml() -> str:
    """Return what dfer.launch.py reads of its arguments that are parameters."""
    lines = [f"# The launch arguments that are parameters; their defaults stand in config/. {NOTICE}do not edit."]
    for name, note in LAUNCH_ARGUMENTS.items():
        nodes, row = argument(name)
        lines += [
            f"{name}:",
            f"  nodes: [{', '.join(nodes)}]",
            f"  choices: [{', '.join(row.choices)}]",
            f"  description: {json.dumps(' '.join([row.description, note]).strip())}",
        ]
    return "\n".join(lines) + "\n"


def argument(name: str) -> tuple[list[str], Parameter]:
    """Return the nodes that have the parameter of a launch argument, and the parameter."""
    nodes = [node for node, rows in NODES.items() if name in rows]
    return nodes, NODES[nodes[0]][name]


def node_table(node: str) -> str:
    """Return the table of a node's parameters."""
    lines = ["| parameter | default | unit | allowed | what it does |", "|---|---|---|---|---|"]
    for row in NODES[node].values():
        star = " *" if row.changeable else ""
        lines.append(
            f"| `{row.name}`{star} | `{literal(row.default)}` | {row.unit} | {allowed(row)} | {row.description} |"
        )
    return "\n".join(lines)


def launch_table() -> str:
    """Return the table of the launch arguments that are parameters."""
    lines = ["| argument | default | allowed | what it does |", "|---|---|---|---|"]
    for name, note in LAUNCH_ARGUMENTS.items():
        _, row = argument(name)
        default = (
            f"`{row.default if isinstance(row.default, str) else literal(row.default)}`" if row.default != "" else ""
        )
        lines.append(f"| `{name}` | {default} | {allowed(row)} | {' '.join([row.description, note]).strip()} |")
    return "\n".join(lines)


def short_table(heading: str, configuration: DataclassInstance) -> str:
    """Return the table of a configuration's parameters without their ranges."""
    lines = [f"| {heading} | default | unit | what it does |", "|---|---|---|---|"]
    for row in parameters(configuration).values():
        lines.append(f"| `{row.name}` | `{literal(row.default)}` | {row.unit} | {row.description} |")
    return "\n".join(lines)


def allowed(row: Parameter) -> str:
    """Return what is allowed, short enough for a table."""
    if row.choices:
        return ", ".join(row.choices)
    if not is_number(row):
        return row.constraint
    least, most = row.limits
    return f"{least:g} to {most:g}" + ("" if row.stand_in is None else f", or {row.stand_in:g}")


def is_number(row: Parameter) -> bool:
    """Return whether a parameter is a number."""
    return row.minimum is not None


def literal(value: Value) -> str:
    """Return a value as YAML and JSON have it."""
    return json.dumps(value)


if __name__ == "__main__":
    sys.exit(main())
