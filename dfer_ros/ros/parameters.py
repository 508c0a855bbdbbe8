"""How a node declares its parameters: a configuration in, one with the values given out, wrong ones refused."""

from __future__ import annotations

import math
from collections.abc import Callable

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterException
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

    def check(changes: list[RosParameter]) -> SetParametersResult:
        refusals = [table[change.name].refusal(change.value) for change in changes if change.name in table]
        reasons = [refusal for refusal in refusals if refusal]
        return SetParametersResult(successful=not reasons, reason=" ".join(reasons))

    node.add_on_set_parameters_callback(check)
    for one in table.values():
        _declare(node, one)
    values = {name: one.converted(node.get_parameter(name).value) for name, one in table.items()}
    configuration = with_values(defaults, values)

    def apply(changes: list[RosParameter]) -> SetParametersResult:
        nonlocal configuration
        known = {c.name: table[c.name].converted(c.value) for c in changes if c.name in table}
        if known and on_change is not None:
            configuration = with_values(configuration, known)
            on_change(configuration)
        return SetParametersResult(successful=True)

    # The newest callback runs first: the check is added again, so that nothing is applied that it refuses.
    node.remove_on_set_parameters_callback(check)
    node.add_on_set_parameters_callback(apply)
    node.add_on_set_parameters_callback(check)
    return configuration


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
