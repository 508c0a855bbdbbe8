"""The bench of stages: every step of both nodes counted once, with the real parts."""

import time

import pytest
from rich.console import Console

from dfer_ros.bench.stages import ALL, FACES, STAGES, StageClock, measure_stages
from dfer_ros.core.tracker import Tracker

FRAMES = 24


@pytest.fixture(scope="module")
def results():
    return measure_stages("mobilenet_v1", Console(quiet=True), FRAMES)


def test_every_stage_is_told_and_together_they_are_the_whole(results):
    assert [(result.faces, result.stage) for result in results] == [
        (faces, stage) for faces in FACES for stage in (*STAGES, ALL)
    ]
    for faces in FACES:
        *stages, whole = [result for result in results if result.faces == faces]
        parts = [stage.ms_per_image for stage in stages if "two processes" not in stage.stage]
        assert min(parts) > 0
        assert whole.ms_per_image == pytest.approx(sum(parts))


def test_few_faces_are_followed_many_are_looked_for_and_all_are_read_in_every_image(results):
    share = {(result.faces, result.stage): result.share for result in results}
    assert [share[faces, "look at the whole image"] for faces in FACES] == [0.25, 1.0]
    for faces in FACES:
        assert share[faces, "encoder"] == share[faces, "head"] == share[faces, ALL] == 1.0


def test_what_a_stage_calls_of_another_is_not_its_own():
    class Busy:
        def work(self):
            end = time.process_time() + 0.02
            while time.process_time() < end:
                pass

    clock = StageClock()
    clock.images.append({})
    with clock.watching(Busy, "work", "inner"), clock.stage("outer"):
        Busy().work()
        Busy().work()
    Busy().work()
    (times,) = clock.images
    assert times["inner"] >= 0.04
    assert 0 <= times["outer"] < times["inner"]


def test_nothing_is_watched_afterwards(results):
    assert Tracker.update.__qualname__ == "Tracker.update"
