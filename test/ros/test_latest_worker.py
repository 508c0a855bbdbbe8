"""The thread beside the executor."""

import threading

import pytest

from dfer_ros.ros.latest_worker import LatestWorker
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def busy():
    """A worker whose first job waits for `free`, with the list of what the jobs did."""
    started, free, done = threading.Event(), threading.Event(), []
    worker = LatestWorker(lambda error: None)

    def first():
        started.set()
        free.wait(60.0)
        done.append("first")

    worker.put(first, "")
    assert started.wait(60.0)
    yield worker, free, done
    worker.close()


def test_jobs_that_wait_are_replaced_by_newer_ones(busy):
    worker, free, done = busy
    assert [worker.put(lambda item=item: done.append(item), "") for item in range(5)] == [False, True, True, True, True]
    free.set()
    assert wait_until(lambda: len(done) == 2)
    assert done == ["first", 4]


def test_every_stream_keeps_its_newest_job_and_its_turn(busy):
    worker, free, done = busy
    for job in range(3):
        for stream in ("left", "right"):
            worker.put(lambda what=f"{stream}{job}": done.append(what), stream)
    free.set()
    assert wait_until(lambda: len(done) == 3)
    assert done == ["first", "left2", "right2"]


def test_all_that_wait_are_begun_before_the_first_is_ended(busy):
    worker, free, done = busy

    def job(stream):
        def begin():
            done.append(f"{stream} begins")
            return lambda: done.append(f"{stream} ends")

        return begin

    for stream in ("left", "right"):
        worker.put(job(stream), stream)
    free.set()
    assert wait_until(lambda: len(done) == 5)
    assert done == ["first", "left begins", "right begins", "left ends", "right ends"]


def test_an_error_is_passed_on_and_the_next_job_is_done():
    errors, done = [], []

    def fail():
        raise ValueError("bad")

    worker = LatestWorker(errors.append)
    worker.put(fail, "")
    assert wait_until(lambda: errors)
    worker.put(lambda: done.append("good"), "")
    assert wait_until(lambda: done)
    worker.close()
    assert [str(error) for error in errors] == ["bad"]


def test_close_ends_the_thread_and_drops_what_waits(busy):
    worker, free, done = busy
    worker.put(lambda: done.append("second"), "left")
    threading.Thread(target=lambda: wait_until(lambda: worker._closing) and free.set()).start()
    assert worker.close() == ["left"]
    assert done == ["first"]


def test_a_job_that_comes_after_the_end_is_told_to_be_dropped():
    """In one process faces come from another thread, also while their listener is paused."""
    worker = LatestWorker(lambda _: None)
    assert worker.close() == []
    assert worker.put(lambda: None, "faces")
