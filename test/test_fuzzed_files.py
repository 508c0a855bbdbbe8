"""Whatever is wrong with a file: dfer reads what is there, says in a sentence what is not, and ends in good time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
COUNTS = {
    "videos": 600,
    "pictures": 300,
    "bags": 300,
    "answers": 200,
    "labels": 200,
    "models": 150,
    "trainings": 150,
    "parameters": 150,
}
MOST_MEGABYTES = 2500


def test_there_are_two_thousand():
    assert sum(COUNTS.values()) >= 2000


@pytest.mark.parametrize("kind", COUNTS)
def test_damaged_files_are_read_or_refused_in_a_sentence(tmp_path, kind):
    command = [sys.executable, str(Path(__file__).with_name("fuzzed_files.py")), kind, "0", str(COUNTS[kind])]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, f"{lines[-1:]}\n{done.stderr[-3000:]}"
    results = [line for line in lines if "read" in line or "refused" in line]
    assert len(results) == COUNTS[kind]
    assert {"read" in line for line in results} == {True, False}, "all or none were read: the damage is none"
    assert lines[-1]["megabytes"] < MOST_MEGABYTES
    assert "Traceback" not in done.stderr
