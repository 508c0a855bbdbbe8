"""What a launch file would start, and with which command lines."""

import ast
import itertools
import os
import subprocess
from pathlib import Path

import yaml
from launching import CHECKOUT, HAS_LAUNCH, launch

if HAS_LAUNCH:
    from launch import LaunchContext
    from launch.actions import ExecuteProcess
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node


def installed_nodes():
    """Return the nodes that setup.py installs."""
    tree = ast.parse((CHECKOUT / "setup.py").read_text(encoding="utf-8"))
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    return ast.literal_eval(values["NODES"])


def started(file, **arguments):
    """Return what a launch file would start, in order, and its context."""
    context = LaunchContext()
    context.launch_configurations.update(arguments)
    processes = []
    waiting = [get_launch_description_from_python_launch_file(str(CHECKOUT / "launch" / file))]
    while waiting:
        entity = waiting.pop(0)
        if not isinstance(entity, ExecuteProcess):
            waiting[:0] = entity.visit(context) or []
        elif entity.condition is None or entity.condition.evaluate(context):
            processes.append(entity)
    return processes, context


def executables(processes):
    return [process.node_executable for process in processes if isinstance(process, Node)]


def commands(folder, file="dfer.launch.py", **arguments):
    """Launch a file with nodes that only write down their command lines, and return those by full name."""
    nodes = folder / "lib" / "dfer_ros"
    nodes.mkdir(parents=True)
    for node in installed_nodes():
        (nodes / node).write_text(f'#!/bin/sh\nprintf "%s\\n" {node} "$@" > {folder}/$$.command\n')
        (nodes / node).chmod(0o755)
    (folder / "share" / "ament_index" / "resource_index" / "packages").mkdir(parents=True)
    (folder / "share" / "ament_index" / "resource_index" / "packages" / "dfer_ros").touch()
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{folder}:{os.environ['AMENT_PREFIX_PATH']}"}
    launch(file, subprocess.DEVNULL, environment, **arguments).wait(timeout=60.0)
    lines = [file.read_text(encoding="utf-8").splitlines() for file in folder.glob("*.command")]
    return {full_name(words): words for words in lines}


def full_name(words):
    """Return the namespace and the executable of a command line as one name, which is that of a node by itself."""
    namespace = next(word for word in words if word.startswith("__ns")).split(":=")[1]
    return f"{namespace}/{words[0]}".replace("//", "/")


def parameters(words, node=""):
    """Return the parameters of a node with this command line: its defaults, and over them what that gives.

    As rcl does it: of the keys that fit the node the one that came first counts least, whatever else came later in it.
    node: which one, of several in the process.
    """
    node = node or full_name(words).rsplit("/", 1)[1]
    defaults = yaml.safe_load((CHECKOUT / "config" / f"{node}.yaml").read_text(encoding="utf-8"))
    given = {}
    for word, following in itertools.pairwise(words):
        if word == "--params-file":
            for key, of_nodes in yaml.full_load(Path(following).read_text(encoding="utf-8")).items():
                given.setdefault(key, {}).update(of_nodes["ros__parameters"])
        elif word == "-p":
            name, value = following.split(":=", 1)
            given.setdefault("/**", {})[name] = yaml.safe_load(value)
    found = defaults["/**"]["ros__parameters"]
    for key, values in given.items():
        if key in ("/**", f"/**/{node}") or key.rsplit("/", 1)[1] == node:
            found.update(values)
    return found


def a_file(folder):
    (folder / "parameters.yaml").touch()
    return folder / "parameters.yaml"
