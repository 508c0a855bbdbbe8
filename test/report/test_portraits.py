import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.frame_source import Frame
from dfer_ros.report.portraits import crops_from_frames, portrait_moments, portraits_of

TOLERANCE = 0.5 / 30


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
    crops = crops_from_frames(frames, {person.face_id: person for person in people}, moments, TOLERANCE)
    assert [moment for moment, _ in crops] == moments
    for moment, crop in crops:
        assert crop.shape == (100, 100, 3)
        assert (crop == round(moment.stamp * 30) % 250).all()
    assert walked[-1] == max(round(moment.stamp * 30) for moment in moments)


@pytest.fixture
def crops_of(people):
    """Return a function that cuts a face of face1 out of frames, with a box that it is given."""
    person, moment = people[0], portrait_moments(people)[1]
    before = person.track.rois[moment.index].copy()

    def crops(roi, frames):
        person.track.rois[moment.index] = roi
        return crops_from_frames(frames, {"face1": person}, [moment], TOLERANCE)

    yield crops
    person.track.rois[moment.index] = before


@pytest.mark.parametrize("roi", [(0, 0, 80, 80), (240, 160, 80, 80)])
def test_faces_at_the_edge_are_filled_up(crops_of, roi):
    ((_, crop),) = crops_of(roi, map(frame_of, range(400)))
    assert crop.shape == (100, 100, 3)


@pytest.mark.parametrize("roi", [(-30, -30, 80, 80), (300, 220, 80, 80), (900, 9, 8, 8), (0, 0, 0, 0)])
def test_frames_that_cannot_hold_the_face_are_refused(crops_of, roi):
    with pytest.raises(SourceError, match=r"--source is not what was analyzed: frame \d+ has 320 x 240 pixels"):
        crops_of(roi, map(frame_of, range(400)))


def test_frames_of_another_time_are_refused(crops_of):
    other = (replace(frame_of(index), stamp=index / 25) for index in range(400))
    with pytest.raises(SourceError, match=r"--source is not what was analyzed: frame \d+ is at"):
        crops_of((200, 100, 80, 80), other)


def test_faces_beyond_the_end_of_the_source_are_left_out(crops_of):
    assert crops_of((200, 100, 80, 80), []) == []


def test_portraits_are_small_jpegs(people, aligned_crop):
    moments = portrait_moments(people)[:2]
    portraits = portraits_of([(moment, aligned_crop) for moment in moments])
    assert [portrait.moment for portrait in portraits["face1"]] == moments
    head, _, data = portraits["face1"][0].data_uri.partition(",")
    assert head == "data:image/jpeg;base64"
    assert len(data) < 8000
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (112, 112, 3)
