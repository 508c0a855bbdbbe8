import pytest
from made_answers import LEFT, RIGHT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.comparison.labelled_times import read_labels
from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import EXPRESSIONS, LABELS, UNKNOWN


@pytest.fixture
def labels(tmp_path):
    def write(content):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_labels(path)

    return write


def scores(labels, new, old=None):
    old = old or {"face1": (LEFT, ["happy"] * 100)}
    return compare_recordings(made_answers(old), made_answers(new), labels).scores


def test_rows_are_read(labels):
    first, second = labels("start,end,expression,face_id\n0,1.5,happy,face1\n 2 , 3 , Surprised , \n")
    assert (first.start, first.end, EXPRESSIONS[first.expression], first.face_id) == (0.0, 1.5, "happy", "face1")
    assert (EXPRESSIONS[second.expression], second.face_id, second.line) == ("surprised", "", 3)


def test_columns_come_in_any_order_and_the_id_may_be_missing(labels):
    (label,) = labels("\ufeffexpression,end,start\r\nsad,2,1\r\n")
    assert (label.start, label.end, label.face_id) == (1.0, 2.0, "")


@pytest.mark.parametrize("names", [LABELS, EXPRESSIONS])
def test_names_of_classes_and_of_messages_are_understood(labels, names):
    rows = "".join(f"{number},{number + 1},{name}\n" for number, name in enumerate(names))
    assert [label.expression for label in labels("start,end,expression\n" + rows)] == list(range(7))


@pytest.mark.parametrize(
    "content",
    [
        "start;end;expression;face_id\n0,5;1,25;happy;face1\n",
        "start\tend\texpression\tface_id\n0.5\t1.25\thappy\tface1\n",
        "Start;End;Expression;face_id;note\n0.5;1.25;happy;face1;seen twice, by Ann\n;;;;\n",
        " start , end , expression , face_id , rater , \n0.5,1.25,happy,face1,A,,,\n",
        "\ufeffstart;end;expression;face_id\r\n0,5;1,25;happy;face1\r\n",
        "start\tend\texpression\tface_id\r\n0,5\t1,25\thappy\tface1\r\n".encode("utf-16"),
        "note;start;end;expression;face_id\n;0,5;1,25;happy;face1\n",
    ],
    ids=["decimal comma", "tab", "note", "blanks", "mark", "Unicode text", "note first"],
)
def test_tables_are_read_as_table_programs_write_them(labels, content):
    (label,) = labels(content)
    assert (label.start, label.end, EXPRESSIONS[label.expression], label.face_id) == (0.5, 1.25, "happy", "face1")


WRONG = {
    "start,end\n0,1\n": r"must have the columns start, end, expression and, if wanted, face_id; it has start, end",
    "start,person,expression\n0,1,sad\n": "it has start, person, expression",
    "": "it has none",
    "start,end,expression\n": "holds no labels",
    "start,end,expression\n0,1,bored\n": r"line 2: the expression must be one of neutral, .*, not 'bored'",
    f"start,end,expression\n0,1,{UNKNOWN}\n": "not 'unknown'",
    "start,end,expression\n0,soon,sad\n": "line 2: start and end must be seconds",
    "start,end,expression\n0,1,sad\n2,1,sad\n": "line 3: start must be before end, not 2 and 1",
    "start,end,expression\n0,inf,sad\n": "start must be before end",
    "start,end,expression\nnan,1,sad\n": "start must be before end",
    "start,end,expression\n0,1\n": "line 2: the row has more or fewer cells",
    "start,end,expression\n0,1,sad,face1\n": "line 2: the row has more or fewer cells",
    "start,end,expression\n0,2,sad\n1,3,happy\n": r"lines 2 and 3: they say sad and happy of the same face",
    "start,end,expression\n0,9,sad\n1,2,sad\n3,4,happy\n": "lines 2 and 4: they say sad and happy",
    b"start,end,expression\n\xff\xfe,1,sad\n": "cannot be read as CSV",
}


@pytest.mark.parametrize(("content", "sentence"), WRONG.items())
def test_what_is_wrong_with_a_file_of_labels_is_said(labels, content, sentence):
    with pytest.raises(DataError, match=sentence):
        labels(content)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "nothing.csv")


def test_accuracy_is_the_share_of_right_answers_and_unknown_is_wrong(labels):
    course = ["happy"] * 50 + ["sad"] * 25 + [UNKNOWN] * 25
    old, new = scores(labels("start,end,expression\n0,4,happy\n"), {"face1": (LEFT, course)})
    assert (old.answers, old.accuracy, old.uar) == (100, 1.0, 1.0)
    assert (new.answers, new.accuracy, new.uar) == (100, 0.5, 0.5)


def test_uar_is_the_mean_of_the_recalls_of_what_occurs(labels):
    course = ["happy"] * 75 + ["sad"] * 15 + ["happy"] * 10
    _, new = scores(labels("start,end,expression\n0,3,happy\n3,4,sad\n"), {"face1": (LEFT, course)})
    assert new.accuracy == pytest.approx(0.9)
    assert new.uar == pytest.approx((1.0 + 15 / 25) / 2)


