import csv
import io
from pathlib import Path

import pytest
from known_courses import recording_of

from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.report.person import describe_people
from dfer_ros.report.study_tables import EPISODE_COLUMNS, LONGITUDINAL_COLUMNS, episode_table, longitudinal_table


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table)))


def test_there_is_a_row_for_each_person_and_state(recording, people):
    rows = rows_of(longitudinal_table(recording, people))
    assert tuple(rows[0]) == LONGITUDINAL_COLUMNS
    assert [(row["face_id"], row["expression"]) for row in rows] == [
        (face_id, state) for face_id in ("face1", "face2") for state in STATES
    ]
    happy = rows[1]
    assert happy["recording"] == "two people"
    assert float(happy["seconds"]) == pytest.approx(2.0)
    assert float(happy["share"]) == pytest.approx(1 / 6, abs=1e-4)
    assert float(happy["episodes_per_minute"]) == pytest.approx(5.0, abs=1e-3)
    assert float(happy["median_onset_speed_per_second"]) > 0


def test_an_empty_cell_says_that_there_is_no_figure(recording, people):
    disgusted = rows_of(longitudinal_table(recording, people))[6]
    assert (disgusted["seconds"], disgusted["episodes"]) == ("0.0", "0")
    assert disgusted["mean_intensity"] == disgusted["median_onset_speed_per_second"] == ""


def test_there_is_a_row_for_each_expression(recording, people):
    rows = rows_of(episode_table(recording, people))
    assert tuple(rows[0]) == EPISODE_COLUMNS
    assert [(row["face_id"], row["expression"]) for row in rows] == [
        ("face1", "happy"),
        ("face1", "surprised"),
        ("face1", "sad"),
        ("face2", "angry"),
        ("face2", "scared"),
    ]
    scared = rows[-1]
    assert (scared["onset_seen"], scared["offset_seen"], scared["onset_speed_per_second"]) == ("no", "yes", "")
    assert float(scared["onset_seconds"]) == pytest.approx(8.0)


def test_the_begin_is_told_where_stamps_tell_the_time():
    recording = recording_of({"face1": [("happy", 1)]})
    assert rows_of(longitudinal_table(recording, describe_people(recording)))[0]["begin_utc"] == ""
    for track in (recording.tracks[0].stamps, recording.stamps):
        track += 1_700_000_000
    begin = rows_of(longitudinal_table(recording, describe_people(recording)))[0]["begin_utc"]
    assert begin == "2023-11-14T22:13:20+00:00"


def test_names_with_commas_and_quotes_stay_one_cell():
    recording = recording_of({'a,"b': [("happy", 1)]}, "one, two")
    row = rows_of(longitudinal_table(recording, describe_people(recording)))[0]
    assert (row["recording"], row["face_id"]) == ("one, two", 'a,"b')


def test_the_documentation_names_every_column():
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    assert [name for name in (*LONGITUDINAL_COLUMNS, *EPISODE_COLUMNS) if f"`{name}`" not in text] == []
