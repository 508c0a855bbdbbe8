import onnxruntime
import pytest

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.execution_providers import (
    CPU_PROVIDER,
    REMOTE_PROVIDER,
    SHORT_NAMES,
    fallback_warning,
    installed_providers,
    provider_names,
    provider_options,
)

CUDA, TENSORRT, OPENVINO = (SHORT_NAMES[name] for name in ("cuda", "tensorrt", "openvino"))
HERE = onnxruntime.get_available_providers()


def absent(name):
    return pytest.mark.skipif(name in HERE, reason=f"this ONNX Runtime has {name}")


@pytest.mark.parametrize(("short", "full"), SHORT_NAMES.items())
def test_short_and_full_names_are_the_same_provider(short, full):
    assert provider_names([short]) == provider_names([short.upper()]) == provider_names([full]) == [full]


def test_the_short_names_are_those_of_onnx_runtime():
    # ROCm left ONNX Runtime 1.23, and is in the older ones that AMD's boards have.
    assert set(SHORT_NAMES.values()) - {"ROCMExecutionProvider"} <= set(onnxruntime.get_all_providers())


def test_providers_keep_their_order_and_come_once():
    assert provider_names(["tensorrt", "CUDAExecutionProvider", "cuda", "cpu"]) == [TENSORRT, CUDA, CPU_PROVIDER]


def test_a_provider_without_a_short_name_goes_by_its_full_one():
    assert provider_names(["DnnlExecutionProvider"]) == ["DnnlExecutionProvider"]


@pytest.mark.parametrize("name", ["", "gpu", "CudaExecutionProvider", "NoSuchExecutionProvider", "cpu "])
def test_an_unknown_provider_is_an_error_that_names_those_known(name):
    with pytest.raises(ModelError, match=f"'{name}' is not known: use cpu, cuda, tensorrt, .*DnnlExecutionProvider"):
        provider_names(["cpu", name])


def test_the_provider_that_computes_on_a_server_is_refused():
    with pytest.raises(ModelError, match="sends faces to a server"):
        provider_names([REMOTE_PROVIDER, "cpu"])


@pytest.mark.parametrize("wanted", [[], ["cpu"], [CPU_PROVIDER]])
def test_the_cpu_alone_is_the_cpu_alone(wanted):
    assert installed_providers(wanted) == [CPU_PROVIDER]


@absent(CUDA)
def test_the_cpu_is_the_last_resort_and_keeps_its_place():
    assert installed_providers(["cuda"]) == [CPU_PROVIDER]
    assert installed_providers(["cpu", "cuda"]) == [CPU_PROVIDER]


def test_nothing_is_written_to_the_disk_unless_a_folder_is_given():
    assert provider_options(TENSORRT, 1)["trt_engine_cache_enable"] == "False"
    assert provider_options(TENSORRT, 1)["trt_timing_cache_enable"] == "False"
    for name in SHORT_NAMES.values():
        assert not [key for key in provider_options(name, 1) if key.endswith(("_path", "_dir"))]


def test_engines_are_kept_in_the_folder_that_is_given():
    options = provider_options(TENSORRT, 1, "engines")
    assert (options["trt_engine_cache_enable"], options["trt_engine_cache_path"]) == ("True", "engines")
    assert provider_options(OPENVINO, 1, "engines")["cache_dir"] == "engines"


def test_openvino_takes_no_more_threads_than_it_is_given():
    options = provider_options(OPENVINO, 2)
    assert (options["device_type"], options["num_of_threads"], options["num_streams"]) == ("CPU", "2", "1")


@pytest.mark.parametrize("name", SHORT_NAMES.values())
def test_options_are_texts(name):
    assert all(isinstance(value, str) for value in provider_options(name, 3, "engines").values())


@pytest.mark.parametrize("wanted", [["cpu"], [CPU_PROVIDER], ["cpu", "cuda"]])
def test_there_is_no_warning_while_the_first_choice_is_in_use(wanted):
    assert fallback_warning(wanted, [CPU_PROVIDER]) == ""


def test_there_is_no_warning_about_what_comes_after_the_one_in_use():
    assert fallback_warning(["cuda", "openvino", "cpu"], [CUDA, CPU_PROVIDER]) == ""


@absent(TENSORRT)
@absent(OPENVINO)
def test_one_warning_names_all_that_are_not_installed_and_what_to_do():
    warning = fallback_warning(["tensorrt", "openvino", "coreml", "cpu"], [CPU_PROVIDER])
    assert warning == (
        "Going on with CPUExecutionProvider: "
        "TensorrtExecutionProvider is not installed (pip: onnxruntime-gpu in the place of onnxruntime); "
        "OpenVINOExecutionProvider is not installed (pip: onnxruntime-openvino in the place of onnxruntime); "
        "CoreMLExecutionProvider is not installed. Install what is missing or correct 'providers'."
    )


@absent(CUDA)
def test_a_provider_whose_libraries_are_missing_is_named_with_the_one_that_misses(monkeypatch, tmp_path):
    """As with onnxruntime-gpu on a computer without CUDA: the library is there and cannot be loaded."""
    (tmp_path / "capi").mkdir()
    library = tmp_path / "capi" / "libonnxruntime_providers_cuda.so"
    library.write_bytes(b"no library")
    monkeypatch.setattr(onnxruntime, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU_PROVIDER])
    warning = fallback_warning(["cuda"], [CPU_PROVIDER])
    assert f"CUDAExecutionProvider is installed but cannot be loaded ({library}: " in warning


def test_a_provider_without_a_device_is_named(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["XnnpackExecutionProvider", CPU_PROVIDER])
    warning = fallback_warning(["xnnpack"], [CPU_PROVIDER])
    assert "XnnpackExecutionProvider is installed but cannot be loaded (no device or no driver for it)" in warning
