"""How a node declares its parameters: a configuration in, one with the values given out, wrong ones refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from dfer_ros.core.errors import DferError
from dfer_ros.core.parameter import Configuration, Parameter, parameters, with_values


def declare_parameters(
    node: Node, defaults: Configuration, on_change: Callable[[Configuration], None] | None = None
) -> Configuration:
    """Declare the parameters of a configuration on a node, and return the configuration with the values given.

    on_change is called with another configuration whenever a changeable parameter was set. Raises DferError with one
    sentence where a value given at start is refused.
    """
    table = parameters(defaults)
    values = {name: _declare(node, one) for name, one in table.items()}
    configuration = with_values(defaults, values)

    def check(changes: list[RosParameter]) -> SetParametersResult:
        refusals = [table[change.name].refusal(change.value) for change in changes if change.name in table]
        reasons = [refusal for refusal in refusals if refusal]
        return SetParametersResult(successful=not reasons, reason=" ".join(reasons))

    def apply(changes: list[RosParameter]) -> SetParametersResult:
        nonlocal configuration
        known = {c.name: table[c.name].converted(c.value) for c in changes if c.name in table}
        if known and on_change is not None:
            configuration = with_values(configuration, known)
            on_change(configuration)
        return SetParametersResult(successful=True)

    def convert(changes: list[RosParameter]) -> list[RosParameter]:
        return [RosParameter(c.name, value=table[c.name].converted(c.value)) if c.name in table else c for c in changes]

    # The newest callback runs first: nothing is applied that is refused.
    node.add_on_set_parameters_callback(apply)
    node.add_on_set_parameters_callback(check)
    if hasattr(node, "add_pre_set_parameters_callback"):  # Humble keeps the integer that was set for a double.
        node.add_pre_set_parameters_callback(convert)
    return configuration


def _declare(node: Node, parameter: Parameter) -> Any:
    """Declare a parameter with the value that the node was given for it, else its default; return the value."""
    given = _given(node, parameter.name)
    value = parameter.default if given is None else parameter.converted(given)
    if parameter.refusal(value):
        raise DferError(f"Parameter '{parameter.name}' must be {parameter.constraint}: {_remedy(parameter, given)}.")
    descriptor = ParameterDescriptor(
        description=parameter.description + (f" [{parameter.unit}]" if parameter.unit else ""),
        additional_constraints=parameter.constraint,
        read_only=not parameter.changeable,
        # So that another type comes to check(), which says in a sentence what is allowed.
        dynamic_typing=True,
    )
    least = min(number for number in (parameter.minimum, parameter.stand_in, math.inf) if number is not None)
    if isinstance(parameter.default, float) and parameter.minimum is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=least, to_value=parameter.maximum)]
    elif parameter.minimum is not None and parameter.maximum is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(least), to_value=int(parameter.maximum))]
    node.declare_parameter(parameter.name, value, descriptor, ignore_override=True)
    return value


def _remedy(parameter: Parameter, given: Any) -> str:
    """Return how to write a value that is refused; ROS reads true or false in on, off, yes and no."""
    if isinstance(parameter.default, tuple):
        one = "on" if isinstance(given, bool) else given
        example = "['on', 'off']" if isinstance(given, list) else f"['{one}']"
        return f'write it as one, as in -p "{parameter.name}:={example}"'
    if isinstance(parameter.default, str) and isinstance(given, bool):
        return f"write it in quotes, as in -p \"{parameter.name}:='on'\""
    return "correct its value"


def _given(node: Node, name: str) -> Any:
    """Return what a node was given for a parameter, of whatever type; None where that is nothing."""
    node.declare_parameter(name, descriptor=ParameterDescriptor(dynamic_typing=True))
    value = node.get_parameter(name).value
    node.undeclare_parameter(name)
    return value
