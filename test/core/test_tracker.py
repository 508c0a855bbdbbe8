import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from dfer_ros.core.errors import DferError
from dfer_ros.core.faces import Detection
from dfer_ros.core.tracker import Tracker, TrackerConfig, best_pairs, diou, random_id_stem

CONFIRM, LOST = TrackerConfig.confirm_frames, TrackerConfig.lost_seconds
RATES = [5, 10, 15, 30, 60]


def face(x, y=240.0, width=100.0):
    """Return a detection around a centre, in pixels."""
    box = np.array((x - width / 2, y - width / 2, width, width), dtype=np.float32)
    return Detection(box, np.zeros((4, 2), np.float32), 0.9)


def ids_of(tracker, detections, stamp):
    """Return the id of every detection, in their order, None where it has none."""
    ids = {id(detection): face_id for face_id, detection in tracker.update(detections, stamp)}
    return [ids.get(id(detection)) for detection in detections]


def follow(path, stamps, tracker=None):
    """Return the ids that one face has at stamps; path: its centre x at a time, or None where it is not seen."""
    tracker = tracker or Tracker(TrackerConfig())
    answers = []
    for stamp in stamps:
        x = path(stamp)
        answers.append(ids_of(tracker, [face(x)] if x is not None else [], stamp))
    return [ids[0] if ids else None for ids in answers]


def confirmed_tracker(rate=30):
    """Return a tracker that knows face1 at x = 320, and the stamp of its last frame."""
    tracker = Tracker(TrackerConfig())
    stamps = np.arange(CONFIRM) / rate
    assert follow(lambda _: 320.0, stamps, tracker)[-1] == "face1"
    return tracker, stamps[-1]


def test_a_face_gets_its_id_in_the_third_consecutive_frame_and_keeps_it():
    assert follow(lambda _: 320.0, np.arange(6) / 30) == [None, None, "face1", "face1", "face1", "face1"]


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_number_of_frames_before_an_id_can_be_set(frames):
    tracker = Tracker(TrackerConfig(confirm_frames=frames))
    assert follow(lambda _: 320.0, np.arange(frames) / 30, tracker) == [None] * (frames - 1) + ["face1"]


def test_ids_start_with_a_letter():
    tracker = Tracker(TrackerConfig(confirm_frames=1))
    for face_id in ids_of(tracker, [face(100), face(500)], 0.0):
        assert face_id[0].isalpha()


def test_a_one_frame_detection_never_gets_an_id():
    assert set(follow(lambda stamp: 320.0 if stamp == 0.5 else None, np.arange(60) / 30)) == {None}


def test_a_detection_that_comes_and_goes_never_gets_an_id():
    tracker = Tracker(TrackerConfig())
    seen = [ids_of(tracker, [face(320)] if index % 3 else [], index / 30) for index in range(90)]
    assert [ids for ids in seen if ids and ids != [None]] == []


def test_a_one_frame_detection_beside_a_tracked_face_takes_nothing_from_it():
    tracker, last = confirmed_tracker()
    assert ids_of(tracker, [face(380), face(320)], last + 1 / 30) == [None, "face1"]
    assert ids_of(tracker, [face(320)], last + 2 / 30) == ["face1"]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("missed_seconds", [0.2, 0.5, 0.8])
def test_an_id_outlives_a_short_miss_of_a_face_that_stays(rate, missed_seconds):
    stamps = np.arange(4 * rate) / rate
    seen = follow(lambda stamp: None if 2 <= stamp < 2 + missed_seconds else 320.0, stamps)
    assert {face_id for face_id in seen[2:] if face_id} == {"face1"}
    assert seen[-1] == "face1"


@pytest.mark.parametrize("rate", RATES)
def test_an_id_outlives_a_short_miss_of_a_face_that_moves(rate):
    stamps = np.arange(3 * rate) / rate
    seen = follow(lambda stamp: None if 1.4 <= stamp < 1.8 else 100.0 + 200 * stamp, stamps)
    assert {face_id for face_id in seen[2:] if face_id} == {"face1"}
    assert seen[-1] == "face1"


