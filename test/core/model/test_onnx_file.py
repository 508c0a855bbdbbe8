import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dfer_ros.core.errors import ModelError
from dfer_ros.core.model.onnx_file import check_onnx_file
from dfer_ros.core.model.onnx_session import SessionConfig, create_session

PLACES = ["weights.bin", "../weights.bin", "../../../../../../etc/passwd", "/etc/passwd", ""]
X, Y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y"))


def elsewhere(place, name="w"):
    """Return a tensor of four numbers whose values lie in a file at a place."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", place), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def saved(path, graph, functions=()):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, functions=functions)
    path.write_bytes(model.SerializeToString())
    return path


def adding(tensor):
    return helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "graph", [X], [Y], [tensor])


def constant(tensor):
    return helper.make_node("Constant", [], ["w"], value=tensor)


def in_an_attribute(tensor):
    nodes = [constant(tensor), helper.make_node("Add", ["x", "w"], ["y"])]
    return helper.make_graph(nodes, "graph", [X], [Y])


def in_a_branch(tensor):
    value = helper.make_tensor_value_info("w", TensorProto.FLOAT, [4])
    branch = helper.make_graph([constant(tensor)], "branch", [], [value])
    condition = numpy_helper.from_array(np.array(True), "condition")
    node = helper.make_node("If", ["condition"], ["y"], then_branch=branch, else_branch=branch)
    return helper.make_graph([node], "graph", [X], [Y], [condition])


def in_a_sparse_tensor(tensor):
    indices = numpy_helper.from_array(np.arange(4), "indices")
    sparse = onnx.SparseTensorProto(values=tensor, indices=indices, dims=[4])
    graph = adding(numpy_helper.from_array(np.zeros(4, np.float32), "w"))
    graph.sparse_initializer.append(sparse)
    return graph


@pytest.fixture
def secret(tmp_path):
    """A folder for a model, with files of numbers in it and above it."""
    for folder in (tmp_path, tmp_path / "model"):
        folder.mkdir(exist_ok=True)
        (folder / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    return tmp_path / "model" / "m.onnx"


@pytest.mark.parametrize("name", ["encoder_fp32.onnx", "encoder_fp16.onnx", "encoder_int8.onnx", "head.onnx"])
def test_the_shipped_files_stand_alone(model_folder, name):
    check_onnx_file(model_folder.path / name)


def test_weights_in_the_file_are_read(secret):
    path = saved(secret, adding(numpy_helper.from_array(np.ones(4, np.float32), "w")))
    (answer,) = create_session(path, SessionConfig()).run(None, {"x": np.zeros(4, np.float32)})
    assert answer.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("graph", [adding, in_an_attribute, in_a_branch, in_a_sparse_tensor])
def test_weights_in_another_file_are_refused_wherever_they_hide(secret, graph, place):
    path = saved(secret, graph(elsewhere(place)))
    with pytest.raises(ModelError, match=f"{path} is refused: it holds weights in another file"):
        create_session(path, SessionConfig())


def test_weights_in_another_file_are_refused_in_a_function(secret):
    function = helper.make_function(
        "own", "F", ["x"], ["y"], [constant(elsewhere("/etc/passwd"))], [helper.make_opsetid("", 17)]
    )
    graph = helper.make_graph([helper.make_node("F", ["x"], ["y"], domain="own")], "graph", [X], [Y])
    with pytest.raises(ModelError, match="weights in another file"):
        check_onnx_file(saved(secret, graph, [function]))


def test_either_sign_of_weights_in_another_file_is_enough(secret):
    for field in ("data_location", "external_data"):
        tensor = elsewhere("/etc/passwd")
        tensor.ClearField(field)
        with pytest.raises(ModelError, match="weights in another file"):
            check_onnx_file(saved(secret, adding(tensor)))


def test_a_compiled_engine_is_refused(secret):
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context="/tmp/engine.bin")
    with pytest.raises(ModelError, match="an engine compiled for one device"):
        check_onnx_file(saved(secret, helper.make_graph([node], "graph", [X], [Y])))


def test_graphs_within_graphs_have_an_end(secret):
    content = b""
    for _ in range(3000):
        attribute = b"\x32" + _length(content) + content
        node = b"\x2a" + _length(attribute) + attribute
        content = b"\x0a" + _length(node) + node
    secret.write_bytes(b"\x3a" + _length(content) + content)
    with pytest.raises(ModelError, match="graphs more than 64 deep"):
        check_onnx_file(secret)


@pytest.mark.parametrize(
    "content",
    [
        b"no network",
        b"\xff" * 30,
        b"\x3a\x7f",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x09\x01",
        b"\x0b\x0c",
        # The number of a field that a reader of 32 bits would take for another one.
        b"\xba\x80\x80\x80\x80\x01\x00",
    ],
)
def test_what_is_no_onnx_file_is_an_error_that_names_it(secret, content):
    secret.write_bytes(content)
    with pytest.raises(ModelError, match=f"cannot load {secret}"):
        check_onnx_file(secret)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelError, match=f"cannot load {tmp_path / 'absent.onnx'}"):
        check_onnx_file(tmp_path / "absent.onnx")


def test_a_file_cut_anywhere_does_not_stop_the_check(model_folder, secret):
    whole = (model_folder.path / "head.onnx").read_bytes()
    for end in np.random.default_rng(0).integers(0, len(whole), 200):
        secret.write_bytes(whole[:end])
        try:
            check_onnx_file(secret)
        except ModelError:
            continue


def _length(content):
    """Return the length of bytes as a varint."""
    number, digits = len(content), []
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])
