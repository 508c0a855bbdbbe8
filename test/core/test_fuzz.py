"""Whatever finite input comes: core never raises, never answers with what is not a number, and keeps its ranges."""

import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as npst

from dfer_ros.core.alignment import align_face, alignment_transform
from dfer_ros.core.decision import DecisionConfig, calibrated_probabilities, decide
from dfer_ros.core.emotion import PHASES
from dfer_ros.core.faces import Detection, SeenFace
from dfer_ros.core.labels import EXPRESSIONS, LABELS, UNKNOWN
from dfer_ros.core.quality import face_quality, pose_score, sharpness_score, size_score
from dfer_ros.core.tracker import Tracker, TrackerConfig, diou
from dfer_ros.core.window import FrameWindow, WindowConfig
from dfer_ros.streams.stamps import CLOCK_TOLERANCE, FrameOrder, RateLimiter, StampOrder, usable_stamp

# The same examples in every run: a test that fails now and then helps nobody. What a longer run finds becomes a test.
FUZZ = settings(derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MANY, SOME, FEW = (settings(FUZZ, max_examples=count) for count in (300, 100, 40))

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
PIXELS = st.one_of(st.floats(-50, 700, width=32), st.sampled_from([0.0, 1.0, -1.0, 320.0, 2.0**30, -(2.0**30)]), FINITE)
SHARES = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
CROPS = st.one_of(
    st.integers(0, 255).map(lambda value: np.full((128, 128, 3), value, np.uint8)),
    st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (128, 128, 3), np.uint8)),
    st.integers(1, 128).map(lambda step: (np.indices((128, 128, 3)).sum(axis=0) // step % 2 * 255).astype(np.uint8)),
)


def float32_array(shape, elements=PIXELS):
    return npst.arrays(np.float32, shape, elements=elements)


BOXES = float32_array(4)
LANDMARKS = st.one_of(
    float32_array((4, 2)),
    # On one point, and on one line.
    float32_array(2).map(lambda point: np.tile(point, (4, 1))),
    st.tuples(*[float32_array(2, st.floats(-1000, 1000, width=32))] * 2).map(
        lambda line: (line[0] + np.outer(np.arange(4), line[1])).astype(np.float32)
    ),
)
DETECTIONS = st.builds(Detection, BOXES, LANDMARKS, SHARES)
STEPS = st.one_of(st.sampled_from([0.0, 1e-9, 1 / 30, 0.5, 2.0, 1e6]), st.floats(0, 10))


@st.composite
def rising_stamps(draw, least=1, most=12):
    start = draw(st.sampled_from([0.0, 1.7e9, 1e-9]))
    return start + np.cumsum(draw(st.lists(STEPS, min_size=least, max_size=most)))


@MANY
@given(LANDMARKS, st.integers(1, 256))
def test_every_landmarks_have_a_finite_transform(landmarks, size):
    transform = alignment_transform(landmarks, size)
    assert transform.shape == (2, 3)
    assert np.isfinite(transform).all()


@MANY
@given(LANDMARKS, st.tuples(st.integers(1, 90), st.integers(1, 90)), st.integers(0, 255))
def test_every_landmarks_in_every_image_give_a_crop(landmarks, shape, value):
    crop = align_face(np.full((*shape, 3), value, np.uint8), landmarks)
    assert crop.shape == (128, 128, 3)
    assert crop.dtype == np.uint8
    assert crop.max() <= value


@MANY
@given(DETECTIONS, CROPS)
def test_every_face_has_a_quality(detection, crop):
    parts = (size_score(detection.landmarks), pose_score(detection.landmarks), sharpness_score(crop))
    assert all(0.0 <= value <= 1.0 for value in (*parts, face_quality(detection, crop)))


@MANY
@given(npst.arrays(np.float32, (3, 4), elements=PIXELS), npst.arrays(np.float32, (2, 4), elements=PIXELS))
def test_every_boxes_have_a_distance(first, second):
    assert np.isfinite(diou(first, second)).all()


@SOME
@given(rising_stamps(), st.data(), st.integers(1, 4), st.floats(0, 60))
def test_the_tracker_gives_every_face_of_a_frame_an_id_of_its_own(stamps, data, confirm_frames, lost_seconds):
    tracker = Tracker(TrackerConfig(confirm_frames, lost_seconds))
    for stamp in stamps:
        detections = data.draw(st.lists(DETECTIONS, max_size=6))
        answers = tracker.update(detections, float(stamp))
        ids = [face_id for face_id, _ in answers]
        assert len(set(ids)) == len(ids) <= len(detections)
        assert all(face_id[0] in string.ascii_letters for face_id in ids)
        assert all(any(found is given_one for given_one in detections) for _, found in answers)


@SOME
@given(rising_stamps(most=40), st.integers(1, 8), st.floats(0.01, 60), st.data())
def test_a_window_stays_within_its_limits(stamps, frames, seconds, data):
    window = FrameWindow(WindowConfig(seconds, frames), 3)
    for stamp in stamps:
        window.add(float(stamp), np.full(3, stamp, np.float32), data.draw(SHARES))
        embeddings, ages, mask = np.full((frames, 3), np.nan), np.full(frames, np.nan), np.full(frames, np.nan)
        window.write_to(embeddings, ages, mask)
        there = slice(0, len(window))
        assert 1 <= len(window) <= frames
        assert window.newest == stamp
        assert 0.0 <= window.seconds <= seconds + 1e-3
        assert 0.0 <= window.best_quality <= 1.0
        assert np.isfinite(embeddings[there]).all()
        assert ((ages[there] >= 0) & (ages[there] <= seconds + 1e-3)).all()
        assert ((mask[there] > 0) & (mask[there] <= 1)).all()


@MANY
@given(float32_array((3, 7), FINITE), st.floats(1e-3, 1e3))
def test_every_logits_become_probabilities(logits, temperature):
    probabilities = calibrated_probabilities(logits, temperature)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@SOME
@given(st.lists(float32_array((1, 7), st.floats(-20, 20, width=32)), max_size=10), SHARES, SHARES)
def test_a_named_class_always_reaches_the_threshold(rows, threshold, hysteresis):
    named = None
    for logits in rows:
        probabilities = calibrated_probabilities(logits, 1.0)[0]
        named = decide(probabilities, named, DecisionConfig(threshold, hysteresis))
        assert named is None or probabilities[named] >= threshold


@MANY
@given(st.floats(-1e10, 1e10), st.floats(0, 1e10))
def test_a_usable_stamp_is_never_far_ahead_of_a_running_clock(stamp, now):
    usable = usable_stamp(stamp, now)
    assert usable in (stamp, now)
    assert now <= 0 or 0 < usable <= now + CLOCK_TOLERANCE


@MANY
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=80))
def test_stamps_are_in_order_late_or_clear_once(stamps):
    order, newest = StampOrder(), -np.inf
    for stamp in stamps:
        answer = order.check(stamp)
        assert (answer is FrameOrder.IN_ORDER) == (stamp >= newest)
        assert answer is not FrameOrder.LATE or newest - stamp < CLOCK_TOLERANCE
        newest = stamp if answer is not FrameOrder.LATE else newest