def test_a_face_has_its_id_again_in_the_first_frame_after_a_miss():
    tracker, last = confirmed_tracker()
    assert ids_of(tracker, [], last + 0.5) == []
    assert ids_of(tracker, [face(320)], last + LOST) == ["face1"]


def test_an_id_is_lost_after_lost_seconds_and_the_face_gets_a_new_one():
    tracker, last = confirmed_tracker()
    ids_of(tracker, [], last + LOST + 0.01)
    again = last + LOST + 0.02
    assert follow(lambda _: 320.0, again + np.arange(4) / 30, tracker) == [None, None, "face2", "face2"]


@pytest.mark.parametrize("lost_seconds", [0.0, 0.3, 4.0])
def test_the_time_until_an_id_is_lost_can_be_set(lost_seconds):
    def id_after(seconds):
        tracker = Tracker(TrackerConfig(confirm_frames=1, lost_seconds=lost_seconds))
        tracker.update([face(320)], 0.0)
        tracker.update([], seconds)
        return ids_of(tracker, [face(320)], seconds)[0]

    assert id_after(lost_seconds) == "face1"
    assert id_after(lost_seconds + 0.01) == "face2"


def test_an_id_does_not_outlive_a_gap_without_frames():
    tracker, last = confirmed_tracker()
    again = last + 10.0 + np.arange(4) / 30
    assert follow(lambda _: 320.0, again, tracker) == [None, None, "face2", "face2"]


def test_where_a_face_should_be_is_unknown_after_a_gap_without_frames():
    tracker, last = confirmed_tracker()
    assert tracker.expected(last + 0.9) is not None
    assert tracker.expected(last + 1.1) is None


def test_a_camera_of_half_a_hertz_keeps_its_ids():
    assert follow(lambda _: 320.0, np.arange(8) * 2.0)[-4:] == ["face1"] * 4


def test_a_face_elsewhere_does_not_inherit_the_id_of_a_lost_one():
    tracker, last = confirmed_tracker()
    assert follow(lambda _: 900.0, last + np.arange(1, 5) / 30, tracker) == [None, None, "face2", "face2"]


def test_a_missed_face_keeps_its_id_when_two_images_have_one_stamp():
    tracker, last = confirmed_tracker()
    assert ids_of(tracker, [], last) == []
    assert ids_of(tracker, [face(320)], last + 1 / 30) == ["face1"]


def test_equal_stamps_do_not_disturb_the_motion():
    tracker = Tracker(TrackerConfig())
    stamps = np.repeat(np.arange(30) / 30, 2)
    assert set(follow(lambda stamp: 100 + 600 * stamp, stamps, tracker)[2:]) == {"face1"}


@pytest.mark.parametrize(("rate", "speed"), [(5, 450), (10, 900), (15, 1300), (30, 2700), (60, 5000)])
def test_a_fast_face_keeps_its_id(rate, speed):
    seen = follow(lambda stamp: 100 + speed * stamp, np.arange(2 * rate) / rate)
    assert set(seen[2:]) == {"face1"}


def test_a_face_that_speeds_up_to_three_widths_a_frame_keeps_its_id():
    seen = follow(lambda stamp: 100 + 1500 * stamp**2, np.arange(31) / 10)
    assert set(seen[2:]) == {"face1"}


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_a_face_that_turns_back_keeps_its_id(rate):
    seen = follow(lambda stamp: 320 + 150 * np.sin(2 * np.pi * stamp), np.arange(4 * rate) / rate)
    assert set(seen[2:]) == {"face1"}


@pytest.mark.parametrize("rate", [5, 15, 30])
def test_a_face_that_comes_near_keeps_its_id(rate):
    tracker = Tracker(TrackerConfig())
    stamps = np.arange(2 * rate) / rate
    seen = [ids_of(tracker, [face(320, 240, 40 + 180 * stamp)], stamp)[0] for stamp in stamps]
    assert set(seen[2:]) == {"face1"}


@pytest.mark.parametrize("seed", range(5))
def test_uneven_rates_do_not_change_an_id(seed):
    stamps = np.cumsum(np.random.default_rng(seed).choice((0.004, 0.033, 0.1, 0.2), 80))
    assert set(follow(lambda stamp: 100 + 300 * stamp, stamps)[2:]) == {"face1"}


