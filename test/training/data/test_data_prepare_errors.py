"""`dfer data prepare`: what cannot be done is said in a sentence."""

import os

import pytest
from made_data_sets import zipped
from prepared_folders import content

from dfer_ros.training.data.registry import DATASETS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_the_right_to_write_is_named(made, dfer_data, tmp_path):
    root, _ = made("ck48")
    (tmp_path / "locked").mkdir(mode=0o500)
    code, said = dfer_data("prepare", "ck48", "--root", root, "--output", tmp_path / "locked" / "set")
    assert (code, "cannot be written (Permission denied)" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "usage: dfer data"),
        (("prepare",), 2, "usage: dfer data prepare"),
        (("prepare", "nothing", "--root", "{root}", "--output", "{root}/out"), 2, "choose from"),
        (
            ("prepare", "dfew", "--root", "/nowhere", "--output", "{root}/out"),
            1,
            "There is no /nowhere: give --root DFEW as it is published, which can be had from https://dfew-dataset",
        ),
        (
            ("prepare", "dfew", "--root", "{root}", "--output", "{root}/out"),
            1,
            "which can be had from https://dfew-dataset",
        ),
        (("prepare", "kdef", "--root", "{root}", "--output", "{root}/out", "--fold", "2"), 1, "has no fold 2"),
        (
            ("prepare", "ck48", "--root", "{root}/bad.zip", "--output", "{root}/out"),
            1,
            "bad.zip is not a whole zip file",
        ),
        (("prepare", "ck48", "--root", "{root}/empty.zip", "--output", "{root}/out"), 1, "has no angry/ in it"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path, dfer_data, arguments, code, sentence):
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    (tmp_path / "empty").mkdir()
    zipped(tmp_path / "empty", tmp_path / "empty.zip")
    before = content(tmp_path)
    ended, said = dfer_data(*(argument.format(root=tmp_path) for argument in arguments))
    assert (ended, "Traceback" in said) == (code, False)
    assert sentence in said
    assert content(tmp_path) == before


def test_an_unknown_name_is_answered_with_all_names(dfer_data, tmp_path):
    _, said = dfer_data("prepare", "nothing", "--root", tmp_path, "--output", tmp_path / "out")
    assert all(name in said for name in DATASETS)
