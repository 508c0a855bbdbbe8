"""The execution providers of ONNX Runtime: short names, options, and why one that was asked for is not used."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import onnxruntime

from dfer_ros.core.errors import ModelError

CPU_PROVIDER = "CPUExecutionProvider"

SHORT_NAMES = {
    "cpu": CPU_PROVIDER,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "dml": "DmlExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "qnn": "QNNExecutionProvider",
}
"""ONNX Runtime's names by the short ones."""

REMOTE_PROVIDER = "AzureExecutionProvider"
"""Part of the usual wheel; it sends its input to a server, so it is never used."""

_WHEELS = {
    "CUDAExecutionProvider": "onnxruntime-gpu",
    "TensorrtExecutionProvider": "onnxruntime-gpu",
    "OpenVINOExecutionProvider": "onnxruntime-openvino",
    "DmlExecutionProvider": "onnxruntime-directml",
    "QNNExecutionProvider": "onnxruntime-qnn",
}
"""The wheels on PyPI that have a provider, each in the place of onnxruntime."""


def provider_names(wanted: Sequence[str]) -> list[str]:
    """Return ONNX Runtime's names of providers given by short or full names, each once, in their order.

    Raises ModelError for a name that is not known, and for the provider that computes on a server.
    """
    names = [SHORT_NAMES.get(name.lower(), name) for name in wanted]
    others = sorted({*onnxruntime.get_all_providers()} - {*SHORT_NAMES.values(), REMOTE_PROVIDER})
    for name in names:
        if name == REMOTE_PROVIDER:
            raise ModelError(f"{REMOTE_PROVIDER} sends faces to a server: take it out of 'providers'.")
        if name not in SHORT_NAMES.values() and name not in others:
            raise ModelError(
                f"Execution provider '{name}' is not known: use {', '.join(SHORT_NAMES)}, ONNX Runtime's own names for "
                f"these, or {', '.join(others)}."
            )
    return list(dict.fromkeys(names))


def installed_providers(wanted: Sequence[str]) -> list[str]:
    """Return the names of the wanted providers that this ONNX Runtime has, and the CPU as the last resort."""
    installed = [name for name in provider_names(wanted) if name in onnxruntime.get_available_providers()]
    return installed if CPU_PROVIDER in installed else [*installed, CPU_PROVIDER]


def provider_options(name: str, threads: int, cache_folder: str = "") -> dict[str, str]:
    """Return the options of a provider, by ONNX Runtime's name.

    threads: most CPU threads of one run. cache_folder: where compiled engines are kept; empty: nothing is written.
    """
    cached = bool(cache_folder)
    options = {
        # The default tries all algorithms out whenever the number of faces is one not seen before.
        "CUDAExecutionProvider": {
            "cudnn_conv_algo_search": "HEURISTIC",
            "arena_extend_strategy": "kSameAsRequested",
        },
        "TensorrtExecutionProvider": {
            "trt_engine_cache_enable": str(cached),
            "trt_timing_cache_enable": str(cached),
            **({"trt_engine_cache_path": cache_folder, "trt_timing_cache_path": cache_folder} if cached else {}),
        },
        "OpenVINOExecutionProvider": {
            "device_type": "CPU",
            "num_of_threads": str(threads),
            "num_streams": "1",
            **({"cache_dir": cache_folder} if cached else {}),
        },
        "XnnpackExecutionProvider": {"intra_op_num_threads": str(threads)},
    }
    return options.get(name, {})


def fallback_warning(wanted: Sequence[str], used: Sequence[str]) -> str:
    """Return one sentence on the wanted providers that stand before the one in use, and why; empty where none does.

    used: the providers of a session, the first one first.
    """
    passed_over = list(takewhile(lambda name: name != used[0], provider_names(wanted)))
    if not passed_over:
        return ""
    reasons = "; ".join(f"{name} {_why_not(name)}" for name in passed_over)
    return f"Going on with {used[0]}: {reasons}. Install what is missing or correct 'providers'."


def _why_not(name: str) -> str:
    if name in onnxruntime.get_available_providers():
        return f"is installed but cannot be loaded ({_load_error(name)})"
    wheel = _WHEELS.get(name)
    return f"is not installed{f' (pip: {wheel} in the place of onnxruntime)' if wheel else ''}"


def _load_error(name: str) -> str:
    """Return what the system says of the library of a provider: most often another library that it misses."""
    short = name.removesuffix("ExecutionProvider").lower()
    library = Path(onnxruntime.__file__).parent / "capi" / f"libonnxruntime_providers_{short}.so"
    if library.is_file():
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            if "undefined symbol" not in str(error):
                return str(error)
    return "no device or no driver for it"