def test_stamps_since_1970_are_as_good_as_those_from_zero():
    stamps = 1.7e9 + np.arange(60) / 30
    assert set(follow(lambda stamp: 100 + 1000 * (stamp - 1.7e9), stamps)[2:]) == {"face1"}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", [100, 300])
@pytest.mark.parametrize("hidden", [0, 60, 90])
@pytest.mark.parametrize(("lower", "width"), [(0, 100), (10, 85)])
def test_two_faces_that_cross_keep_their_ids(rate, speed, hidden, lower, width):
    """hidden: distance in pixels of the two centres below which the second face is behind the first."""
    tracker = Tracker(TrackerConfig())
    answers = []
    for stamp in np.arange(4 * rate) / rate:
        first, second = face(speed * stamp), face(speed * (4 - stamp) + 7, 240 + lower, width)
        apart = abs(2 * speed * stamp - 4 * speed - 7)
        answers.append(ids_of(tracker, [first] if apart < hidden else [first, second], stamp))
    assert {ids[0] for ids in answers[2:]} == {"face1"}
    assert {ids[1] for ids in answers[2:] if len(ids) == 2} == {"face2"}


def test_the_order_of_the_detections_does_not_matter():
    tracker = Tracker(TrackerConfig())
    rng = np.random.default_rng(0)
    places = [100.0, 400.0, 700.0, 1000.0]
    known = {}
    for index in range(30):
        order = rng.permutation(4)
        ids = ids_of(tracker, [face(places[place]) for place in order], index / 30)
        if index >= 2:
            known = known or dict(zip(order, ids))
            assert dict(zip(order, ids)) == known
    assert len(set(known.values())) == 4


@pytest.mark.parametrize("rate", [5, 30])
def test_fifty_moving_faces_keep_fifty_ids(rate):
    tracker = Tracker(TrackerConfig())
    rng = np.random.default_rng(1)
    corners = np.array([(150 * column, 150 * row) for column in range(10) for row in range(5)], dtype=float)
    ways = rng.uniform(-25, 25, (50, 2))
    answers = []
    for stamp in np.arange(4 * rate) / rate:
        centres = corners + ways * np.sin(2 * stamp)
        answers.append(ids_of(tracker, [face(x, y) for x, y in centres], stamp))
    assert len(set(answers[2])) == 50
    assert None not in answers[2]
    assert all(ids == answers[2] for ids in answers[2:])


def test_detections_are_handed_back_as_they_came_in():
    tracker = Tracker(TrackerConfig(confirm_frames=1))
    detections = [face(100), face(400)]
    assert all(found is given for (_, found), given in zip(tracker.update(detections, 0.0), detections))


def test_no_faces_give_no_answer():
    tracker = Tracker(TrackerConfig())
    assert tracker.update([], 0.0) == []
    assert tracker.update([], 1.0) == []


def test_reset_forgets_every_face_and_uses_no_id_twice():
    tracker, _ = confirmed_tracker()
    tracker.reset()
    assert follow(lambda _: 320.0, np.arange(3) / 30, tracker) == [None, None, "face2"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 50 / 150 - 25 / (15**2 + 10**2)),
        ((0, 0, 10, 10), (10, 0, 10, 10), -100 / (20**2 + 10**2)),
        ((0, 0, 10, 10), (2, 2, 6, 6), 0.36),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_diou_is_overlap_less_the_squared_distance(first, second, expected):
    boxes = np.array([first, second], dtype=np.float32)
    assert diou(boxes[:1], boxes[1:])[0, 0] == pytest.approx(expected, abs=1e-5)


def test_diou_compares_all_with_all():
    boxes = np.array([(0, 0, 10, 10), (100, 0, 10, 10), (0, 100, 20, 20)], dtype=np.float32)
    table = diou(boxes, boxes[:2])
    assert table.shape == (3, 2)
    assert table.argmax(axis=0).tolist() == [0, 1]


