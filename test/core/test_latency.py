import subprocess
import sys

import pytest

from dfer_ros.core import latency
from dfer_ros.core.latency import BLOCKS, median_milliseconds, median_seconds


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the timed calls move, so that no busy machine breaks a test."""
    now = [0.0]
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])

    def taking(*seconds):
        """Return a call that takes these times in turn."""
        calls = []

        def call():
            now[0] += seconds[len(calls) % len(seconds)]
            calls.append(now[0])

        return call, calls

    return taking


def test_one_outlier_does_not_move_the_median(clock):
    call, calls = clock(2.0, 2.0, 90.0, 2.0, 2.0)
    assert median_seconds(call, 5) == pytest.approx(2.0)
    assert len(calls) == 5


def test_candidates_take_turns_and_the_first_calls_of_a_block_do_not_count(clock):
    # Every block begins with five slow calls.
    fast, fast_calls = clock(*[1.0] * 5, *[0.001] * 25)
    slow, slow_calls = clock(*[1.0] * 5, *[0.003] * 25)
    assert median_milliseconds({"fast": fast, "slow": slow}) == pytest.approx({"fast": 1.0, "slow": 3.0})
    assert len(fast_calls) == len(slow_calls) == 30 * len(BLOCKS)
    assert fast_calls[29] < slow_calls[0] < slow_calls[29] < fast_calls[30]


def test_progress_is_shown_by_whoever_gives_the_blocks(clock):
    call, calls = clock(1.0)
    shown = []
    median_milliseconds({"one": call}, (shown.append(block) or block for block in range(2)))
    assert shown == [0, 1] and len(calls) == 60


def test_the_bench_of_the_encoder_needs_nothing_of_training():
    code = "import sys, dfer_ros.bench.encoder; sys.exit(any(m.startswith('dfer_ros.training') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
