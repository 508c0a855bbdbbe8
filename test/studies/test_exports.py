"""What is written for other programs, read back by them."""

import contextlib
import csv
import io
import itertools
import json

import pandas
import pytest
from dfer_command import dfer
from made_recordings import made_recording
from made_sessions import write_session
from pympi.Elan import Eaf

from dfer_ros.recordings.answer_file import output_name, read_answer_file
from dfer_ros.report.person import describe_people
from dfer_ros.studies.elan import write_elan
from dfer_ros.studies.events import events_of


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "analyses"
    made.mkdir()
    for number in range(3):
        write_session(made / f"p{number}.jsonl", None, 0.5, shown=4 + number, seed=number)
    return made


@pytest.fixture
def written(folder, tmp_path):
    output = tmp_path / "study"
    assert dfer("study", folder, "-o", output, "--elan", "--csv", "--bids", "--summary") == 0
    return output


def expected(folder, name):
    recording = read_answer_file(folder / f"{name}.jsonl")
    (person,) = describe_people(recording)
    return events_of(recording, person)


def read_elan(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return Eaf(str(path))


def test_elan_reads_the_same_expressions_and_transitions(folder, written):
    document = read_elan(written / "p1.eaf")
    events = expected(folder, "p1")
    for kind in ("expression", "transition"):
        own = [event for event in events if event.kind == kind]
        annotations = sorted(document.get_annotation_data_for_tier(f"face1 {kind}"))
        assert len(annotations) == len(own) > 0
        for event, (start, end, *words) in zip(own, annotations):
            assert start == pytest.approx(1000 * event.onset, abs=1)
            assert end == pytest.approx(max(1000 * (event.onset + event.duration), start + 1), abs=1.5)
            assert words[0].startswith(event.expression)
    assert document.get_parameters_for_tier("face1 expression")["PARTICIPANT"] == "face1"


def test_annotations_of_a_tier_do_not_overlap_and_a_video_is_linked(tmp_path):
    both = {"happy": 0.5, "surprised": 0.4, "neutral": 0.1}
    course = [*["neutral"] * 8, *[("happy", 0.8, "unknown", both)] * 8, *["sad"] * 8, *["neutral"] * 8]
    recording = made_recording(course)
    video = tmp_path / "talk.mp4"
    video.write_bytes(b"")
    write_elan(tmp_path / "talk.eaf", recording, describe_people(recording), video)
    document = read_elan(tmp_path / "talk.eaf")
    assert document.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "talk.mp4"
    assert [words for *_, words in document.get_annotation_data_for_tier("face1 blend")] == ["happy + surprised"]
    for tier in document.get_tier_names():
        rows = sorted(document.get_annotation_data_for_tier(tier))
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(rows))


def test_pandas_reads_the_tidy_table(folder, written):
    frame = pandas.read_csv(written / "p2_events.csv", keep_default_na=False, na_values=[""])
    events = expected(folder, "p2")
    assert frame.event.tolist() == [event.kind for event in events]
    assert frame.onset_seconds.tolist() == pytest.approx([event.onset for event in events], abs=1e-5)
    assert set(frame.columns) >= {"recording", "person", "expression", "other", "duration_seconds", "value"}


def test_bids_events_follow_the_standard(folder, written):
    path = written / "p0_events.tsv"
    frame = pandas.read_csv(path, sep="\t", na_values=["n/a"])
    assert frame.columns.tolist()[:2] == ["onset", "duration"]
    events = expected(folder, "p0")
    assert frame.onset.tolist() == pytest.approx([event.onset for event in events], abs=1e-3)
    assert frame.trial_type.iloc[0].split("/")[0] in ("expression", "transition")
    assert frame.value.isna().sum() == sum(event.value is None for event in events)
    described = json.loads((written / "task_events.json").read_text(encoding="utf-8"))
    assert set(described) == set(frame.columns)


def test_the_table_of_a_paper_counts_each_participant_once(folder, written):
    with (written / "participants.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["expression"]: row for row in csv.DictReader(file)}
    happy = rows["happy"]
    assert (happy["participants"], happy["shown_by"]) == ("3", "3")
    people = [describe_people(read_answer_file(path))[0] for path in sorted(folder.glob("*.jsonl"))]
    shares = pandas.Series([person.figures[1].share for person in people])
    assert float(happy["share_mean"]) == pytest.approx(shares.mean(), abs=1e-4)
    assert float(happy["share_sd"]) == pytest.approx(shares.std(), abs=1e-4)
    assert rows["angry"]["intensity_mean"] == ""
    assert f"| happy | 3/3 | {100 * shares.mean():.1f} (" in (written / "participants.md").read_text(encoding="utf-8")


def test_nothing_asked_for_and_one_name_twice_are_one_sentence_each(folder, tmp_path, capsys):
    assert dfer("study", folder, "-o", tmp_path / "out") == 1
    assert "Say what to write" in capsys.readouterr().err
    again = tmp_path / "again"
    again.mkdir()
    (again / "p0.jsonl").write_bytes((folder / "p0.jsonl").read_bytes())
    assert dfer("study", folder, again, "-o", tmp_path / "out", "--csv") == 1
    assert "Two recordings are called p0" in capsys.readouterr().err


def test_a_recording_without_a_face_is_left_out_with_a_sentence(folder, tmp_path, capsys):
    (folder / "empty.jsonl").touch()
    output = tmp_path / "study"
    assert dfer("study", folder, "-o", output, "--elan", "--csv", "--bids", "--summary") == 0
    said = capsys.readouterr()
    assert "3 recordings" in said.out
    assert "empty.jsonl is left out: it is empty" in " ".join(said.err.split())
    assert set(pandas.read_csv(output / "participants.csv").participants) == {3}
    for file in folder.glob("p*.jsonl"):
        file.unlink()
    assert dfer("study", folder, "-o", output, "--elan") == 1


def test_times_count_from_the_start_of_a_video_not_from_its_first_face(tmp_path):
    late = tmp_path / "late.jsonl"
    write_session(tmp_path / "early.jsonl", None, 0.5, shown=2)
    records = [json.loads(line) for line in (tmp_path / "early.jsonl").read_text().splitlines()]
    late.write_text("".join(json.dumps(one | {"stamp": one["stamp"] + 5.5}) + "\n" for one in records))
    early, late = (read_answer_file(tmp_path / f"{name}.jsonl") for name in ("early", "late"))
    onsets = [[event.onset for event in events_of(one, *describe_people(one))] for one in (early, late)]
    assert onsets[1] == pytest.approx([onset + 5.5 for onset in onsets[0]])


def test_the_video_of_an_output_folder_is_linked_and_nothing_is_left_beside(folder, tmp_path):
    video = folder / "talk.mp4"
    video.touch()
    (folder / "p0.jsonl").rename(folder / output_name(video))
    output = tmp_path / "study"
    for _ in range(2):
        assert dfer("study", folder, "-o", output, "--elan") == 0
    document = read_elan(output / f"{(folder / output_name(video)).stem}.eaf")
    assert document.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "../analyses/talk.mp4"
    assert {path.suffix for path in output.iterdir()} == {".eaf"}
