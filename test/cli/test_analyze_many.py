"""`dfer analyze` of many recordings: processes, what is done already, what fails."""

import contextlib
import csv
import fcntl
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import psutil
import pytest
from dfer_command import dfer

from dfer_ros.cli import analyze_many
from dfer_ros.cli.analyze_many import SUMMARY_FILE
from dfer_ros.cli.recording_worker import RecordingTask
from dfer_ros.cli.worker_processes import analyze_in_processes
from dfer_ros.recordings.analysis_receipt import receipt_path, source_identity
from dfer_ros.recordings.answer_file import output_name
from dfer_ros.recordings.recording_analysis import AnalysisConfig, RecordingAnalyzer
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import wait_until

FRAMES = 9


def write_video(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoOutput(path, 30.0) as output:
        for frame in frames:
            output.write(frame)
    return path


@pytest.fixture(scope="module")
def recordings(clip, tmp_path_factory):
    """Two videos of one name and a folder of images."""
    root = tmp_path_factory.mktemp("recordings")
    write_video(root / "monday" / "talk.mp4", clip[:FRAMES])
    write_video(root / "tuesday" / "talk.mp4", clip[20 : 20 + FRAMES])
    (root / "frames").mkdir()
    for index, frame in enumerate(clip[40 : 40 + FRAMES]):
        cv2.imwrite(str(root / "frames" / f"{index}.png"), frame)
    return root


@pytest.fixture(scope="module")
def single(recordings, tmp_path_factory):
    """The output of each of them, analyzed alone."""
    folder = tmp_path_factory.mktemp("single")
    outputs = {}
    for number, recording in enumerate(("monday/talk.mp4", "tuesday/talk.mp4", "frames")):
        output = folder / f"{number}.jsonl"
        assert dfer("analyze", recordings / recording, "--output", output) == 0
        outputs[recordings / recording] = output.read_bytes()
    return outputs


def outputs_of(folder, single):
    return {recording: (folder / output_name(recording)).read_bytes() for recording in single}


@pytest.mark.parametrize("processes", [1, 2])
def test_many_give_the_same_files_as_each_alone(recordings, single, tmp_path, capsys, processes):
    assert dfer("analyze", recordings, "--output-folder", tmp_path, "--processes", processes) == 0
    assert outputs_of(tmp_path, single) == single
    assert "3 recordings: 3 analyzed; 1 s of video" in capsys.readouterr().out
    names = {output_name(recording) for recording in single}
    receipts = {receipt_path(tmp_path / name).name for name in names}
    assert {path.name for path in tmp_path.iterdir()} == names | receipts | {SUMMARY_FILE}


@pytest.mark.timeout(900)  # Ray starts half a dozen processes, which on a busy machine takes minutes
def test_ray_gives_the_same_files(recordings, single, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("ray", reason="ray is not installed: it is an extra")
    monday = recordings / "monday" / "talk.mp4"
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no video")
    assert dfer("analyze", monday, damaged, "--output-folder", "out", "--ray", "local", "--processes", 1) == 1
    assert (tmp_path / "out" / output_name(monday)).read_bytes() == single[monday]
    said = capsys.readouterr()
    assert "2 recordings: 1 analyzed, 1 failed" in said.out
    assert "cannot open" in " ".join(said.err.split())


def test_a_ray_that_does_not_answer_is_said(recordings, tmp_path, capsys):
    pytest.importorskip("ray", reason="ray is not installed: it is an extra")
    assert dfer("analyze", recordings, "--output-folder", tmp_path, "--ray", "nowhere") == 1
    assert "Ray cannot be reached at nowhere" in capsys.readouterr().err


@pytest.fixture
def done(recordings, single, tmp_path):
    """A folder in which all recordings are finished; every file in it is a day old."""
    folder = tmp_path / "out"
    assert dfer("analyze", recordings, "--output-folder", folder) == 0
    for path in folder.iterdir():
        os.utime(path, (time.time() - 86400,) * 2)
    return folder


def new_files(folder):
    return {path.name for path in folder.glob("*.jsonl") if path.stat().st_mtime > time.time() - 3600}


def test_what_is_finished_is_not_done_again(recordings, single, done, capsys):
    assert dfer("analyze", recordings, "--output-folder", done) == 0
    assert new_files(done) == set()
    assert "3 recordings: 0 analyzed, 3 finished before" in capsys.readouterr().out


def test_a_run_with_more_recordings_does_only_those(recordings, single, done, clip, tmp_path):
    other = write_video(tmp_path / "talk.mp4", clip[:5])
    assert dfer("analyze", recordings / "monday", other, "--output-folder", done) == 0
    assert new_files(done) == {output_name(other)}


def test_what_is_half_written_is_done_again(recordings, single, done):
    monday, tuesday, frames = (done / output_name(recording) for recording in single)
    monday.write_bytes(monday.read_bytes()[:500])
    receipt_path(tuesday).unlink()
    receipt_path(frames).write_text(receipt_path(frames).read_text()[:200])
    assert dfer("analyze", recordings, "--output-folder", done) == 0
    assert new_files(done) == {monday.name, tuesday.name, frames.name}
    assert outputs_of(done, single) == single


def test_another_parameter_is_done_again(recordings, single, done):
    assert dfer("analyze", recordings, "--output-folder", done, "--frame-rate", 15) == 0
    assert new_files(done) == {output_name(recording) for recording in single}
    assert outputs_of(done, single) != single


def test_a_failing_recording_stops_no_other_and_leaves_no_older_answer(clip, tmp_path, capsys):
    good = write_video(tmp_path / "good.mp4", clip[:FRAMES])
    bad = write_video(tmp_path / "bad.mp4", clip[:FRAMES])
    folder = tmp_path / "out"
    assert dfer("analyze", good, bad, "--output-folder", folder) == 0
    bad.write_bytes(b"no video any more")
    capsys.readouterr()
    assert dfer("analyze", bad, good, "--output-folder", folder) == 1
    said = capsys.readouterr()
    assert "2 recordings: 0 analyzed, 1 finished before, 1 failed" in said.out
    assert "is it a whole video file?" in " ".join(said.err.replace("│", " ").split())
    with (folder / SUMMARY_FILE).open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["source"], first["output"]) == (str(bad), "")
    assert "cannot open" in first["problem"]
    assert (second["source"], second["output"], second["problem"]) == (str(good), output_name(good), "")
    assert (second["frames"], second["faces"]) == (str(FRAMES), str(FRAMES - 2))
    assert {path.name for path in folder.glob("*.jsonl")} == {output_name(good)}


def test_a_process_that_dies_takes_only_its_own_recording_along(recordings, single, tmp_path):
    analyzer = RecordingAnalyzer(AnalysisConfig())
    tasks = [
        RecordingTask(source, tmp_path / f"{n}.jsonl", source_identity(source), analyzer.config, analyzer.identity)
        for n, source in enumerate([*single, *single])
    ]
    results = analyze_in_processes(tasks, 1)
    assert next(results).problem == ""
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGKILL)
    problems = [result.problem for result in results]
    assert problems.count("") == 4
    (problem,) = filter(None, problems)
    assert problem.endswith("was ended by SIGKILL.")
    assert multiprocessing.active_children() == []


