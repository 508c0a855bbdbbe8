import json

import numpy as np
import pytest
from made_answers import KEYS

from dfer_ros.core.emotion import PHASES, Emotion
from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import EXPRESSIONS, LABELS
from dfer_ros.recordings.answer_file import answer_line, answer_object, read_answer_file

SHARES = np.array([0.05, 0.7, 0.05, 0.05, 0.05, 0.05, 0.05], np.float32)


def line_of(at, /, **changes):
    emotion = Emotion("face1", "happy", 0.7, SHARES, 0.5, 0.4, 0.6, 3, 1.0, 30)
    return answer_line({**answer_object(at, round(at * 30), (1, 2, 3, 4), emotion), **changes})


def lines(count):
    return [line_of(frame / 30) for frame in range(count)]


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "talk.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else "".join(content).encode())
        return path

    return write


def test_what_analyze_writes_is_read_back(written):
    recording = read_answer_file(written([line_of(0.5), line_of(0.5, face_id="face2"), line_of(1.0)]))
    assert (recording.name, recording.remarks, recording.received) == ("talk", (), None)
    assert recording.stamps.tolist() == [0.5, 1.0]
    first, second = recording.tracks
    assert (first.face_id, len(first), second.face_id, len(second)) == ("face1", 2, "face2", 1)
    assert (first.frames.tolist(), first.rois[0].tolist()) == ([15, 30], [1, 2, 3, 4])
    assert (first.states[0], first.phases[0]) == (1, 3)
    assert first.probabilities[0] == pytest.approx(SHARES, abs=1e-5)
    numbers = (first.confidences[0], first.valence[0], first.arousal[0], first.intensity[0])
    assert numbers == pytest.approx((0.7, 0.5, 0.4, 0.6))


def test_head_poses_are_read_back_and_may_be_missing(written):
    pose = {"roll": 1.5, "pitch": -20.0, "yaw": 30.0}
    told = [line_of(0.1, head_pose=pose), line_of(0.2, head_pose=None), line_of(0.3)]
    (track,) = read_answer_file(written(told)).tracks
    assert track.head_poses[0].tolist() == [1.5, -20.0, 30.0]
    assert np.isnan(track.head_poses[1:]).all()


@pytest.mark.parametrize("pose", [{"roll": 1.0, "yaw": 2.0}, {"roll": 1, "pitch": 2, "yaw": 300.0}, "left", [1, 2, 3]])
def test_a_head_pose_that_cannot_be_is_a_damaged_line(written, pose):
    recording = read_answer_file(written([*lines(20), line_of(1.0, head_pose=pose)]))
    assert "1 of 21 lines are damaged" in recording.remarks[0]


def test_a_file_of_version_0_1_is_read_whose_probabilities_go_by_classes(written):
    old = [line_of(frame / 30, probabilities=dict(zip(LABELS, SHARES.tolist()))) for frame in range(3)]
    (track,) = read_answer_file(written([*old, line_of(0.1)])).tracks
    assert track.probabilities == pytest.approx(np.tile(SHARES, (4, 1)), abs=1e-5)


