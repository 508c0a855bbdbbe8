from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.execution_providers import CPU_PROVIDER
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

INSTALLED = [name for name in onnxruntime.get_available_providers() if name != "AzureExecutionProvider"]


@pytest.fixture(scope="module")
def encoder(model_folder):
    return model_folder.path / "encoder_int8.onnx"


def save(path, operator, domain=""):
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    graph = helper.make_graph([node], "graph", value[:1], value[1:])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.mark.parametrize("provider", INSTALLED)
def test_a_provider_that_is_installed_is_used_and_computes_the_same(encoder, provider):
    image = np.random.default_rng(0).normal(size=(2, 3, 96, 96)).astype(np.float32)
    session, on_cpu = (create_session(encoder, SessionConfig((name,))) for name in (provider, "cpu"))
    assert session.get_providers()[0] == provider
    embeddings, expected = (one.run(["embedding"], {"image": image})[0] for one in (session, on_cpu))
    assert np.abs(embeddings - expected).max() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("wanted", [("cuda", "cpu"), ("tensorrt", "openvino", "migraphx"), ("qnn",), ()])
def test_what_is_not_there_ends_at_the_cpu_without_a_word(encoder, capfd, wanted):
    session = create_session(encoder, SessionConfig(tuple(wanted)))
    assert session.get_providers()[-1] == CPU_PROVIDER
    assert capfd.readouterr() == ("", "")


def test_an_unknown_provider_is_an_error_before_the_file_is_read():
    with pytest.raises(ModelError, match="'gpu' is not known"):
        create_session(Path("absent.onnx"), SessionConfig(("gpu",)))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_takes_as_many_threads_as_it_is_given(encoder, threads):
    before = set(Path("/proc/self/task").iterdir())
    session = create_session(encoder, SessionConfig(threads=threads))
    session.run(["embedding"], {"image": np.zeros((4, 3, 96, 96), np.float32)})
    # The thread of the caller is one of them.
    assert len(set(Path("/proc/self/task").iterdir()) - before) == threads - 1


def test_a_damaged_file_is_an_error_without_a_word_beside_it(tmp_path, encoder, capfd):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(encoder.read_bytes()[:5000])
    with pytest.raises(ModelError, match=f"cannot load {damaged}"):
        create_session(damaged, SessionConfig())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("operator", ["PyOp", "MyKernel"])
def test_an_operator_of_somebody_s_own_library_is_an_error(tmp_path, operator):
    with pytest.raises(ModelError, match="cannot load"):
        create_session(save(tmp_path / "own.onnx", operator, "somebody.own"), SessionConfig())


def test_settings_that_a_file_brings_along_are_not_taken(tmp_path, monkeypatch):
    """ONNX Runtime takes session options, a profile to write among them, from a model where a variable allows it."""
    path = save(tmp_path / "settings.onnx", "Abs")
    model = onnx.load(path)
    settings = model.metadata_props.add()
    settings.key = "ort_config"
    settings.value = '{"session_options": {"enable_profiling": 1, "intra_op_num_threads": 7}}'
    onnx.save(model, path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORT_LOAD_CONFIG_FROM_MODEL", raising=False)
    session = create_session(path, SessionConfig())
    session.run(None, {"x": np.zeros(4, np.float32)})
    assert session.get_session_options().intra_op_num_threads == 1
    assert [file.name for file in tmp_path.iterdir()] == ["settings.onnx"]


def test_a_session_writes_nothing(tmp_path, encoder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for provider in INSTALLED:
        session = create_session(encoder, SessionConfig((provider,)))
        session.run(["embedding"], {"image": np.zeros((1, 3, 96, 96), np.float32)})
    assert list(tmp_path.iterdir()) == []
