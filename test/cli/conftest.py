"""What the tests of the command share."""

import signal

import pytest
from dfer_command import dfer

from dfer_ros.recordings.video_output import VideoOutput


@pytest.fixture(autouse=True)
def _signals():
    """Give pytest its handlers back after a command that ran in its process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before):
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def analyzed(clip, tmp_path_factory):
    """A video of a real face, and what `dfer analyze` says about it."""
    folder = tmp_path_factory.mktemp("analyzed")
    with VideoOutput(folder / "clip.mp4", 30.0) as output:
        for frame in clip:
            output.write(frame)
    assert dfer("analyze", folder / "clip.mp4", "--output", folder / "clip.jsonl") == 0
    return folder / "clip.mp4", folder / "clip.jsonl"
