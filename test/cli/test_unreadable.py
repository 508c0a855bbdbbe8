"""Bags and folders that may not be read, as those that root recorded in a container: a sentence; the rest goes on."""

import subprocess
import sys

import pytest
from made_bags import write_clip
from unprivileged import UNPRIVILEGED

from dfer_ros.recordings.answer_file import output_name


def dfer(*arguments):
    """Return what `dfer ARGUMENTS` ended with and said, run by somebody who may not read everything."""
    command = [*UNPRIVILEGED, sys.executable, "-m", "dfer_ros.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def bag(clip, tmp_path):
    return write_clip(tmp_path / "bag", clip[:6])


ANALYZE = ("analyze", "{bag}", "--output", "{new}.jsonl")
REPLAY = ("replay", "{bag}")
REPORT = ("report", "{bag}", "-o", "{new}.html")
REPAIR = ("record", "--repair", "{bag}", "-o", "{new}")


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [
        *((arguments, name) for arguments in (ANALYZE, REPLAY, REPORT, REPAIR) for name in (".", "bag.mcap")),
        *((arguments, "metadata.yaml") for arguments in (ANALYZE, REPLAY, REPORT)),  # a repair needs none
    ],
)
def test_a_bag_that_may_not_be_read_is_said_in_a_sentence(bag, tmp_path, arguments, closed):
    (bag / closed).chmod(0)
    done = dfer(*(argument.format(bag=bag, new=tmp_path / "new") for argument in arguments))
    assert done.returncode == 1
    assert f"{bag / closed}" in done.stderr
    assert "cannot be read (Permission denied): get the right to, with chmod or chown." in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [bag]


def test_one_folder_that_may_not_be_read_stops_no_other_recording(bag, clip, tmp_path):
    closed, out = tmp_path / "closed", tmp_path.parent / f"{tmp_path.name}_out"
    write_clip(closed, clip[:3]).chmod(0)
    done = dfer("analyze", tmp_path, "--output-folder", out)
    assert done.returncode == 1
    assert "2 recordings: 1 analyzed, 1 failed" in done.stdout
    assert (out / output_name(bag)).exists()
    (line,) = (line for line in (out / "recordings.csv").read_text().splitlines() if line.startswith(f"{closed},"))
    assert "cannot be read (Permission denied)" in line
