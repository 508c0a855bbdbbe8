"""`dfer data prepare` into a folder that holds something: a finished set is known again, nothing is mixed."""

import json
import shutil

from made_data_sets import write
from prepared_folders import content


def test_a_finished_set_is_left_alone_and_never_mixed_with_another(made, prepare_set):
    root, _ = made("mafw")
    output, _, _ = prepare_set("mafw", root)
    before = content(output)
    _, code, said = prepare_set("mafw", root)
    assert (code, "as prepared before" in said) == (0, True)
    _, code, said = prepare_set("mafw", root, "--fold", "2")
    assert (code, "holds a set that was prepared with fold 1, not 2: choose another --output" in said) == (1, True)
    assert content(output) == before


def test_a_finished_set_of_another_root_or_with_gaps_is_not_taken_for_this_one(made, prepare_set, tmp_path):
    root, _ = made("mafw")
    other = shutil.copytree(root, tmp_path / "other_root")
    shutil.rmtree(root / "data/frames/00153")
    output, code, _ = prepare_set("mafw", root, "--skip-missing")
    assert code == 0
    before = content(output)
    _, code, said = prepare_set("mafw", other, "--skip-missing")
    assert (code, f"was prepared with root {root}, not {other}: choose another" in said) == (1, True)
    shutil.copytree(other / "data/frames/00153", root / "data/frames/00153")
    _, code, said = prepare_set("mafw", root)
    assert (code, "was prepared with skip missing True, not False" in said) == (1, True)
    assert content(output) == before
    _, code, said = prepare_set("mafw", root, "--skip-missing")
    assert (code, "as prepared before" in said) == (0, True)


def test_a_set_of_an_older_version_that_kept_less_is_known_again(made, prepare_set):
    root, _ = made("mafw")
    output, _, _ = prepare_set("mafw", root)
    summary = json.loads((output / "prepared.json").read_text())
    assert set(summary["settings"]) == {"data set", "fold", "detector", "root", "skip missing"}
    for name in ("root", "skip missing"):
        del summary["settings"][name]
    (output / "prepared.json").write_text(json.dumps(summary))
    _, code, said = prepare_set("mafw", root)
    assert (code, "as prepared before" in said) == (0, True)
    (output / "prepared.json").write_text("[]")
    _, code, said = prepare_set("mafw", root)
    assert (code, "settings that nobody knows, as prepared.json is missing or damaged" in said) == (1, True)


def test_a_folder_with_something_else_in_it_is_not_touched(made, prepare_set, tmp_path):
    root, _ = made("ck48")
    write(tmp_path / "mine" / "letter.txt", "dear")
    _, code, said = prepare_set("ck48", root, output=tmp_path / "mine")
    assert (code, "is not empty and no prepared set" in said) == (1, True)
    _, code, said = prepare_set("ck48", root, output=tmp_path / "mine" / "letter.txt")
    assert (code, "is a file" in said) == (1, True)
    assert content(tmp_path / "mine") == {"letter.txt": b"dear"}
