"""ONNX Runtime sessions: providers in order of preference, bounded threads, errors as sentences, nothing printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from dfer_ros.core.errors import ModelError, first_line
from dfer_ros.core.model.execution_providers import CPU_PROVIDER, installed_providers, provider_options
from dfer_ros.core.model.onnx_file import check_onnx_file
from dfer_ros.core.parameter import parameter

_FATAL = 4
"""ONNX Runtime's level of messages to the terminal; what is worth a word is said in ours."""


@dataclass(frozen=True)
class SessionConfig:
    """What a model runs on; of the providers see execution_providers.

    cache_folder: where TensorRT and OpenVINO keep compiled engines; empty: nothing is written to the disk.
    """

    providers: tuple[str, ...] = parameter(
        (CPU_PROVIDER,),
        "Execution providers in order of preference: cpu, cuda, tensorrt, openvino or others; the CPU is the last.",
    )
    threads: int = parameter(1, "CPU threads of one inference or image operation.", "", 1, 64)
    cache_folder: str = ""


def create_session(path: Path, config: SessionConfig, content: bytes | None = None) -> onnxruntime.InferenceSession:
    """Return a session of the model at path; the CPU is always the last resort.

    content: what is loaded in the place of the file, where it had to be changed; it is the file's in all else.

    Providers that are not installed or cannot be loaded are passed over: session.get_providers() has the ones in use,
    execution_providers.fallback_warning() says what became of the others.
    Raises ModelError where a provider is not known, where the file does not stand alone (see check_onnx_file()), and
    where ONNX Runtime cannot load it.
    """
    onnxruntime.set_default_logger_severity(_FATAL)
    names = installed_providers(config.providers)
    check_onnx_file(path)
    try:
        try:
            return _create_onnx_session(content or path, config, names)
        except Exception:  # ONNX Runtime raises a class of its own for every status code
            return _create_onnx_session(
                content or path, config, [name for name in names if _can_open(path, config, name)]
            )
    except Exception as error:
        raise ModelError(f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {first_line(error)}") from error


def _can_open(path: Path, config: SessionConfig, name: str) -> bool:
    """Return whether a provider can be tried; most of those that cannot be loaded are passed over without an error."""
    if name == CPU_PROVIDER:
        return True
    try:
        _create_onnx_session(path, config, [name, CPU_PROVIDER])
    except Exception:
        return False
    return True


def _create_onnx_session(model: Path | bytes, config: SessionConfig, names: list[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = config.threads
    options.inter_op_num_threads = 1
    # Spinning threads answer a little sooner and burn a core that the robot needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _FATAL
    if "DmlExecutionProvider" in names:
        # DirectML asks for it.
        options.enable_mem_pattern = False
    providers = [(name, provider_options(name, config.threads, config.cache_folder)) for name in names]
    # ONNX Runtime's own way back to the CPU prints what went wrong and keeps no word of it.
    file = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(file, options, providers=providers, enable_fallback=0)
