"""Every command where something is missing, closed or full: a sentence or an answer, never a traceback or a crash."""

import os
import shlex
import shutil
import subprocess
import sys

import cv2
import pytest
from made_bags import write_clip
from unprivileged import UNPRIVILEGED

from dfer_ros.cli.main import COMMANDS
from dfer_ros.recordings.answer_file import answer_line

DFER = shlex.join([sys.executable, "-m", "dfer_ros.cli.main"])
WORK = {
    "analyze": "analyze face.png --output {new}.jsonl --video {new}.mp4",
    "compare": "compare answers.jsonl answers.jsonl --json {new}.json",
    "report": "report answers.jsonl --output {new}.html --csv {new}.csv",
    "longitudinal": "longitudinal sessions --output {new}.html",
    "study": "study answers.jsonl --output {new} --csv",
    "record": "record --repair bag --output {new}",
    "replay": "replay bag --wait 0 --rate 100",
    "watch": "watch --once --timeout 0.1",
    "micro": "micro face.png --output {new}.jsonl",
    "run": "run --source face.png --precision int8",
    "fetch": "fetch yunet --output {new}.onnx",
    "tune": "tune --encoder nowhere.onnx --output {new}.json",
    "bench": "bench encoder --model nowhere --output {new}.json",
    "demo": "demo --output {new}",
    "data": "data list",
    "train": "train nowhere.yaml",
    "compress": "compress --model nowhere --stills nowhere --output {new}",
    "export": "export --encoders nowhere --head nowhere --clips nowhere --output {new}",
    "evaluate": "evaluate --stills nowhere --output {new}",
}
"""What each command does here, or refuses."""
PLACES = {
    "no environment": "env -i {command}",
    "no home": "env -u HOME {command}",
    "home that cannot be written": "env HOME=$PWD/closed {unprivileged} {command}",
    "closed output": "{command} >&-",
    "everything closed": "{command} <&- >&- 2>&-",
    "reader that has gone": "{command} | true; exit ${{PIPESTATUS[0]}}",
    "reader of one line": "{command} | head -1; exit ${{PIPESTATUS[0]}}",
    "full output": "{command} >/dev/full",
    "another locale": "env LANG=C LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {command}",
    "full disk": "ulimit -f 1; {command}",
    "folder that cannot be written": "cd . ; {unprivileged} {command}",
    "long name": "{command}",
}
NEW = {"folder that cannot be written": "closed/new", "long name": "x" * 300}
CODES = {0, 1, 2, 3, 4, 130, 141}
LONG = ("demo",)
"""What Ctrl-C ends after a while."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clip):
    """What the commands read, and a folder that may not be written."""
    folder = tmp_path_factory.mktemp("hostile")
    cv2.imwrite(str(folder / "face.png"), clip[-1])
    write_clip(folder / "bag", clip[:3])
    lines = [answer_line(_answer(index)) for index in range(30)]
    (folder / "answers.jsonl").write_text("".join(lines))
    (folder / "sessions").mkdir()
    for day in (1, 2):
        shutil.copy(folder / "answers.jsonl", folder / "sessions" / f"2026-01-0{day}T10-00-00.jsonl")
    (folder / "closed").mkdir(mode=0o555)
    return folder


def _answer(index):
    probabilities = dict.fromkeys(("neutral", "sad", "angry", "surprised", "scared", "disgusted"), 0.1)
    answer = {"stamp": index / 30, "frame": index, "face_id": "anna", "roi": [10, 10, 90, 90], "expression": "happy"}
    answer |= {"confidence": 0.4, "probabilities": {**probabilities, "happy": 0.4}, "valence": 0.1, "arousal": 0.2}
    return answer | {"intensity": 0.3, "phase": "apex", "window_seconds": 1.0}


def test_every_command_is_tried():
    assert set(WORK) == set(COMMANDS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_a_command_ends_with_an_answer_or_a_sentence(folder, place, work):
    new = NEW.get(place, f"{work.split()[0]} {place}".replace(" ", "_"))
    command = f"{DFER} {work.format(new=new)}"
    if work.split()[0] in LONG:
        command = f"timeout --preserve-status --signal INT 15 {command}"
    line = PLACES[place].format(command=command, unprivileged=shlex.join(UNPRIVILEGED))
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=_environment(), capture_output=True, timeout=300)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode in CODES, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert done.returncode in (0, 141) or said.strip() or place in ("everything closed", "reader that has gone")


def _environment():
    return {name: value for name, value in os.environ.items() if name != "ROS_LOG_DIR"}
