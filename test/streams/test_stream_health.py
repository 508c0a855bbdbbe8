from dataclasses import replace

import pytest

from dfer_ros.streams.health import Health, HealthLimits, Level, judge, merge
from dfer_ros.streams.statistics import DropReason, StreamSnapshot

LIMITS = HealthLimits()
GOOD = StreamSnapshot(
    received=900,
    processed=900,
    dropped=dict.fromkeys(DropReason, 0),
    recent_received=149,
    recent_repeated=0,
    recent_processed=149,
    recent_dropped=dict.fromkeys(DropReason, 0),
    input_rate=29.8,
    output_rate=29.8,
    latency_p50=0.0061,
    latency_p95=0.009,
    faces=1,
    input_age=0.02,
)
HINT = "is the camera running?"


def health(silent=0.02, limits=LIMITS, **changes):
    return judge(replace(GOOD, **changes), limits, silent, HINT)


def losing(reason, lost, processed):
    return health(recent_dropped={**GOOD.recent_dropped, reason: lost}, recent_processed=processed)


def test_a_good_stream_is_summed_up_in_one_line():
    assert health() == Health(Level.OK, "29.8 Hz, 6.1 ms, 1 face")


@pytest.mark.parametrize(("faces", "text"), [(0, "0 faces"), (1, "1 face"), (8, "8 faces")])
def test_faces_are_counted_as_one_speaks(faces, text):
    assert health(faces=faces).message.endswith(f", {text}")


def test_before_the_first_frame_it_waits():
    first = health(received=0, processed=0, latency_p50=None, latency_p95=None, faces=None, input_age=None)
    assert first == Health(Level.OK, "Waiting for the first frame.")


def test_where_the_rate_asked_for_is_very_low_nothing_is_wrong():
    slow = health(recent_processed=0, output_rate=0.0, latency_p50=None, latency_p95=None, faces=None)
    assert slow == Health(Level.OK, "Nothing processed in the last 5 s.")


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.99, Level.OK), (1.1, Level.WARN), (4.9, Level.WARN), (5.1, Level.ERROR)]
)
def test_a_silence_is_named_after_a_second_and_an_error_after_five(seconds, level):
    found = health(silent=seconds)
    assert found.level is level
    assert (found.message == f"No frame for {seconds:.1f} s: {HINT}") == (level is not Level.OK)


def test_a_camera_that_never_sent_is_told_from_one_that_stopped():
    assert health(silent=42.0, input_age=None).message == f"No frame yet for 42 s: {HINT}"


def test_in_a_silence_nothing_else_is_said():
    found = health(silent=1.5, latency_p50=3.0, latency_p95=4.0)
    assert found == Health(Level.WARN, f"No frame for 1.5 s: {HINT}")


@pytest.mark.parametrize(
    ("latency", "level"), [(0.19, Level.OK), (0.21, Level.WARN), (0.99, Level.WARN), (1.2, Level.ERROR)]
)
def test_a_high_latency_is_named_with_its_limit(latency, level):
    found = health(latency_p50=latency / 2, latency_p95=latency)
    assert found.level is level
    if level is not Level.OK:
        limit = 1000 if level is Level.ERROR else 200
        assert f"{1e3 * latency:.0f} ms after the image (p95), more than {limit} ms" in found.message


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (-0.3, "0.3 s in the future"),
        (-4.0, "4.0 s in the future"),
        (-7200.0, "2 h in the future"),
        (75.0, "75 s in the past"),
        (600.0, "10 min in the past"),
        (1.7e9, "472222 h in the past"),
    ],
)
def test_an_impossible_latency_is_a_clock_and_not_a_latency(offset, text):
    found = health(latency_p50=offset, latency_p95=offset + 0.001)
    assert found.level is Level.WARN
    assert text in found.message
    assert "clock is not synchronised" in found.message
    assert "after the image" not in found.message


@pytest.mark.parametrize("offset", [-0.04, -0.001])
def test_clocks_that_differ_by_milliseconds_are_let_pass(offset):
    assert health(latency_p50=offset, latency_p95=offset).level is Level.OK


@pytest.mark.parametrize(
    ("lost", "processed", "level"),
    [(10, 90, Level.OK), (30, 70, Level.WARN), (85, 15, Level.WARN), (95, 5, Level.ERROR), (3, 0, Level.ERROR)],
)
def test_the_share_of_dropped_frames_makes_the_level(lost, processed, level):
    found = losing(DropReason.REPLACED, lost, processed)
    assert found.level is level
    assert found.message.startswith(f"{lost / (lost + processed):.0%}".replace("%", " %")) == (level is not Level.OK)


def test_two_lost_frames_are_no_share():
    assert losing(DropReason.REPLACED, 2, 0).level is Level.OK


@pytest.mark.parametrize("reason", [reason for reason in DropReason if not reason.intended])
def test_every_loss_has_a_cause_of_its_own(reason):
    messages = {losing(other, 50, 50).message for other in DropReason if other is not reason}
    assert losing(reason, 50, 50).message not in messages


@pytest.mark.parametrize("reason", [reason for reason in DropReason if reason.intended])
def test_what_was_asked_for_is_no_loss(reason):
    assert losing(reason, 1000, 1) == health()


def test_of_several_reasons_the_most_frequent_is_named():
    dropped = {**GOOD.recent_dropped, DropReason.REPLACED: 20, DropReason.UNUSABLE: 40, DropReason.FRAME_RATE: 500}
    assert "cannot be read" in health(recent_dropped=dropped).message


def test_several_findings_are_all_told_and_the_worst_first():
    dropped = {**GOOD.recent_dropped, DropReason.WAITED: 5000}
    found = health(recent_dropped=dropped, latency_p50=0.2, latency_p95=0.5)
    assert found.level is Level.ERROR
    assert found.message.index("are dropped") < found.message.index("after the image")
    assert found == merge([health(recent_dropped=dropped), health(latency_p50=0.2, latency_p95=0.5)])


def test_limits_can_be_set_and_a_share_of_one_is_never_exceeded():
    limits = HealthLimits(0.001, 0.002, 1.0, 1.0, 10.0, 20.0)
    lost = {**GOOD.recent_dropped, DropReason.REPLACED: 100}
    assert health(limits=limits).level is Level.ERROR
    assert health(limits=replace(limits, latency_error_seconds=1.0)).level is Level.WARN
    assert health(limits=replace(LIMITS, drop_warn_share=1.0, drop_error_share=1.0), recent_dropped=lost) == health()
    assert health(limits=replace(LIMITS, stale_warn_seconds=10.0, stale_error_seconds=20.0), silent=9.0) == health()


@pytest.mark.parametrize(
    ("repeated", "sentence"),
    [
        (149, "The stamps of the images stand still: 149 of 149 have that of the image before"),
        (144, "The stamps of the images repeat: 144 of 149 have that of the image before"),
    ],
)
def test_stamps_that_repeat_are_named_as_the_cause(repeated, sentence):
    found = health(recent_repeated=repeated)
    assert found.level is Level.WARN
    assert found.message == f"{sentence}, and count as taken when they came; look at the camera driver."


def test_two_stamps_that_repeat_are_no_cause():
    assert health(recent_repeated=2).level is Level.OK
