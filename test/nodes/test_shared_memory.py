"""What a killed participant leaves in shared memory, with real participants."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dfer_ros.bench.faults.kills import shared_memory_of
from dfer_ros.ros.shared_memory import is_abandoned, remove_abandoned_segments
from dfer_ros.ros.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no /dev/shm")
PARTICIPANT = """
import time, rclpy
rclpy.init()
node = rclpy.create_node("participant")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def participant():
    """A process with a node, and the lock files of its segments, which look a minute old."""
    process = subprocess.Popen([sys.executable, "-c", PARTICIPANT], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    locks = {lock for lock in shared_memory_of(process.pid) if "port" not in lock.name}
    assert locks, "the participant has no shared memory: nothing would be tested"
    for lock in locks:
        _make_a_minute_old(lock)
    yield process, locks
    process.kill()
    process.wait()
    remove_abandoned_segments()


@pytest.fixture
def linked(participant):
    """The process, and its files once more in a folder where no node of another test, as it starts, removes them."""
    process, locks = participant
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        links = set()
        for lock in locks:
            segment = lock.with_name(lock.name.removesuffix("_el"))
            os.link(segment, Path(folder) / segment.name)
            os.link(lock, Path(folder) / lock.name)
            links.add(Path(folder) / lock.name)
        yield process, Path(folder), links


def _make_a_minute_old(lock):
    os.utime(lock, times=(lock.stat().st_mtime - 60, lock.stat().st_mtime - 60))


def test_the_segments_of_a_living_process_stay(linked):
    _, folder, locks = linked
    assert remove_abandoned_segments(folder) == 0
    assert all(lock.exists() for lock in locks)
    assert not any(is_abandoned(lock) for lock in locks)


def test_the_segments_of_a_killed_process_are_removed(linked):
    process, folder, locks = linked
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert all(is_abandoned(lock) for lock in locks)
    assert remove_abandoned_segments(folder) == len(locks)
    assert not list(folder.iterdir())


def test_a_lock_that_is_just_made_counts_as_owned(linked):
    """Between the making of the file and its locking, its owner must not lose it."""
    process, folder, locks = linked
    process.kill()
    process.wait()
    for lock in locks:
        lock.touch()
    assert not any(is_abandoned(lock) for lock in locks)
    assert remove_abandoned_segments(folder) == 0


def test_a_lock_that_is_gone_is_not_abandoned(tmp_path):
    assert not is_abandoned(tmp_path / "fastdds_0123456789abcdef_el")


def test_a_node_that_starts_removes_what_a_killed_one_left(participant, nodes):
    process, locks = participant
    process.kill()
    process.wait()
    nodes.start("face_detector_node")
    assert wait_until(lambda: not any(lock.exists() for lock in locks))
    # The node of another test may have done it: this one is ended as a node that runs, not as one that still loads.
    assert wait_until(lambda: nodes.logs["face_detector_node"])
