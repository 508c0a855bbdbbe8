"""RAF-DB without its authors' stretch, and what must not be learned from."""

import cv2
import numpy as np
import pytest

from dfer_ros.core.alignment import TEMPLATE
from dfer_ros.core.errors import DataError
from dfer_ros.training.data.aligned_packs import AFFECTNET7
from dfer_ros.training.data.aligned_rafdb import RAFDB, unstretched
from dfer_ros.training.data.preparation import without_training
from dfer_ros.training.data.prepared_set import open_prepared_set

EYES_AND_MOUTH = ((23.4, 34.4), (73.4, 34.4), (48.4, 75.4))
"""Where the authors put them in their stills of 100 pixels."""


def test_eyes_and_mouth_come_to_rest_on_the_template():
    image = np.zeros((100, 100, 3), np.uint8)
    for x, y in EYES_AND_MOUTH:
        image[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] = 255
    bright = unstretched(image)[:, :, 0] > 100
    count, _, _, centres = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    assert count == 4
    expected = TEMPLATE[[0, 1, 3]] * 128
    found = centres[1:][np.lexsort((centres[1:, 0], centres[1:, 1].round(-1)))]
    assert np.abs(found - expected).max() < 2.5


def test_the_edges_are_continued():
    crop = unstretched(np.full((100, 100, 3), 77, np.uint8))
    assert crop.shape == (128, 128, 3) and (crop == 77).all()


def test_a_near_duplicate_of_a_test_still_is_not_trained_on_and_lists_become_tags(made, prepare_set):
    root, expected = made("rafdb")
    output, code, _ = prepare_set("rafdb", root)
    assert code == 0
    samples = {sample.image: sample for sample in open_prepared_set(output).samples}
    assert set(samples) == set(expected)
    assert {sample.tags for sample in samples.values()} == {(), ("occlusion", "pose30")}


def test_another_name_or_class_is_refused(made):
    root, _ = made("rafdb")
    (root / "test" / "happy" / "face.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"face\.jpg in .* is not named <split>/<class>/<split>_<number>_aligned\.jpg"):
        RAFDB.recordings(root)


def test_training_stills_of_another_set_that_a_list_names_stay_out(made, prepare_set, tmp_path):
    root, expected = made("affectnet7")
    twins = tmp_path / "near_duplicates.csv"
    twins.write_text("raf,affectnet7\ntest/sad/test_1.jpg,train/sad/00000.jpg\ntest/sad/test_1.jpg,val/sad/00000.jpg\n")
    output, code, _ = prepare_set("affectnet7", root, "--without", twins)
    assert code == 0
    found = {sample.image for sample in open_prepared_set(output).samples}
    assert found == set(expected) - {"train/sad/00000.jpg"}
    # Another list is another set.
    twins.write_text("raf,affectnet7\ntest/sad/test_1.jpg,train/fear/00000.jpg\n")
    _, code, said = prepare_set("affectnet7", root, "--without", twins, output=output)
    assert code == 1 and "choose another --output" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"a,b\nno,such\n", "names none of the 14 recordings"), (b"\xff\xfe\xff", "cannot be read")],
)
def test_a_list_of_something_else_is_refused(made, tmp_path, content, sentence):
    root, _ = made("affectnet7")
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        without_training(AFFECTNET7.recordings(root), tmp_path / "list.csv")
