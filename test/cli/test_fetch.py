"""`dfer fetch yunet` against a server on this machine."""

import http.server
import threading
from pathlib import Path

import pytest

from dfer_ros.cli.main import main


def fetch(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["fetch", "yunet", *map(str, arguments)])
    return ended.value.code


@pytest.fixture
def server(tmp_path):
    """Serve a folder; its address and the folder."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


def test_the_right_file_gets_its_name(server, yunet_model, tmp_path):
    address, folder = server
    content = Path(yunet_model).read_bytes()
    (folder / "yunet.onnx").write_bytes(content)
    output = tmp_path / "deep" / "yunet.onnx"
    assert fetch("--url", f"{address}/yunet.onnx", "--output", output) == 0
    assert output.read_bytes() == content
    assert list(output.parent.iterdir()) == [output]


def test_a_file_that_is_there_and_whole_is_left_alone(yunet_model, capsys):
    assert fetch("--url", "http://127.0.0.1:1/nothing", "--output", yunet_model) == 0
    assert "already there" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"not the model", b""])
def test_another_file_is_thrown_away(server, tmp_path, content, capsys):
    address, folder = server
    (folder / "yunet.onnx").write_bytes(content)
    output = tmp_path / "yunet.onnx"
    assert fetch("--url", f"{address}/yunet.onnx", "--output", output) == 1
    assert "its sha256 differs" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("url", ["{address}/missing.onnx", "http://127.0.0.1:1/yunet.onnx", "not an address"])
def test_an_address_that_does_not_answer_is_told(server, tmp_path, url, capsys):
    output = tmp_path / "yunet.onnx"
    assert fetch("--url", url.format(address=server[0]), "--output", output) == 1
    assert "cannot be fetched" in capsys.readouterr().err
    assert not output.exists()