def test_stopped_by_ctrl_c_it_leaves_what_is_finished_and_nothing_half_written(clip, tmp_path):
    folder = tmp_path / "out"
    short, long = write_video(tmp_path / "short.mp4", clip[:3]), write_video(tmp_path / "long.mp4", clip * 20)
    command = [sys.executable, "-m", "dfer_ros.cli.main", "analyze", str(short), str(long)]
    process = subprocess.Popen([*command, "--output-folder", str(folder), "--processes", "2"], stderr=subprocess.PIPE)
    finished = receipt_path(folder / output_name(short))
    assert wait_until(lambda: process.poll() is not None or finished.exists(), 120.0)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert {path.name for path in folder.iterdir()} == {output_name(short), finished.name}


def test_ctrl_c_of_a_terminal_while_the_processes_start_says_nothing(clip, tmp_path):
    sources = [write_video(tmp_path / name, clip[:3]) for name in ("one.mp4", "two.mp4")]
    command = [sys.executable, "-m", "dfer_ros.cli.main", "analyze", *map(str, sources), "--processes", "2"]
    options = {"stderr": subprocess.PIPE, "start_new_session": True}
    process = subprocess.Popen([*command, "--output-folder", str(tmp_path / "out")], **options)
    # The two, and the one of multiprocessing that tidies up.
    assert wait_until(lambda: len(psutil.Process(process.pid).children()) == 3)
    time.sleep(0.3)  # they are Python by now, and import what they need
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "Traceback" not in said


def test_an_interruption_between_two_results_ends_the_processes_at_once(clip, tmp_path, monkeypatch):
    sources = [write_video(tmp_path / "short.mp4", clip[:3]), write_video(tmp_path / "long.mp4", clip * 20)]

    def interrupt(result):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyze_many, "_arrived", interrupt)
    # What is caught here keeps all that was under way alive, as a frame of Python's own does at its end.
    with pytest.raises(KeyboardInterrupt) as caught:
        analyze_many.analyze_many([str(source) for source in sources], tmp_path / "out", AnalysisConfig(), 2, "")
    assert multiprocessing.active_children() == [], caught
    assert not list((tmp_path / "out").glob("*.part*"))


