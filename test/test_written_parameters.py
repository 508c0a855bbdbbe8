"""What `make parameters` writes is what the code says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
WRITTEN = [
    *(f"config/{node}.yaml" for node in ("face_detector_node", "dfer_node", "overlay_node", "video_source_node")),
    "config/shipped.sha256",
    "launch/parameter_arguments.yaml",
    "README.md",
    "docs/diagnostics.md",
    "docs/behavior.md",
]


def write_parameters(*arguments):
    """Run the script behind `make parameters`."""
    command = [sys.executable, CHECKOUT / "resource" / "write_parameters.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def copy(tmp_path):
    """A copy of all that is written."""
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def test_what_is_written_from_the_parameters_is_not_stale():
    done = write_parameters("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_every_stale_file_is_named_and_written_anew(copy):
    for name in WRITTEN:
        text = (copy / name).read_text(encoding="utf-8")
        stale = re.sub(r"(/diagnostics says WARN|Transport of the input|Video file|What is said|One of)", "Stale", text)
        stale = stale.replace("yunet", "younet").replace("  dfer_node", " dfer_node")
        assert stale != text
        (copy / name).write_text(stale, encoding="utf-8")
    checked = write_parameters("--check", copy)
    assert checked.returncode == 1
    assert sorted(checked.stderr.splitlines()) == sorted(
        f"{copy / name} is stale: run 'make parameters'." for name in WRITTEN
    )
    assert write_parameters(copy).returncode == 0
    # Outside of the tables the documents are a person's.
    ours = [name for name in WRITTEN if name != "README.md"]
    assert [name for name in ours if (copy / name).read_bytes() != (CHECKOUT / name).read_bytes()] == []
    assert "younet" in (copy / "README.md").read_text(encoding="utf-8")
    assert write_parameters("--check", copy).returncode == 0


def test_a_document_without_its_markers_is_refused(copy):
    (copy / "docs" / "behavior.md").write_text("Nothing.\n", encoding="utf-8")
    done = write_parameters(copy)
    assert done.returncode == 1
    assert "behavior.md must have the line '<!-- parameters: greet_node -->'" in done.stderr
    assert "Traceback" not in done.stderr
