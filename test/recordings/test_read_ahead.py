import itertools
import threading

import pytest

from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.analysis import read_ahead


@pytest.mark.parametrize("most", [0, 1, 2, 10])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_same_items_come_in_the_same_order(most, count):
    assert list(read_ahead(iter(range(count)), most)) == list(range(count))


def test_items_are_made_in_one_thread_beside():
    threads = set(read_ahead((threading.get_ident() for _ in range(5)), 2))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_without_anything_ahead_there_is_no_thread():
    assert set(read_ahead((threading.get_ident() for _ in range(5)), 0)) == {threading.get_ident()}


def test_no_more_items_are_made_than_asked_for():
    made = []

    def items():
        for number in itertools.count():
            made.append(number)
            yield number

    ahead = read_ahead(items(), 3)
    taken = list(itertools.islice(ahead, 4))
    ahead.close()
    assert taken == [0, 1, 2, 3]
    assert 4 <= len(made) <= 7


def test_an_error_comes_in_its_turn():
    def items():
        yield 1
        yield 2
        raise SourceError("It ended.")

    ahead = read_ahead(items(), 4)
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(SourceError, match="It ended"):
        next(ahead)


def test_the_thread_ends_when_the_reader_goes():
    before = threading.active_count()
    ahead = read_ahead(itertools.count(), 2)
    next(ahead)
    ahead.close()
    assert threading.active_count() == before
