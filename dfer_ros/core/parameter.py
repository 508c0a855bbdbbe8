"""Parameters: fields of frozen configurations that also say what they mean and what they may be.

Type, default, range, unit and text of a parameter stand with its field, and nowhere else: the nodes declare them from
there, and `make parameters` writes config/*.yaml, the tables of the documents and the launch arguments from there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = bool | int | float | str | tuple[str, ...]
Configuration = TypeVar("Configuration", bound="DataclassInstance")
"""A frozen dataclass with an instance of all defaults; some of its fields are parameters, others configurations."""
_KEY = "parameter"
"""Of a field's metadata."""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    unit: of a number, where it has one. minimum, maximum: least and greatest number, both allowed.
    stand_in: a number outside of that range that has a meaning of its own.
    choices: the words allowed; none: any. changeable: whether it may be set while the node runs.
    """

    name: str
    default: Value
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    stand_in: float | None = None
    changeable: bool = False

    @property
    def constraint(self) -> str:
        """What is allowed, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.minimum is not None:
            numbers = f"a number from {self.minimum} to {self.maximum}{' ' + self.unit if self.unit else ''}"
            return numbers if self.stand_in is None else f"{numbers}, or {self.stand_in}"
        kinds = {bool: "true or false", str: "a text", tuple: "a list of texts"}
        return kinds[type(self.default)]

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest number; any, where it has no range."""
        return (
            -math.inf if self.minimum is None else self.minimum,
            math.inf if self.maximum is None else self.maximum,
        )

    def refusal(self, value: Any) -> str | None:
        """Return the sentence that refuses value, or None where it is allowed."""
        if self._allows(self.converted(value)):
            return None
        return f"Parameter '{self.name}' must be {self.constraint}, not {value!r}."

    def converted(self, value: Any) -> Any:
        """Return a value converted to the type of the default where that is safe; any other value as it is.

        `frame_rate:=15` is an integer to ROS where 15.0 is meant, and `source:=0` one where a text is.
        """
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if isinstance(self.default, float) and is_number:
            return float(value)
        if isinstance(self.default, str) and is_number:
            return str(value)
        if isinstance(self.default, tuple) and isinstance(value, Iterable) and not isinstance(value, str):
            return tuple(one if isinstance(one, bool) else str(one) for one in value)
        return value

    def _allows(self, value: Any) -> bool:
        if self.minimum is not None and self.maximum is not None:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_whole = isinstance(self.default, float) or isinstance(value, int)
            return is_number and is_whole and (self.minimum <= value <= self.maximum or value == self.stand_in)
        if isinstance(self.default, tuple):
            return isinstance(value, tuple) and len(value) > 0 and all(isinstance(one, str) for one in value)
        return isinstance(value, type(self.default)) and (not self.choices or value in self.choices)


def parameter(
    default: Value,
    description: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    stand_in: float | None = None,
    changeable: bool = False,
) -> Any:
    """Return the field of a configuration that is a parameter of the field's name; see Parameter."""
    told = Parameter("", default, description, unit, minimum, maximum, choices, stand_in, changeable)
    return field(default=default, metadata={_KEY: told})


def same_parameter(configuration: type[DataclassInstance], name: str) -> Any:
    """Return a field that is the same parameter as that of another configuration."""
    original = configuration.__dataclass_fields__[name]
    return field(default=original.default, metadata=original.metadata)


def parameters(configuration: DataclassInstance) -> dict[str, Parameter]:
    """Return the parameters of a configuration and of those within it, by name; their defaults are its values."""
    found: dict[str, Parameter] = {}
    for one in fields(configuration):
        value = getattr(configuration, one.name)
        if _KEY in one.metadata:
            found[one.name] = replace(one.metadata[_KEY], name=one.name, default=value)
        elif is_dataclass(value) and not isinstance(value, type):
            found |= parameters(value)
    return found


def with_values(configuration: Configuration, values: Mapping[str, Any]) -> Configuration:
    """Return a configuration in which these parameters, its own or those of configurations within it, are changed."""
    changed: dict[str, Any] = {}
    for one in fields(configuration):
        value = getattr(configuration, one.name)
        if is_dataclass(value) and not isinstance(value, type):
            changed[one.name] = with_values(value, values)
        elif _KEY in one.metadata and one.name in values:
            changed[one.name] = values[one.name]
    return replace(configuration, **changed)
