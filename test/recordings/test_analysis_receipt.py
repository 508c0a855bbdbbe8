import os

import pytest

from dfer_ros.core.model.folder import file_sha256
from dfer_ros.recordings.analysis_receipt import Receipt, finished_receipt, receipt_path, receipt_text, source_identity

ANALYSIS = {"dfer": "1", "model_sha256": "ab", "frame_rate": 30.0}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"video")
    return path


@pytest.fixture
def output(tmp_path, source):
    path = tmp_path / "talk-12.jsonl"
    path.write_text("{}\n")
    receipt = Receipt(source_identity(source), ANALYSIS, file_sha256(path), 10, 1, 0.3, 0, 0, 0, 0, 0, 0, [])
    receipt_path(path).write_text(receipt_text(receipt))
    return path


def test_an_output_of_the_same_source_and_analysis_is_finished(source, output):
    receipt = finished_receipt(output, source_identity(source), ANALYSIS)
    assert (receipt.frames, receipt.faces, receipt.seconds) == (10, 1, 0.3)


@pytest.mark.parametrize("change", [{"dfer": "2"}, {"model_sha256": "cd"}, {"frame_rate": 15.0}, {"topic": "/image"}])
def test_another_analysis_is_not_finished(source, output, change):
    assert finished_receipt(output, source_identity(source), {**ANALYSIS, **change}) is None


def test_a_source_that_was_changed_is_not_finished(source, output):
    for content, at in ((b"other", None), (b"longer video", None), (b"video", (1e9, 1e9))):
        source.write_bytes(content)
        if at:
            os.utime(source, at)
        assert finished_receipt(output, source_identity(source), ANALYSIS) is None


@pytest.mark.parametrize("content", ["", "{}", '{"stamp": 0.1}\n{"sta'])
def test_an_output_that_is_not_whole_is_not_finished(source, output, content):
    output.write_text(content)
    assert finished_receipt(output, source_identity(source), ANALYSIS) is None


@pytest.mark.parametrize("content", ["", "hello", "[]", "7", '{"source": {}}', '{"source": {', "\udcff"])
def test_a_receipt_that_is_damaged_counts_for_nothing(source, output, content):
    receipt_path(output).write_text(content, errors="surrogateescape")
    assert finished_receipt(output, source_identity(source), ANALYSIS) is None


@pytest.mark.parametrize("gone", ["output", "receipt"])
def test_both_files_must_be_there(source, output, gone):
    (output if gone == "output" else receipt_path(output)).unlink()
    assert finished_receipt(output, source_identity(source), ANALYSIS) is None


def test_every_file_of_a_folder_is_part_of_its_identity(tmp_path):
    folder = tmp_path / "frames"
    (folder / "deep").mkdir(parents=True)
    (folder / "0.png").write_bytes(b"0")
    before = source_identity(folder)
    assert source_identity(folder) == before
    (folder / "deep" / "1.png").write_bytes(b"1")
    after = source_identity(folder)
    assert after != before
    assert after["bytes"] == 2


def test_a_source_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        source_identity(tmp_path / "gone.mp4")
