"""How a node declares its parameters: one table in, checked values out, wrong values refused with a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from dfer_ros.core.errors import DferError

Value = bool | int | float | str | list[str]


@dataclass(frozen=True)
class Parameter:
    """One row of a node's table.

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
        kinds = {bool: "true or false", str: "a text", list: "a list of texts"}
        return kinds[type(self.default)]

    def refusal(self, value: Any) -> str | None:
        """Return the sentence that refuses value, or None where it is allowed."""
        return None if self._allows(value) else f"Parameter '{self.name}' must be {self.constraint}, not {value!r}."

    def _allows(self, value: Any) -> bool:
        if self.minimum is not None and self.maximum is not None:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_whole = isinstance(self.default, float) or isinstance(value, int)
            return is_number and is_whole and (self.minimum <= value <= self.maximum or value == self.stand_in)
        if isinstance(self.default, list):
            return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, str) for v in value)
        return isinstance(value, type(self.default)) and (not self.choices or value in self.choices)


def declare_parameters(
    node: Node, table: Sequence[Parameter], on_change: Callable[[Mapping[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Declare a table on a node and return the values by name.

    on_change is called with the values of the whole table after a changeable one was set. Raises DferError with one
    sentence where a value given at start is refused.
    """
    by_name = {parameter.name: parameter for parameter in table}

    def check(changes: list[RosParameter]) -> SetParametersResult:
        refusals = [by_name[c.name].refusal(c.value) for c in changes if c.name in by_name]
        reasons = [refusal for refusal in refusals if refusal]
        return SetParametersResult(successful=not reasons, reason=" ".join(reasons))

    node.add_on_set_parameters_callback(check)
    for parameter in table:
        _declare(node, parameter)
    values = {parameter.name: _converted(parameter, node.get_parameter(parameter.name).value) for parameter in table}

    def apply(changes: list[RosParameter]) -> SetParametersResult:
        known = {c.name: _converted(by_name[c.name], c.value) for c in changes if c.name in by_name}
        if known and on_change is not None:
            values.update(known)
            on_change(values)
        return SetParametersResult(successful=True)

    # The newest callback runs first: the check is added again, so that nothing is applied that it refuses.
    node.remove_on_set_parameters_callback(check)
    node.add_on_set_parameters_callback(apply)
    node.add_on_set_parameters_callback(check)
    return values


def _declare(node: Node, parameter: Parameter) -> None:
    descriptor = ParameterDescriptor(
        description=parameter.description + (f" [{parameter.unit}]" if parameter.unit else ""),
        additional_constraints=parameter.constraint,
        read_only=not parameter.changeable,
    )
    least = min(value for value in (parameter.minimum, parameter.stand_in, math.inf) if value is not None)
    if isinstance(parameter.default, float) and parameter.minimum is not None:
        # `frame_rate:=15` is an integer to ROS; a developer means 15.0.
        descriptor.dynamic_typing = True
        descriptor.floating_point_range = [FloatingPointRange(from_value=least, to_value=parameter.maximum)]
    elif parameter.minimum is not None and parameter.maximum is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(least), to_value=int(parameter.maximum))]
    try:
        node.declare_parameter(parameter.name, parameter.default, descriptor)
    except ParameterException as error:
        raise DferError(f"Parameter '{parameter.name}' must be {parameter.constraint}: correct its value.") from error


def _converted(parameter: Parameter, value: Any) -> Any:
    return float(value) if isinstance(parameter.default, float) else value
