import itertools
import threading

import pytest

from dfer_ros.bags.prefetch import Prefetch

MEGABYTE = 2**20


def items(count, size=10):
    return ((index, index, bytes(size)) for index in range(count))


def test_everything_comes_in_order():
    assert list(Prefetch(items(1000))) == list(items(1000))


def test_it_is_read_ahead_up_to_a_limit():
    read = []

    def source():
        for item in items(100, MEGABYTE):
            read.append(item[0])
            yield item

    prefetch = Prefetch(source())
    prefetch.fill(20.0)
    assert 64 <= len(read) <= 65
    for _, _ in zip(range(30), prefetch):
        pass
    assert len(read) <= 65, "it was read while nobody rested"
    prefetch.rest()
    prefetch.fill(20.0)
    assert 94 <= len(read) <= 96
    prefetch.close()


def test_without_rest_it_is_read_all_the_same_when_little_is_left():
    assert sum(len(data) for _, _, data in Prefetch(items(300, MEGABYTE))) == 300 * MEGABYTE


def test_fill_ends_with_the_source_and_with_its_time():
    prefetch = Prefetch(items(3))
    prefetch.fill(20.0)
    assert list(prefetch) == list(items(3))
    hold = threading.Event()
    slow = Prefetch(item for item in items(1) if hold.wait())
    slow.fill(0.05)
    hold.set()
    assert len(list(slow)) == 1


def test_an_error_comes_out_at_its_place():
    def source():
        yield from items(3)
        raise ValueError("damaged")

    prefetch = iter(Prefetch(source()))
    assert [next(prefetch)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="damaged"):
        next(prefetch)


def test_closing_ends_the_thread_of_an_endless_source():
    threads = threading.active_count()
    prefetch = Prefetch((index, index, bytes(MEGABYTE)) for index in itertools.count())
    assert next(iter(prefetch))[0] == 0
    prefetch.close()
    assert threading.active_count() == threads