@MANY
@given(st.floats(0.001, 0.499), st.floats(0.001, 0.2))
def test_no_clock_set_back_and_no_short_loop_keeps_frames_late_for_long(length, step):
    order, late = StampOrder(), 0.0
    for stamp in np.tile(np.arange(0.0, length + step, step), 40):
        late = late + step if order.check(float(stamp)) is FrameOrder.LATE else 0.0
        assert late <= CLOCK_TOLERANCE + length + 2 * step


@MANY
@given(st.lists(st.tuples(STEPS, st.floats(0.1, 240)), min_size=1, max_size=40))
def test_the_rate_may_change_with_every_frame(steps):
    limiter, stamp = RateLimiter(30.0), 0.0
    for step, rate in steps:
        limiter.rate = rate
        stamp += step
        accepted = limiter.accepts(stamp)
        assert accepted or step < 1 / rate
        assert not (limiter.accepts(stamp))


@FEW
@given(data=st.data(), stamps=st.lists(st.one_of(st.floats(0, 3), st.floats(-1e9, 1e10)), min_size=1, max_size=6))
def test_the_recognizer_answers_every_face(recognizer, stamps, data):
    recognizer.reset()
    for stamp in stamps:
        ids = data.draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
        faces = [SeenFace(face_id, data.draw(CROPS), data.draw(SHARES)) for face_id in ids]
        answers = recognizer.update(float(stamp), faces)
        assert [answer.face_id for answer in answers] == ids
        for answer in answers:
            check_emotion(answer)


def check_emotion(answer):
    assert answer.probabilities.shape == (len(LABELS),)
    assert answer.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert (answer.probabilities >= 0).all()
    assert answer.expression in (*EXPRESSIONS, UNKNOWN)
    assert 0 < answer.confidence <= 1
    assert -1 <= answer.valence <= 1
    assert -1 <= answer.arousal <= 1
    assert 0 <= answer.intensity <= 1
    assert 0 <= answer.phase < len(PHASES)
    assert answer.window_frames >= 1
    assert 0 <= answer.window_seconds <= 60
