"""`dfer data prepare` that was stopped: no set is left, and the next run goes on from there."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
from made_data_sets import write
from prepared_folders import content

from dfer_ros.training.data.preparation import prepare
from dfer_ros.training.data.prepared_set import open_prepared_set
from dfer_ros.training.data.registry import DATASETS

PROGRAM = """
import sys
from dfer_ros.cli import main
main.COMMANDS.setdefault("data", "prepare data sets")
main.main(["data", *sys.argv[1:]])
"""


def start(*arguments, file_limit=None):
    def limit():
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    command = [sys.executable, "-c", PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=limit)


def test_a_killed_run_leaves_no_set_and_the_next_goes_on(made, prepare_set, detector_arguments, tmp_path):
    root, _ = made("ferv39k")
    clips = root / "2_ClipsforFaceCrop"
    write(root / "4_setups/All_scenes/test_All.csv", "Crime/Sad/0001 Sad\nCrime/Sad/0002 Sad\nCrime/Sad/0003 Sad\n")
    for name in ("0001", "0002", "0003"):
        shutil.copytree(clips / "Action/Happy/0010", clips / "Crime/Sad" / name)
    # A frame that nobody writes: the run waits for it in the midst of the fourth clip.
    pipe = clips / "Crime/Sad/0002/00003.jpg"
    image = pipe.read_bytes()
    pipe.unlink()
    os.mkfifo(pipe)
    output = tmp_path / "killed"
    process = start("prepare", "ferv39k", "--root", root, "--output", output, *detector_arguments)
    while not (output / "journal.jsonl").exists() or (output / "journal.jsonl").read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (output / "index.csv").exists()
    assert not (output / "Crime/Sad/0002").exists()
    first = (output / "Action/Happy/0010/00000.jpg").stat().st_mtime_ns
    pipe.unlink()
    pipe.write_bytes(image)
    prepare_set("ferv39k", root, output=output)
    whole, _, _ = prepare_set("ferv39k", root, output=tmp_path / "whole")
    assert content(output) == content(whole)
    assert (output / "Action/Happy/0010/00000.jpg").stat().st_mtime_ns == first


class Stop(Exception):
    """What ends a run in a test."""


def test_a_run_that_ended_anywhere_is_gone_on_with(made, tmp_path):
    root, _ = made("affectnet7")
    recordings = DATASETS["affectnet7"].recordings(root)
    settings = {"data set": "affectnet7", "fold": None, "detector": "auto"}

    def run(output, stop_at=None):
        def progress(done):
            if done == stop_at:
                raise Stop

        return prepare(recordings, output, settings, pytest.fail, progress)

    run(tmp_path / "whole")
    whole = content(tmp_path / "whole")
    for stop_at in (0, 1, 7, len(recordings)):
        output = tmp_path / f"stopped_{stop_at}"
        with pytest.raises(Stop):
            run(output, stop_at)
        assert not (output / "index.csv").exists()
        journal = output / "journal.jsonl"
        if stop_at:
            # Half a line, and a crop that was not written to the end before the power went.
            journal.write_bytes(journal.read_bytes()[:-9])
            (output / recordings[0].name).write_bytes(b"")
        run(output)
        assert content(output) == whole


def test_ctrl_c_is_answered_with_how_to_go_on(made, dfer_data, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    root, _ = made("ck48")
    monkeypatch.setattr("dfer_ros.training.data.preparation._prepare_one", interrupt)
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "prepared")
    assert code == 130
    assert "the same command goes on from there" in said


def test_other_settings_do_not_go_on_with_it(made, tmp_path, dfer_data):
    root, _ = made("ck48")
    write(
        tmp_path / "begun" / "journal.jsonl", json.dumps({"data set": "kdef", "fold": None, "detector": "auto"}) + "\n"
    )
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert code == 1
    assert "begun was begun with data set kdef, not ck48: go on as it was begun, or choose another --output." in said
    begun = {"data set": "ck48", "fold": None, "detector": "auto", "root": "/elsewhere", "skip missing": False}
    write(tmp_path / "begun" / "journal.jsonl", json.dumps(begun) + "\n")
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert (code, f"was begun with root /elsewhere, not {root}: go on" in said) == (1, True)
    write(tmp_path / "begun" / "journal.jsonl", "nonsense\n")
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "begun")
    assert (code, "journal.jsonl is damaged" in said) == (1, True)


def test_a_full_disk_is_one_sentence_and_nothing_half_written(made, dfer_data, tmp_path):
    root, expected = made("affectnet7", stills=12)
    sizes = {name: (root / name).stat().st_size for name in expected}
    output = tmp_path / "prepared"
    # A limit on the size of files is what an ordinary user has that stops a write half way.
    process = start("prepare", "affectnet7", "--root", root, "--output", output, file_limit=min(sizes.values()) - 1)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    assert "cannot be written (File too large): make room" in said.replace("\n", " ")
    assert list(content(output)) == ["journal.jsonl"]
    # With room for a crop but not for the journal of all of them.
    process = start("prepare", "affectnet7", "--root", root, "--output", output, file_limit=max(sizes.values()) + 1)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert "cannot be written (No space left on device): make room" in said.replace("\n", " ")
    assert not (output / "index.csv").exists()
    assert content(output)["journal.jsonl"].endswith(b"\n")
    code, _ = dfer_data("prepare", "affectnet7", "--root", root, "--output", output)
    assert code == 0
    assert len(open_prepared_set(output).samples) == len(expected)
