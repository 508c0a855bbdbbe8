"""The parameters of a node's diagnostics: limits that may all be changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from dfer_ros.ros.parameter import Parameter
from dfer_ros.streams.health import HealthLimits


def _latency(level: str, default: float) -> Parameter:
    return Parameter(
        f"latency_{level}_seconds",
        default,
        f"Stamp-to-publish latency (p95) beyond which /diagnostics says {level.upper()}.",
        "s",
        0.001,
        60.0,
        changeable=True,
    )


def _drop(level: str, default: float) -> Parameter:
    return Parameter(
        f"drop_{level}_share",
        default,
        f"Share of frames dropped beyond which /diagnostics says {level.upper()}; 1: never.",
        "",
        0.0,
        1.0,
        changeable=True,
    )


def _stale(level: str, default: float) -> Parameter:
    return Parameter(
        f"stale_{level}_seconds",
        default,
        f"Time without input after which /diagnostics says {level.upper()}.",
        "s",
        0.1,
        3600.0,
        changeable=True,
    )


DIAGNOSTICS = (
    _latency("warn", HealthLimits.latency_warn_seconds),
    _latency("error", HealthLimits.latency_error_seconds),
    _drop("warn", HealthLimits.drop_warn_share),
    _drop("error", HealthLimits.drop_error_share),
    _stale("warn", HealthLimits.stale_warn_seconds),
    _stale("error", HealthLimits.stale_error_seconds),
)


def health_limits(values: Mapping[str, Any]) -> HealthLimits:
    """Return the limits among the values of a node's table."""
    return HealthLimits(**{field.name: values[field.name] for field in fields(HealthLimits)})