def is_running(process_id):
    """Return whether a process has not ended; one that nobody has asked how it ended has no command line."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process_id}/cmdline").read_bytes() != b""
    return False


def test_killed_it_takes_its_workers_along_and_the_next_run_finishes(clip, tmp_path):
    folder = tmp_path / "out"
    sources = [write_video(tmp_path / name, clip * 6) for name in ("one.mp4", "two.mp4")]
    command = [sys.executable, "-m", "dfer_ros.cli.main", "analyze", *map(str, sources), "--processes", "2"]
    process = subprocess.Popen([*command, "--output-folder", str(folder)], stderr=subprocess.DEVNULL)
    assert wait_until(lambda: process.poll() is not None or any(folder.glob("*.part*")), 120.0)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    assert wait_until(lambda: not any(map(is_running, workers)))
    assert not [path.name for path in folder.iterdir() if ".receipt." in path.name], "the workers went on"
    assert dfer("analyze", *sources, "--output-folder", folder, "--processes", 2) == 0
    outputs = [folder / output_name(source) for source in sources]
    receipts = [receipt_path(output) for output in outputs]
    assert {path.name for path in folder.iterdir()} == {path.name for path in [*outputs, *receipts]} | {SUMMARY_FILE}
    for output, receipt in zip(outputs, receipts):
        assert json.loads(receipt.read_text())["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()


def test_namesakes_have_other_outputs_and_each_has_the_same_in_every_run(tmp_path):
    names = [output_name(tmp_path / name) for name in ("a/talk.mp4", "b/talk.mp4", "a/talk.avi", "a/Talk.mp4")]
    assert len({name.lower() for name in names}) == 4
    assert output_name(tmp_path / "a/talk.mp4") == names[0]
    assert names[0].startswith("talk-")
    assert len(output_name(tmp_path / ("x" * 250))) < 100


def test_a_folder_that_another_run_writes_into_is_refused(recordings, tmp_path, capsys):
    opened = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        assert dfer("analyze", recordings, "--output-folder", tmp_path) == 1
    finally:
        os.close(opened)
    assert "Another `dfer analyze` writes into" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_worker_with_another_model_does_not_answer(recordings, single, tmp_path):
    source = next(iter(single))
    config = AnalysisConfig(detector=RecordingAnalyzer(AnalysisConfig()).config.detector)
    task = RecordingTask(source, tmp_path / "a.jsonl", source_identity(source), config, {"dfer": "9.9"})
    (result,) = analyze_in_processes([task], 1)
    assert "install the same everywhere" in result.problem
    assert list(tmp_path.iterdir()) == []


def test_the_receipt_says_what_the_output_was_made_of(recordings, single, done):
    recording = next(iter(single))
    content = json.loads(receipt_path(done / output_name(recording)).read_text())
    assert content["source"]["path"] == str(recording)
    assert (content["frames"], content["faces"]) == (FRAMES, FRAMES - 2)
    assert content["analysis"]["precision"] == "int8"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{one}", "{two}", "--output", "out.jsonl"), "Several recordings need --output-folder"),
        (("{one}", "--output", "."), "is a folder: name a file, or use --output-folder"),
        (("{one}", "--output", "out.jsonl", "--processes", "2"), "go with --output-folder"),
        (("{one}", "--output", "out.jsonl", "--ray", "local"), "go with --output-folder"),
        (("{one}", "--output-folder", "out", "--video", "out.mp4"), "--video goes with --output"),
        (("{one}", "--output-folder", "out", "--processes", "-1"), "--processes must be 1 or more"),
        (("{one}", "--output-folder", "out", "--frame-rate", "0"), "must be above 0"),
        (("{one}", "--output-folder", "/proc/out"), "The folder /proc/out cannot be used"),
        (("/nowhere/*.mp4", "--output-folder", "out"), "There is no recording in /nowhere/*.mp4"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_leaves_nothing(
    recordings, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    places = {"one": recordings / "monday" / "talk.mp4", "two": recordings / "tuesday" / "talk.mp4"}
    assert dfer("analyze", *(argument.format(**places) for argument in arguments)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_used_is_said_once(recordings, tmp_path, capsys):
    assert dfer("analyze", recordings, "--output-folder", tmp_path / "out", "--model", "/nowhere/model") == 1
    said = capsys.readouterr().err
    assert said.count("There is no model folder") == 1
    assert list((tmp_path / "out").iterdir()) == []
