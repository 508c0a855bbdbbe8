"""What a bag says about the types of its messages: their definitions and RIHS01 hashes (REP-2011), without ROS."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfer_ros.bags.types import create_typestore
from dfer_ros.core.errors import SourceError

_CHAR = re.compile(r"^char\b", re.MULTILINE)
"""In .msg files another word for uint8, which `rosbags` hashes as something else."""


@dataclass(frozen=True)
class TypeDefinition:
    """text: the .msg file and those of the types in it, as rosbag2 joins them. hash: `RIHS01_` and 64 hex digits."""

    text: str
    hash: str


def define_type(message_type: str, expected_hash: str = "") -> TypeDefinition:
    """Return the definition of a type such as `dfer_msgs/msg/EmotionArray`.

    It is that of the installed package, else of the checkout, else the one that `rosbags` knows.
    expected_hash: what a publisher says; empty where it says none (Humble).
    Raises SourceError where nobody defines the type, or nobody with that hash.
    """
    found = [
        definition
        for typestore in (_installed_types(message_type), create_typestore())
        if (definition := _definition(typestore, message_type)) is not None
    ]
    if not found:
        raise SourceError(f"{message_type} is not defined here: install {message_type.partition('/')[0]}.")
    for definition in found:
        if not expected_hash or definition.hash == expected_hash:
            return definition
    raise SourceError(
        f"{message_type} is published with another definition than the one installed here "
        f"({expected_hash[:15]}, not {found[0].hash[:15]}): build {message_type.partition('/')[0]} from one source."
    )


def definition_in_bag(connection: Any) -> TypeDefinition:
    """Return the definition that a bag has of the type of a connection (`rosbags`), else that of define_type().

    Raises SourceError where neither defines it.
    """
    from rosbags.interfaces import MessageDefinitionFormat
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    if connection.msgdef.format is not MessageDefinitionFormat.MSG:
        return define_type(connection.msgtype)
    typestore = get_typestore(Stores.EMPTY)
    try:
        typestore.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        return TypeDefinition(connection.msgdef.data, typestore.hash_rihs01(connection.msgtype))
    except Exception:  # a grammar or type that rosbags does not know
        return define_type(connection.msgtype)


def _definition(typestore: Any, message_type: str) -> TypeDefinition | None:
    if message_type not in typestore.fielddefs:
        return None
    text, _ = typestore.generate_msgdef(message_type, ros_version=2)
    return TypeDefinition(text, typestore.hash_rihs01(message_type))


def _installed_types(message_type: str) -> Any:
    """Return a typestore with a type and all types in it, from the installed .msg files; empty where one is absent."""
    from rosbags.interfaces import Nodetype
    from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore

    typestore, types, wanted = get_typestore(Stores.EMPTY), {}, [message_type]
    while wanted:
        name = wanted.pop()
        file = _message_file(name)
        if file is None:
            return typestore
        try:
            types.update(get_types_from_msg(_CHAR.sub("uint8", file.read_text(encoding="utf-8")), name))
        except TypesysError:  # wide strings, for example
            return typestore
        for _, (kind, rest) in types[name][1]:
            kind, rest = rest[0] if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE) else (kind, rest)
            if kind == Nodetype.NAME and rest not in types:
                wanted.append(rest)
    typestore.register(types)
    return typestore


def _message_file(message_type: str) -> Path | None:
    package, _, name = message_type.partition("/msg/")
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    files = (Path(prefix) / "share" / package / "msg" / f"{name}.msg" for prefix in prefixes)
    return next((file for file in files if file.is_file()), None)