DAMAGED = {
    "half a line": line_of(9.0)[:100] + "\n",
    "no JSON": "hello\n",
    "another object": '{"a": 1}\n',
    "a list": "[1, 2]\n",
    "null": "null\n",
    "bytes": b"\xff\xfe\x00\n",
    "deep": "[" * 100_000 + "\n",
    "a text for a number": line_of(9.0, stamp="soon"),
    "a number too large": line_of(9.0, intensity=10**400),
    "never": line_of(9.0, stamp=float("inf")),
    "not a number": line_of(9.0, valence=float("nan")),
    "out of range": line_of(9.0, confidence=7.0),
    "an unknown expression": line_of(9.0, expression="bored"),
    "a list as expression": line_of(9.0, expression=[]),
    "a class too few": line_of(9.0, probabilities=dict.fromkeys(LABELS[1:], 1 / 6)),
    "no four numbers as box": line_of(9.0, roi=[1, 2]),
    "no text as id": line_of(9.0, face_id=4),
    "half a letter as id": line_of(9.0, face_id="\ud800"),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_few_damaged_lines_are_left_out_and_counted(written, damage):
    damage = damage if isinstance(damage, bytes) else damage.encode()
    recording = read_answer_file(written("".join(lines(20)).encode() + damage))
    assert len(recording.tracks) == 1
    assert len(recording.tracks[0]) == 20
    (remark,) = recording.remarks
    assert remark.startswith("1 of 21 lines are damaged and were left out; the first: ")


@pytest.mark.parametrize("stamp", [float("inf"), float("-inf"), float("nan")])
def test_a_stamp_that_is_no_time_is_not_counted_as_one_that_went_back(written, stamp):
    damage = line_of(9.0, stamp=stamp)
    (remark,) = read_answer_file(
        written([*lines(20), damage, *(line_of(1 + frame / 30) for frame in range(20))])
    ).remarks
    assert remark.startswith("1 of 41 lines are damaged")


def test_a_remark_names_the_line_and_what_is_wrong(written):
    (remark,) = read_answer_file(written([*lines(20), line_of(9.0, phase="sleeping")])).remarks
    assert remark.endswith("the first: line 21 lacks or does not know 'sleeping'.")


def test_blank_lines_do_not_count(written):
    assert read_answer_file(written([*lines(3), "\n", "  \n", *lines(3)])).remarks == ()


def test_many_damaged_lines_are_an_error(written):
    with pytest.raises(DataError, match=r"3 of the 23 lines of .*talk\.jsonl are damaged, more than one in ten"):
        read_answer_file(written([*lines(20), *["x\n"] * 3]))


@pytest.mark.parametrize("content", [["x\n"] * 3, [json.dumps({"image_path": "a.png"}) + "\n"] * 3])
def test_a_file_of_something_else_is_an_error(written, content):
    with pytest.raises(DataError, match=r"None of the 3 lines of .*talk\.jsonl is one of `dfer analyze`; the first:"):
        read_answer_file(written(content))


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_an_error(written, content):
    with pytest.raises(DataError, match=r"talk\.jsonl is empty"):
        read_answer_file(written(content))


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_answer_file(tmp_path / "nothing.jsonl")


def test_stamps_that_go_back_are_sorted_and_told(written):
    recording = read_answer_file(written([line_of(frame / 30) for frame in [*range(60), *range(30, 40)]]))
    assert (np.diff(recording.tracks[0].stamps) >= 0).all()
    assert recording.remarks == ("Stamps that went back: 1. The lines were sorted by their stamps.",)


PROBABILITIES = np.array([0.1, 0.6123456, 0.05, 0.05, 0.1, 0.05, 0.0376544], np.float32)


def emotion(**changes):
    fields = {
        "face_id": "face3",
        "expression": "surprised",
        "confidence": 0.6123456,
        "probabilities": PROBABILITIES,
        "valence": 0.5,
        "arousal": -0.25,
        "intensity": 0.9,
        "phase": 0,
        "window_seconds": 1.96666667,
        "window_frames": 30,
        "secondary": "happy",
        "secondary_confidence": 0.3123456,
    }
    return Emotion(**(fields | changes))


def test_an_answer_has_the_keys_of_the_design_in_their_order():
    assert list(answer_object(1.0, 30, (1, 2, 3, 4), emotion())) == KEYS


def test_a_line_is_json_with_the_values_of_the_face():
    line = answer_line(answer_object(12.34567891, 30, (1, 2, 3, 4), emotion()))
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "stamp": 12.345679,
        "frame": 30,
        "face_id": "face3",
        "roi": [1, 2, 3, 4],
        "expression": "surprised",
        "confidence": 0.61235,
        "probabilities": {
            "neutral": 0.1,
            "happy": 0.61235,
            "sad": 0.05,
            "angry": 0.05,
            "surprised": 0.1,
            "scared": 0.05,
            "disgusted": 0.03765,
        },
        "valence": 0.5,
        "arousal": -0.25,
        "secondary": "happy",
        "secondary_confidence": 0.31235,
        "intensity": 0.9,
        "phase": "unknown",
        "window_seconds": 1.96667,
        "window_frames": 30,
    }


def test_probabilities_go_by_expression_in_the_order_of_the_labels():
    answer = answer_object(0.0, 0, (0, 0, 0, 0), emotion())
    assert tuple(answer["probabilities"]) == EXPRESSIONS
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("phase", "name"), list(enumerate(["unknown", "neutral", "onset", "apex", "offset"])))
def test_a_phase_is_told_by_name(phase, name):
    assert PHASES[phase] == name
    assert answer_object(0.0, 0, (0, 0, 0, 0), emotion(phase=phase))["phase"] == name


def test_stamps_since_1970_keep_their_microseconds():
    assert answer_object(1700000000.123456, 0, (0, 0, 0, 0), emotion())["stamp"] == 1700000000.123456
