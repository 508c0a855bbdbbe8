"""The computer that figures were measured on; figures without it say nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import cv2
import numpy
import onnxruntime
import psutil

from dfer_ros import __version__

_CPU_INFO = Path("/proc/cpuinfo")


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system, versions, and the load of the last minute, as JSON can hold them."""
    information = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    return {
        "dfer_ros": __version__,
        "processor": _processor(information),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cores_usable": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else None,
        "vnni": "vnni" in information,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
        "numpy": numpy.__version__,
        "load": round(os.getloadavg()[0], 2),
    }


def machine_line(machine: dict[str, Any]) -> str:
    """Return one line for a person."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; "
        f"Python {machine['python']}, ONNX Runtime {machine['onnxruntime']}, OpenCV {machine['opencv']}; "
        f"load before: {machine['load']}"
    )


def _processor(information: str) -> str:
    """Return the name of the processor, which ARM does not put into /proc/cpuinfo."""
    names = [line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