def test_times_without_a_label_do_not_count_and_the_end_is_not_included(labels):
    _, new = scores(labels("start,end,expression\n1,2,happy\n"), {"face1": (LEFT, ["sad"] * 25 + ["happy"] * 75)})
    assert (new.answers, new.accuracy) == (25, 1.0)


def test_the_ids_of_labels_are_those_of_the_old_file(labels):
    old = {"face1": (LEFT, ["happy"] * 100), "face2": (RIGHT, ["sad"] * 100)}
    new = {"face1": (RIGHT, ["sad"] * 100), "face2": (LEFT, ["happy"] * 50 + ["sad"] * 50)}
    rows = "start,end,expression,face_id\n0,4,happy,face1\n"
    first, second = scores(labels(rows), new, old)
    assert (first.answers, first.accuracy) == (100, 1.0)
    assert (second.answers, second.accuracy) == (100, 0.5)


def test_a_face_that_only_the_new_side_sees_for_a_while_keeps_its_label(labels):
    old = {"face1": (LEFT, ["happy"] * 60)}
    new = {"other": (LEFT, ["happy"] * 60 + ["sad"] * 40), "stranger": (RIGHT, ["sad"] * 100)}
    _, second = scores(labels("start,end,expression,face_id\n0,4,happy,face1\n"), new, old)
    assert (second.answers, second.accuracy) == (100, 0.6)


def test_an_expression_that_the_new_side_loses_is_wrong_there(labels):
    course = ["happy"] * 50 + ["neutral"] * 25 + ["sad"] * 25
    rows = "start,end,expression\n0,2,happy\n2,3,neutral\n3,4,sad\n"
    old, new = ({"face1": (LEFT, each)} for each in (course, course[:75] + [None] * 25))
    kept, lost = scores(labels(rows), new, old)
    assert (kept.answers, kept.missing, kept.accuracy, kept.uar) == (100, 0, 1.0, 1.0)
    assert (lost.answers, lost.missing, lost.accuracy, lost.uar) == (75, 25, 0.75, pytest.approx(2 / 3))


def test_a_side_without_any_answer_about_what_is_labelled_has_nothing_right(labels):
    course = ["happy"] * 75 + ["sad"] * 25
    old, new = ({"face1": (LEFT, each)} for each in (course, course[:75] + [None] * 25))
    _, lost = scores(labels("start,end,expression,face_id\n3,4,sad,face1\n"), new, old)
    assert (lost.answers, lost.missing, lost.accuracy, lost.uar) == (0, 25, 0.0, 0.0)


def test_a_face_that_only_the_new_side_sees_is_missing_on_the_old_one(labels):
    new = {"face1": (LEFT, ["happy"] * 100), "other": (RIGHT, ["happy"] * 100)}
    old, found = scores(labels("start,end,expression\n0,4,happy\n"), new)
    assert (old.answers, old.missing, old.accuracy) == (100, 100, 0.5)
    assert (found.answers, found.missing, found.accuracy) == (200, 0, 1.0)


def test_frames_that_a_side_of_another_rate_did_not_process_are_not_missing(labels):
    old = made_answers({"face1": (LEFT, ["happy"] * 100)})
    new = made_answers({"face1": (LEFT, ["happy"] * 50)}, fps=12.5)
    for score in compare_recordings(old, new, labels("start,end,expression\n0,4,happy\n")).scores:
        assert (score.answers, score.missing, score.accuracy) == (50, 0, 1.0)


def test_of_two_answers_about_one_person_in_a_frame_that_of_the_pair_counts(labels):
    """The new side sees the person twice for a while, and goes on with the second id."""
    new = {"face1": (LEFT, ["happy"] * 80), "face2": (LEFT, [None] * 20 + ["sad"] * 60 + ["happy"] * 20)}
    _, second = scores(labels("start,end,expression,face_id\n0,4,happy,face1\n"), new)
    assert (second.answers, second.missing, second.accuracy) == (100, 0, 1.0)


def test_a_row_with_an_id_counts_more_than_one_for_everybody(labels):
    both = {"face1": (LEFT, ["happy"] * 100), "face2": (RIGHT, ["sad"] * 100)}
    rows = "start,end,expression,face_id\n0,4,sad,face2\n0,4,happy,\n"
    first, _ = scores(labels(rows), both, both)
    assert (first.answers, first.accuracy) == (200, 1.0)


def test_an_id_that_is_none_of_the_old_file_is_said(labels):
    found = labels("start,end,expression,face_id\n0,4,happy,face7\n")
    with pytest.raises(DataError, match=r"The face_id face7 of the labels \(line 2\) is not in made; it has face1"):
        scores(found, {"face1": (LEFT, ["happy"] * 100)})


def test_labels_on_another_clock_are_said(labels):
    found = labels("start,end,expression\n1000,1010,happy\n")
    with pytest.raises(DataError, match=r"No answer of made is labelled: its stamps go from 0.00 to 3.96 s"):
        scores(found, {"face1": (LEFT, ["happy"] * 100)})
