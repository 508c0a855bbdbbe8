"""`dfer longitudinal` on folders of files, and what it says where it cannot."""

import datetime

import pandas
from dfer_command import dfer
from made_sessions import UTC, write_session

from dfer_ros.recordings.answer_file import output_name
from dfer_ros.studies.sessions import read_sessions

MONDAY = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def fill(folder, slowing, sessions=6, person="p07"):
    folder.mkdir(exist_ok=True)
    for week in range(sessions):
        rise = 0.6 / (1 - slowing * week / (sessions - 1))
        begin = MONDAY + datetime.timedelta(weeks=week)
        write_session(folder / f"{person}_{week}.jsonl", begin, rise, seed=week)
    return folder


def test_a_patient_whose_onset_slows_is_told_and_the_table_is_tidy(tmp_path, capsys):
    folder = fill(tmp_path / "analyses", slowing=0.3)
    page, table = tmp_path / "p07.html", tmp_path / "p07.csv"
    assert dfer("longitudinal", folder, "--person", "p07", "-o", page, "--csv", table) == 0
    assert "6 sessions" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "onset speed \u2212" in text.partition("</header>")[0]
    assert "no diagnosis" in text
    frame = pandas.read_csv(table)
    speeds = frame[(frame.measure == "onset_speed") & (frame.expression == "all")].sort_values("days")
    assert speeds.days.tolist() == [0, 7, 14, 21, 28, 35]
    assert speeds["mean"].is_monotonic_decreasing
    assert (speeds.low_95 < speeds["mean"]).all() and (speeds["mean"] < speeds.high_95).all()


def test_one_who_does_not_change_is_told_so(tmp_path):
    folder = fill(tmp_path / "analyses", slowing=0.0)
    assert dfer("longitudinal", folder, "-o", tmp_path / "page.html") == 0
    assert "No measure changed by more than chance" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_same_files_give_the_same_page_and_two_conditions_are_in_it(tmp_path):
    folder = fill(tmp_path / "analyses", slowing=0.3)
    conditions = tmp_path / "conditions.csv"
    rows = "".join(f"p07_{week},{'before' if week < 3 else 'after'}\n" for week in range(6))
    conditions.write_text("session,condition\n" + rows, encoding="utf-8")
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        assert dfer("longitudinal", folder, "-o", page, "--conditions", conditions) == 0
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert "Hedges' g" in pages[0].read_text()


def refuse(tmp_path, capsys, *arguments):
    """Return the one sentence that is said, nothing being written."""
    page = tmp_path / "page.html"
    assert dfer("longitudinal", tmp_path / "analyses", *arguments, "-o", page) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith("dfer longitudinal: ") and "\n" not in said
    assert not page.exists()
    return said


def test_several_people_are_one_sentence(tmp_path, capsys):
    folder = fill(tmp_path / "analyses", slowing=0.0, sessions=2)
    file = folder / "p07_1.jsonl"
    other = file.read_text(encoding="utf-8").replace("face1", "face2")
    file.write_text(file.read_text(encoding="utf-8") + other, encoding="utf-8")
    assert "shows several people (face1, face2)" in refuse(tmp_path, capsys)
    assert dfer("longitudinal", folder, "--person", "face1", "-o", tmp_path / "page.html") == 0


def test_a_person_who_is_nowhere_is_one_sentence(tmp_path, capsys):
    fill(tmp_path / "analyses", slowing=0.0, sessions=2)
    assert "nor is anybody in it called so (face1)" in refuse(tmp_path, capsys, "--person", "p99")


def test_the_files_of_others_are_left_alone(tmp_path, capsys):
    folder = fill(tmp_path / "analyses", slowing=0.0, sessions=2)
    fill(folder, slowing=0.0, sessions=2, person="p071")
    assert dfer("longitudinal", folder, "--person", "p07", "-o", tmp_path / "page.html") == 0
    assert "2 sessions" in capsys.readouterr().out


def test_sessions_without_dates_are_one_sentence_and_a_date_in_the_name_helps(tmp_path, capsys):
    folder = tmp_path / "analyses"
    folder.mkdir()
    write_session(folder / "p07_monday.jsonl", None, 0.6, shown=3)
    assert "Nothing tells when p07_monday.jsonl was recorded" in refuse(tmp_path, capsys)
    (folder / "p07_monday.jsonl").rename(folder / "p07_2026-03-02.jsonl")
    assert dfer("longitudinal", folder, "-o", tmp_path / "page.html") == 0


def test_two_files_of_one_session_are_one_sentence(tmp_path, capsys):
    folder = tmp_path / "analyses"
    folder.mkdir()
    for name in "ab":
        write_session(folder / f"{name}.jsonl", MONDAY, 0.6, shown=3)
    assert "a.jsonl and b.jsonl are of one session (2026-03-02 09:00)" in refuse(tmp_path, capsys)


def test_an_empty_folder_is_one_sentence(tmp_path, capsys):
    (tmp_path / "analyses").mkdir()
    assert "There is no .jsonl file" in refuse(tmp_path, capsys)


def test_files_of_several_people_are_one_sentence(tmp_path, capsys):
    folder = tmp_path / "analyses"
    folder.mkdir()
    for number in range(4):
        write_session(folder / f"p0{number}_2026-03-0{number + 1}.jsonl", None, 0.5, shown=2)
    for given in ((), ("--person", "face1")):
        assert "The names of the files begin with p00, p01, p02, p03" in refuse(tmp_path, capsys, *given)


def test_a_person_may_be_named_with_what_parts_the_name_from_the_date(tmp_path, capsys):
    folder = tmp_path / "analyses"
    folder.mkdir()
    for person, day in (("p07", 1), ("p07", 2), ("p071", 3)):
        write_session(folder / f"{person}_2026-03-0{day}.jsonl", None, 0.5, shown=2)
    for given in ("p07", "p07_"):
        assert dfer("longitudinal", folder, "--person", given, "-o", tmp_path / "page.html") == 0
        assert "2 sessions" in capsys.readouterr().out


def test_the_hash_that_analyze_puts_after_a_name_tells_no_time(tmp_path):
    for digest in ("4672fb1d11", "0930fb1d11", "093015fb1d"):
        write_session(tmp_path / f"p07_2026-03-02-{digest}.jsonl", None, 0.5, shown=2)
        (session,) = read_sessions(tmp_path)
        assert session.begin == datetime.datetime(2026, 3, 2, tzinfo=UTC)
        session.path.unlink()


def test_conditions_may_name_recordings_as_they_were_called(tmp_path, capsys):
    folder = tmp_path / "analyses"
    folder.mkdir()
    for day in range(1, 5):
        write_session(folder / output_name(folder / f"p07_2026-03-0{day}.mp4"), None, 0.5, shown=4, seed=day)
    rows = "".join(f"p07_2026-03-0{day},{'before' if day < 3 else 'after'}\n" for day in range(1, 5))
    (tmp_path / "conditions.csv").write_text("session,condition\n" + rows, encoding="utf-8")
    given = ("--conditions", tmp_path / "conditions.csv", "-o", tmp_path / "page.html")
    assert dfer("longitudinal", folder, *given) == 0
    assert "Hedges' g" in (tmp_path / "page.html").read_text()
    (tmp_path / "page.html").unlink()
    assert "There is no file" in refuse(tmp_path, capsys, "--conditions", tmp_path / "none.csv")