def test_a_change_of_the_configuration_loses_no_id():
    tracker, last = confirmed_tracker()
    tracker.configure(TrackerConfig(confirm_frames=50, lost_seconds=0.2, id_prefix="left_", id_stem="f"))
    assert follow(lambda _: 320.0, last + np.arange(1, 20) / 30, tracker) == ["face1"] * 19


def test_a_new_number_of_frames_counts_for_faces_without_an_id():
    tracker = Tracker(TrackerConfig(confirm_frames=100))
    assert follow(lambda _: 320.0, np.arange(10) / 30, tracker) == [None] * 10
    tracker.configure(TrackerConfig(confirm_frames=5))
    assert follow(lambda _: 320.0, [10 / 30], tracker) == ["face1"]


def test_a_new_patience_counts_for_the_faces_that_are_missed():
    tracker, last = confirmed_tracker()
    ids_of(tracker, [], last + 0.5)
    tracker.configure(TrackerConfig(lost_seconds=0.3))
    ids_of(tracker, [], last + 0.6)
    tracker.configure(TrackerConfig(confirm_frames=1))
    assert ids_of(tracker, [face(320)], last + 0.7) == ["face2"]


@pytest.mark.parametrize(("prefix", "stem", "expected"), [("left_", "face", "left_face1"), ("", "kqz", "kqz1")])
def test_ids_begin_as_configured(prefix, stem, expected):
    tracker = Tracker(TrackerConfig(confirm_frames=1, id_prefix=prefix, id_stem=stem))
    assert ids_of(tracker, [face(320)], 0.0) == [expected]


@pytest.mark.parametrize("prefix", ["", "a", "Left", "cam2", "front_left_", "a_1", "x" * 32])
def test_a_prefix_that_can_be_part_of_a_topic_name_is_taken(prefix):
    assert TrackerConfig(id_prefix=prefix).id_prefix == prefix


@pytest.mark.parametrize(
    "prefix",
    ["1", "2cam", "_left", "left-", "left/", "/left", "le ft", "a__b", "a__", "~", "é", "a\n", "x" * 33, "{id}", "a.b"],
)
def test_a_prefix_that_cannot_is_an_error_that_says_why(prefix):
    with pytest.raises(DferError, match="'id_prefix' must be empty or a letter followed by"):
        TrackerConfig(id_prefix=prefix)


def test_random_stems_are_short_letters_that_differ():
    stems = {random_id_stem() for _ in range(200)}
    assert len(stems) > 180
    assert all(len(stem) == 3 and stem.isalpha() and stem.isascii() for stem in stems)


def test_a_face_keeps_its_id_although_stamps_lie_a_nanosecond_apart():
    tracker = Tracker(TrackerConfig())
    stamps = np.cumsum(np.tile([1 / 30, 1e-9], 30))
    assert set(follow(lambda stamp: 320 + 3 * np.sin(40 * stamp), stamps, tracker)[2:]) == {"face1"}


def test_boxes_beyond_all_images_are_tracked_without_an_error():
    far = [face(1e38), face(-1e38), face(0.0, width=3e38), face(320), face(5.0, width=-10.0), face(9.0, width=0.0)]
    tracker = Tracker(TrackerConfig(confirm_frames=1))
    for stamp in np.arange(5) / 30:
        assert len(set(ids_of(tracker, far, stamp))) == len(far)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("steps", [0, 1, 3, 10**6])
def test_the_best_pairs_gain_as_much_as_those_of_another_solver(steps, scale):
    generator = np.random.default_rng(steps)
    for rows, columns in generator.integers(1, 9, (200, 2)):
        # Full of ties where steps are few.
        gain = scale * generator.integers(-steps, steps, (rows, columns), endpoint=True)
        pairs = best_pairs(gain)
        assert len(pairs) == min(rows, columns)
        assert all(len({*indices}) == len(pairs) for indices in zip(*pairs))
        best = gain[linear_sum_assignment(gain, maximize=True)].sum()
        assert sum(gain[pair] for pair in pairs) == pytest.approx(best, rel=1e-9, abs=scale * 1e-9)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_where_nobody_is_there_are_no_pairs(shape):
    assert best_pairs(np.zeros(shape)) == []
