"""A model folder: what model.yaml says about the files beside it, and whether these are the files that it describes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from dfer_ros.core.errors import ModelError, in_one_line
from dfer_ros.core.installed_files import at_home, share_directory
from dfer_ros.core.model.description import ModelDescription, parse_description

DESCRIPTION_FILE = "model.yaml"
HEAD_FILE = "head.onnx"
PRECISIONS = ("fp32", "fp16", "int8")

__all__ = [
    "DESCRIPTION_FILE",
    "HEAD_FILE",
    "PRECISIONS",
    "ModelDescription",
    "ModelFolder",
    "at_input_size",
    "encoder_file",
    "file_sha256",
    "open_model_folder",
]


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a readable model.yaml."""

    path: Path
    description: ModelDescription

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions whose encoder is in the folder."""
        return tuple(precision for precision in PRECISIONS if (self.path / encoder_file(precision)).is_file())

    def verified(self, name: str) -> Path:
        """Return the path of a file of this folder whose sha256 is the one of model.yaml, else raise ModelError."""
        path = _own_file(self.path, name)
        if not path.is_file():
            raise ModelError(f"The model file {path} is missing: install the package again or correct 'model'.")
        expected = self.description.sha256.get(name)
        if expected is None:
            raise ModelError(
                f"{self.path / DESCRIPTION_FILE} has no sha256 for {name}: add it, so that damage is seen."
            )
        if file_sha256(path) != expected:
            raise ModelError(
                f"The model file {path} is damaged (its sha256 is not the one in {DESCRIPTION_FILE}): copy it again or "
                "install the package again."
            )
        return path


def encoder_file(precision: str) -> str:
    """Return the file name of the encoder of a precision."""
    return f"encoder_{precision}.onnx"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def open_model_folder(model: str) -> ModelFolder:
    """Return the model folder that `model` names: a shipped model's name, or the path of a folder.

    Raises ModelError where the folder or its model.yaml is missing or does not follow the contract.
    """
    folder = _find_folder(model)
    description_path = _own_file(folder, DESCRIPTION_FILE)
    try:
        content = read_yaml(description_path)
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {DESCRIPTION_FILE} in {folder}: set 'model' to a folder that has one."
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{description_path} cannot be read as YAML ({error}).") from error
    try:
        return ModelFolder(folder, parse_description(content))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{description_path} does not follow the model contract: {error}.") from error


def at_input_size(folder: ModelFolder, input_size: int) -> ModelFolder:
    """Return the model folder with another input size (pixels); 0: the size in model.yaml."""
    if input_size == 0:
        return folder
    return replace(folder, description=replace(folder.description, input_size=input_size))


def _find_folder(model: str) -> Path:
    shipped = _shipped_models()
    names = sorted(path.parent.name for path in shipped.glob(f"*/{DESCRIPTION_FILE}"))
    if model in names:
        return shipped / model
    folder = at_home(Path(model)) if "/" in model else shipped / model
    if "/" in model and folder.is_dir():
        return folder
    known = ", ".join(names) or "none"
    raise ModelError(f"There is no model folder {folder}: set 'model' to a shipped model ({known}) or to a path.")


def _own_file(folder: Path, name: str) -> Path:
    """Return the path of a file of a folder; raises ModelError where it is none, but a way out of the folder.

    What is shipped may be links: `colcon build --symlink-install` makes them.
    """
    path = folder / name
    if Path(name).name != name:
        raise ModelError(f"{name} is not the name of a file in the model folder {folder}.")
    target = Path(os.path.realpath(path))
    if folder.parent != _shipped_models() and target.parent != Path(os.path.realpath(folder)):
        raise ModelError(f"The model file {path} is a link that leads out of its folder: put the file itself there.")
    return path


def _shipped_models() -> Path:
    return share_directory() / "models"


_LARGEST_YAML = 256 * 1024
"""Bytes of model.yaml."""
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
        content = file.read(_LARGEST_YAML + 1)
    if len(content) > _LARGEST_YAML:
        raise ValueError(f"it is larger than {_LARGEST_YAML // 1024} KiB")
    try:
        return _load_yaml(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except Exception as error:  # PyYAML lets what its constructors stumble over come through, of any class
        raise ValueError(in_one_line(error)) from error


def _load_yaml(text: str) -> Any:
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
