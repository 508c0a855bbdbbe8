import base64

import cv2
import numpy as np
import pytest

from dfer_ros.core.video import Frame
from dfer_ros.report.portraits import crops_from_frames, portrait_moments, portraits_of


def frame_of(index):
    return Frame(index, index / 30, np.full((240, 320, 3), index % 250, np.uint8))


def test_each_expression_is_shown_at_its_apex_and_neutral_at_its_surest(people):
    moments = portrait_moments(people)
    assert [(moment.face_id, moment.state) for moment in moments] == [
        ("face1", "neutral"),
        ("face1", "sad"),
        ("face1", "happy"),
        ("face1", "surprised"),
        ("face2", "neutral"),
        ("face2", "angry"),
        ("face2", "scared"),
    ]
    assert moments[2].stamp == pytest.approx(3.0, abs=0.1)


def test_faces_are_cut_out_of_the_frames_that_they_were_seen_in(people):
    moments = portrait_moments(people)
    walked = []
    frames = (walked.append(index) or frame_of(index) for index in range(10_000))
    crops = crops_from_frames(frames, {person.face_id: person for person in people}, moments)
    assert [moment for moment, _ in crops] == moments
    for moment, crop in crops:
        assert crop.shape == (100, 100, 3)
        assert (crop == round(moment.stamp * 30) % 250).all()
    assert walked[-1] == max(round(moment.stamp * 30) for moment in moments)


@pytest.mark.parametrize(
    ("roi", "kept"), [((-30, -30, 80, 80), True), ((300, 220, 80, 80), True), ((900, 9, 8, 8), False)]
)
def test_faces_at_the_edge_are_filled_up_and_those_beyond_left_out(people, roi, kept):
    person, moment = people[0], portrait_moments(people)[0]
    before = person.track.rois[moment.index].copy()
    person.track.rois[moment.index] = roi
    crops = crops_from_frames(map(frame_of, range(400)), {"face1": person}, [moment])
    person.track.rois[moment.index] = before
    assert len(crops) == kept
    assert all(crop.shape == (100, 100, 3) for _, crop in crops)


def test_portraits_are_small_jpegs(people, aligned_crop):
    moments = portrait_moments(people)[:2]
    portraits = portraits_of([(moment, aligned_crop) for moment in moments])
    assert [portrait.moment for portrait in portraits["face1"]] == moments
    head, _, data = portraits["face1"][0].data_uri.partition(",")
    assert head == "data:image/jpeg;base64"
    assert len(data) < 8000
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (112, 112, 3)
