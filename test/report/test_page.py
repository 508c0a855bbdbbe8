import re
from dataclasses import replace

import numpy as np
import pytest
from known_courses import recording_of

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.recordings.emotion_track import RecordedEmotions
from dfer_ros.report.page import MOST_PEOPLE, report_page
from dfer_ros.report.person import describe_people
from dfer_ros.report.portraits import portrait_moments, portraits_of

MEGABYTE = 1_000_000


def page_of(recording):
    return report_page(recording, describe_people(recording))


def text_of(page):
    return re.sub(r"<[^>]+>", "", page).replace("\u00a0", " ")


def restless(seconds, seed):
    """Return a course of pieces of half a second to three, as restless as a face on a screen."""
    random = np.random.default_rng(seed)
    pieces = []
    while sum(length for _, length in pieces) < seconds:
        pieces.append((random.choice([*EXPRESSIONS, "unknown"]), float(random.uniform(0.5, 3.0))))
    return pieces


def test_the_head_says_who_was_seen_when_and_what_dominated(recording, people):
    text = text_of(report_page(recording, people))
    assert "2 people were seen in 12.0 s." in text
    assert "face1 was in view all the time: mostly neutral (42 %), also sad (25 %) and happy (17 %); unsure 8 %" in text
    assert "face2 was in view for 4.10 s: mostly neutral (49 %), also angry (49 %); never unsure." in text


def test_in_view_all_the_time_is_said_only_where_the_figures_agree():
    text = text_of(page_of(recording_of({"face1": [("happy", 20)], "face2": [("happy", 19.7)]})))
    assert "face1 was in view all the time" in text
    assert "face2 was in view for 19.7 s" in text


def test_times_between_frames_are_rounded_alike():
    text = text_of(page_of(recording_of({"face1": [("happy", 2)]})))
    assert "Median 33.3 ms, 95 % within 33.3 ms, the longest 33.3 ms." in text
    assert "0 frames missing, 0 % of those due every 33.3 ms." in text
    assert "Frames that showed nobody" not in text


def test_a_file_without_lines_for_nobody_says_what_is_counted_as_missing():
    text = text_of(page_of(recording_of({"face1": [("happy", 2), (None, 0.2), ("happy", 2)]})))
    assert "6 frames missing" in text
    assert "Frames that showed nobody are counted here as well: a JSONL file has no line for them." in text


def test_a_recording_of_days_has_units_that_people_read():
    page = page_of(recording_of({"face1": [("happy", 208_800)]}, fps=1 / 3600))
    body = page.partition("<body>")[2].partition("<script>")[0].replace("\u00a0", " ")
    shown = re.sub(r"<[^>]+>", " ", body)
    assert "one every 1 h 00 min" in shown
    assert "Median 1 h 00 min" in shown
    assert "time between frames, min" in shown
    assert "time from the first frame, h:min:s" in shown
    assert "more than 3 h 00 min later" in shown
    assert "58:00:00" in shown
    assert not re.search(r"\de\+\d|\d{5}| min:s| 58:00:00\.0 ", shown)


def test_the_same_recording_gives_the_same_page(recording, people):
    assert report_page(recording, people) == report_page(recording, describe_people(recording))


def test_nothing_is_fetched_and_nothing_is_said_about_this_computer(recording, people, tmp_path):
    page = report_page(recording, people)
    assert not re.search(r"https?:|src=\"(?!data:)|@import|url\(", page)
    assert str(tmp_path.parents[1]) not in page


def test_faces_are_there_only_when_they_are_given(recording, people, aligned_crop):
    assert "<img" not in report_page(recording, people)
    portraits = portraits_of([(moment, aligned_crop) for moment in portrait_moments(people)])
    assert report_page(recording, people, portraits).count("<img") == 2 + 7


def test_how_a_head_was_held_is_there_only_where_it_is_told(recording):
    assert "Facing the camera" not in page_of(recording)
    told = recording_of({"face1": [("happy", 4)], "face2": [("sad", 4)]})
    told.tracks[0].head_poses[:] = (3.0, -8.0, 25.0)
    told.tracks[0].head_poses[:30, 2] = -0.2
    text = text_of(page_of(told))
    assert text.count("Facing the camera for 25 % of the time.") == 1
    assert "yaw02525pitch-8-8-8roll333" in text
    assert "Not known" not in text
    assert "Beyond 40 degrees of yaw the angles are coarse" in text


def test_names_from_a_file_cannot_become_markup():
    name = "<script>alert(1)</script>\"'&"
    page = page_of(recording_of({name: [("happy", 1)]}, name, remarks=(name,)))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;") > 5


@pytest.mark.parametrize(
    "courses",
    [
        {"face1": [("happy", 1 / 30)]},
        {"face1": [("unknown", 2)]},
        {"face1": [("neutral", 2)]},
        {f"face{number}": [("happy", 1)] for number in range(1, 41)},
    ],
    ids=["one frame", "never sure", "no expression", "a crowd"],
)
def test_unusual_recordings_have_a_page(courses):
    page = page_of(recording_of(courses))
    assert "nan" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert page.count('class="person"') == min(len(courses), MOST_PEOPLE)
    assert all(face_id in page for face_id in courses)


def test_a_recording_of_nobody_has_a_page():
    page = page_of(RecordedEmotions("empty", (), np.arange(30) / 30, np.arange(30) / 30 + 0.05))
    assert "Nobody was seen in" in page
    assert "Median 50.0 ms" in text_of(page)


def test_a_clock_that_jumps_leaves_a_page():
    recording = recording_of({"face1": [("happy", 1), ("sad", 1)]})
    for stamps in (recording.tracks[0].stamps, recording.stamps):
        stamps[30:] += 1.7e9
    assert "face1" in page_of(recording)


@pytest.mark.parametrize("count", [1, 5, 20])
def test_an_hour_stays_small_however_many_are_seen(count):
    (track,) = recording_of({"face": restless(3600, seed=0)}, fps=10.0).tracks
    tracks = tuple(replace(track, face_id=f"face{number}") for number in range(count))
    assert len(page_of(RecordedEmotions("hour", tracks, track.stamps))) < 3 * MEGABYTE
