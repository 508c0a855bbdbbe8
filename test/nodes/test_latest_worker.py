"""The thread beside the executor."""

import threading

from waiting import wait_until

from dfer_ros.nodes.latest_worker import LatestWorker


def test_items_that_wait_are_replaced_by_newer_ones():
    started, free, done = threading.Event(), threading.Event(), []

    def handle(item):
        started.set()
        free.wait(5.0)
        done.append(item)

    worker = LatestWorker(handle, lambda error: None)
    worker.put(0)
    assert started.wait(2.0)
    for item in range(1, 6):
        worker.put(item)
    free.set()
    assert wait_until(lambda: len(done) == 2, 2.0)
    worker.close()
    assert done == [0, 5]
    assert worker.replaced == 4


def test_an_error_is_passed_on_and_the_next_item_is_handled():
    errors, done = [], []

    def handle(item):
        if item == "bad":
            raise ValueError(item)
        done.append(item)

    worker = LatestWorker(handle, errors.append)
    worker.put("bad")
    assert wait_until(lambda: errors, 2.0)
    worker.put("good")
    assert wait_until(lambda: done, 2.0)
    worker.close()
    assert [str(error) for error in errors] == ["bad"]
    assert done == ["good"]


def test_close_ends_the_thread_and_drops_what_waits():
    started, free, done = threading.Event(), threading.Event(), []

    def handle(item):
        started.set()
        free.wait(5.0)
        done.append(item)

    worker = LatestWorker(handle, lambda error: None)
    worker.put("first")
    assert started.wait(2.0)
    worker.put("second")
    threading.Timer(0.1, free.set).start()
    worker.close()
    assert done == ["first"]
