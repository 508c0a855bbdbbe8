"""`dfer bench` as a command: the file it leaves, and what it refuses before it measures."""

import json

import pytest

from dfer_ros.cli.bench import ALL, BENCHES
from dfer_ros.cli.main import main


def bench(*arguments):
    """Return the exit code of `dfer bench ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main(["bench", *map(str, arguments)])
    return ended.value.code


def test_a_bench_leaves_its_results_and_the_machine(tmp_path, capsys):
    output = tmp_path / "streaming.json"
    assert bench("streaming", "--output", output) == 0
    content = json.loads(output.read_text())
    assert content["bench"] == "streaming"
    assert {"processor", "cores", "memory_gb", "system", "onnxruntime", "load"} <= set(content["machine"])
    assert [result["way"] for result in content["results"]] == ["streaming", "clip-wise"] * 2
    printed = capsys.readouterr().out
    assert "clip-wise" in printed and content["machine"]["processor"] in printed.replace("\n", " ")


def test_every_bench_is_a_command_with_help(capsys):
    for kind in (*BENCHES, "all"):
        assert bench(kind, "--help") == 0
    assert set(ALL) < set(BENCHES)


@pytest.mark.parametrize("arguments", [("faults", "--only", "crowd"), ("graph", "--only", "thirty_faces"), ("faults",)])
def test_a_missing_detector_is_named_before_anything_is_measured(arguments, tmp_path, capsys):
    code = bench(*arguments, "--yunet-model", tmp_path / "none.onnx", "--output", tmp_path / "out.json")
    assert code == 1
    error = capsys.readouterr().err
    assert "YuNet" in error and "--only" in error
    assert not list(tmp_path.iterdir())


def test_an_unknown_scenario_is_named_with_those_there_are(tmp_path, capsys):
    assert bench("graph", "--only", "zoo", "--output", tmp_path / "out.json") == 1
    assert "one_face" in capsys.readouterr().err


def test_what_is_no_pack_of_stills_is_one_sentence(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for stills, sentence in (("nope.zip", "There is no"), ("empty", "is not the pack of FER+")):
        assert bench("blends", "--stills", tmp_path / stills, "--output", tmp_path / "out.json") == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert stills in line and sentence in line
