"""YAML files that may come from elsewhere: plain values only, and never more of them than a description needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dfer_ros.core.errors import in_one_line

_LARGEST = 256 * 1024
"""Bytes of a file."""
_MOST_VALUES = 20_000
"""Values, those that aliases repeat counted again: a few lines of aliases to aliases can stand for billions."""


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file: mappings, lists, texts, numbers, dates, booleans and nothing.

    No tag makes an object or runs code. Raises OSError where the file cannot be read, and ValueError, in one line,
    where it is no such YAML, larger than 256 KiB, or more than 20,000 values.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024} KiB")
    try:
        return _load(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except Exception as error:  # PyYAML lets what its constructors stumble over come through, of any class
        raise ValueError(in_one_line(error)) from error


def _load(text: str) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count_values(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count_values(node: yaml.Node, counted: dict[int, int]) -> int:
    """Return how many values a node stands for. counted: those of the nodes seen before, 0 while they are counted."""
    if id(node) in counted:
        if not counted[id(node)]:
            raise ValueError("an alias stands within what it stands for")
        return counted[id(node)]
    counted[id(node)] = 0
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        parts = node.value
    elif isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    count = 1 + sum(_count_values(part, counted) for part in parts)
    if count > _MOST_VALUES:
        raise ValueError(f"it stands for more than {_MOST_VALUES} values")
    counted[id(node)] = count
    return count
