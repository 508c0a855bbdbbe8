"""ONNX Runtime sessions: providers in order of preference, bounded threads, errors as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from dfer_ros.core.errors import ModelError

CPU_PROVIDER = "CPUExecutionProvider"


@dataclass(frozen=True)
class SessionConfig:
    """providers: ONNX Runtime's names in order of preference; those not installed are passed over.

    threads: CPU threads of one run.
    """

    providers: tuple[str, ...] = (CPU_PROVIDER,)
    threads: int = 1


def create_session(path: Path, config: SessionConfig) -> onnxruntime.InferenceSession:
    """Return a session of the model at path; the CPU is always the last resort.

    Raises ModelError where ONNX Runtime cannot load the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = config.threads
    options.inter_op_num_threads = 1
    # Spinning threads answer a little sooner and burn a core that the robot needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    installed = onnxruntime.get_available_providers()
    providers = [provider for provider in config.providers if provider in installed]
    if CPU_PROVIDER not in providers:
        providers.append(CPU_PROVIDER)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime raises a class of its own for every status code
        raise ModelError(f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Return the first line of an error's text; those of ONNX Runtime can go on for pages."""
    return (str(error).splitlines() or [type(error).__name__])[0]
