"""The loaders: what they find in the published layouts, with which label and split, and what they refuse."""

import made_data_sets
import numpy as np
import pytest
from made_data_sets import MADE, write

from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS
from dfer_ros.training.data.aligned_packs import PACKS
from dfer_ros.training.data.preparation import check_recordings, missing_files
from dfer_ros.training.data.prepared_set import SPLITS
from dfer_ros.training.data.registry import DATASETS

FOLDS = {name: data_set.folds for name, data_set in DATASETS.items()}


def found(recordings):
    return {one.name: (one.split, LABELS[int(np.argmax(one.target))]) for one in recordings}


def test_every_data_set_has_a_made_sample():
    assert set(MADE) == set(DATASETS)
    assert set(PACKS) < set(DATASETS)


@pytest.mark.parametrize("name", MADE)
def test_what_is_there_is_found_with_its_label_and_split(made, name):
    root, expected = made(name)
    recordings = DATASETS[name].recordings(root)
    assert found(recordings) == expected
    assert missing_files(recordings) == []
    check_recordings(recordings)


@pytest.mark.parametrize("name", MADE)
def test_another_folder_is_refused_with_where_to_ask(tmp_path, name):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError) as refused:
        DATASETS[name].recordings(tmp_path)
    assert str(tmp_path) in str(refused.value)
    assert DATASETS[name].ask in str(refused.value)


@pytest.mark.parametrize("layout", [made_data_sets.affectnet_lists, made_data_sets.affectnet_folders])
def test_affectnet_is_found_in_its_other_layouts(tmp_path, pictures, layout):
    expected = layout(tmp_path, pictures)
    assert found(DATASETS["affectnet"].recordings(tmp_path)) == expected


def test_the_face_of_affectnets_lists_is_cut_out_with_a_margin(tmp_path, pictures):
    made_data_sets.affectnet_lists(tmp_path, pictures)
    image = DATASETS["affectnet"].recordings(tmp_path)[0].read()
    assert image.shape == (240, 256, 3)


@pytest.mark.parametrize("name", ["dfew", "mafw", "ck_plus"])
def test_folds_are_numbered_from_one(made, name):
    root, _ = made(name)
    last = FOLDS[name]
    assert DATASETS[name].recordings(root, last)
    for fold in (0, last + 1):
        with pytest.raises(DataError, match=rf"no fold {fold}: it has the folds 1 to {last}"):
            DATASETS[name].recordings(root, fold)


def test_a_set_with_one_split_has_no_folds(made):
    root, _ = made("raf_db")
    with pytest.raises(DataError, match="one split and no folds"):
        DATASETS["raf_db"].recordings(root, 2)


def test_a_fold_of_dfew_reads_its_own_lists(made):
    root, _ = made("dfew")
    assert found(DATASETS["dfew"].recordings(root, 2)) == {
        "00007": ("train", "disgust"),
        "00012": ("train", "happy"),
        "00003": ("test", "neutral"),
    }


def test_dfew_is_read_from_its_frames_where_there_are_no_videos(made, pictures):
    root, expected = made("dfew")
    (root / "Clip" / "original").rename(root / "Clip" / "elsewhere")
    for name in expected:
        pictures.folder(root / "Clip" / "clip_224x224_16f" / name)
    recordings = DATASETS["dfew"].recordings(root)
    assert found(recordings) == expected
    assert {one.fps for one in recordings} == {8.0}


def test_nobody_in_ck_plus_is_in_two_splits_and_everybody_is_tested_once(tmp_path):
    people = [f"S{number:03d}" for number in range(5, 38)]
    for place, person in enumerate(people):
        for sequence in ("001", "003"):
            (tmp_path / "cohn-kanade-images" / person / sequence).mkdir(parents=True)
            write(tmp_path / f"Emotion/{person}/{sequence}/{person}_{sequence}_9_emotion.txt", f"{3 + place % 5}.0e+00")
    tested = []
    for fold in range(1, FOLDS["ck_plus"] + 1):
        recordings = DATASETS["ck_plus"].recordings(tmp_path, fold)
        check_recordings(recordings)
        parts = [{one.subject for one in recordings if one.split == split} for split in SPLITS]
        assert all(parts)
        assert sum(len(part) for part in parts) == len(people)
        tested += sorted(parts[2])
    assert sorted(tested) == people


def test_nobody_in_kdef_is_in_two_splits(tmp_path):
    for session in "AB":
        for person in [f"{gender}{number:02d}" for gender in "FM" for number in range(1, 36)]:
            write(tmp_path / f"{session}{person}" / f"{session}{person}HAS.JPG", "")
    recordings = DATASETS["kdef"].recordings(tmp_path)
    check_recordings(recordings)
    people = {
        split: {one.subject for one in recordings if one.split == split} for split in ("train", "validation", "test")
    }
    assert {split: len(those) for split, those in people.items()} == {"train": 50, "validation": 10, "test": 10}
    assert all(len({person for person in those if person[0] == "F"}) * 2 == len(those) for those in people.values())


def test_a_subject_in_two_splits_is_refused(made):
    recordings = DATASETS["kdef"].recordings(made("kdef")[0])
    moved = [type(one)(**{**one.__dict__, "subject": "F01"}) for one in recordings]
    with pytest.raises(DataError, match="The subject F01 is in train"):
        check_recordings(moved)


def test_a_recording_that_is_listed_twice_or_leads_elsewhere_is_refused(made):
    root, _ = made("ferv39k")
    write(root / "4_setups/All_scenes/test_All.csv", "Action/Happy/0010 Happy\n")
    with pytest.raises(DataError, match="Action/Happy/0010 is listed twice"):
        check_recordings(DATASETS["ferv39k"].recordings(root))
    write(root / "4_setups/All_scenes/test_All.csv", "../../away Happy\n")
    with pytest.raises(DataError, match="leads out of the data set"):
        check_recordings(DATASETS["ferv39k"].recordings(root))


def test_fer2013_is_trained_on_the_distribution_of_its_votes(made):
    recordings = DATASETS["fer2013"].recordings(made("fer2013")[0])
    # Votes 4 neutral, 2 sadness, 3 anger, 1 disgust; a single vote counts as none.
    assert recordings[0].target == pytest.approx((4 / 9, 0, 2 / 9, 3 / 9, 0, 0, 0))
    assert max(recordings[1].target) == 1.0
    assert recordings[0].read().shape == (48, 48, 3)


FERV39K_LISTS = "4_setups/All_scenes"
DFEW_LIST = "EmoLabel_DataSplit/train(single-labeled)/set_1.csv"
MAFW_LIST = "Train & Test Set/single/no_caption/set_1/test.txt"
CK_PLUS_LABEL = "Emotion/S005/001/S005_001_00000005_emotion.txt"
RAF_DB_LIST = "basic/EmoLabel/list_patition_label.txt"
SPOILED = [
    (
        "ferv39k",
        "4_setups/All_scenes/train_All.csv",
        "Action/Happy/0010 Joy\n",
        "train_All.csv, line 1 has the label 'Joy'",
    ),
    ("ferv39k", f"{FERV39K_LISTS}/test_All.csv", "Action\n", "test_All.csv, line 1 is not a name and a label"),
    ("dfew", DFEW_LIST, "clip,label\n1,2\n", "has no column video_name"),
    (
        "dfew",
        "EmoLabel_DataSplit/train(single-labeled)/set_1.csv",
        "video_name,label\n1,8\n",
        "line 2 has the label '8'",
    ),
    ("dfew", DFEW_LIST, "video_name,label\nx,1\n", "is not a number"),
    ("dfew", DFEW_LIST, "video_name,label\n1\n", "line 2 has fewer values"),
    (
        "mafw",
        "Train & Test Set/single/no_caption/set_1/test.txt",
        "1.mp4 bored\n",
        "test.txt, line 1 has the label 'bored'",
    ),
    ("ck_plus", CK_PLUS_LABEL, "happy", "does not hold a number, but 'happy'"),
    ("ck_plus", CK_PLUS_LABEL, "9.0", "has the label '9'"),
    ("affectnet", "train_set/annotations/10_exp.npy", "happy", "10_exp.npy is not there or does not hold a label"),
    ("fer2013", "fer2013new.csv", "Usage,neutral\nTraining,1\n", "fer2013new.csv has no column happiness"),
    (
        "fer2013",
        "fer2013.csv",
        "emotion,pixels,Usage\n0,1 2,PublicTest\n",
        "do not belong together: they differ from row 1",
    ),
    ("raf_db", RAF_DB_LIST, "train_1.jpg 8\n", "line 1 has the label '8'"),
    ("raf_db", RAF_DB_LIST, "one.jpg 1\n", "begins with neither train_ nor test_"),
    ("kdef", "KDEF/AF01/AF01XXS.JPG", "", "has the label 'XX'"),
    (
        "dynamic_clips",
        "manifest.csv",
        "path,label,source,subject,fps\na,b,c,d,25\n",
        "line 2: the label 'b' is none of",
    ),
    (
        "dynamic_clips",
        "manifest.csv",
        "path,label\na,happy\n",
        "has no column source, subject, fps",
    ),
    ("affectnet7", "train/bored/1.jpg", "", "train/bored/1.jpg in .* lies in a folder that is none of neutral"),
    ("ferplus", "train.csv", "image,neutral\ntrain/00000.jpg,1\n", "train.csv in .*, line 2: no image and ten votes"),
    ("ck48", "contempt/S010_1_1.png", "", "lies in a folder that is none of"),
]


@pytest.mark.parametrize(("name", "file", "content", "sentence"), SPOILED)
def test_what_is_wrong_is_said_with_its_place(made, name, file, content, sentence):
    root, _ = made(name)
    write(root / file, content)
    with pytest.raises(DataError, match=sentence):
        DATASETS[name].recordings(root)


@pytest.mark.parametrize(("name", "file"), [("dfew", DFEW_LIST), ("mafw", MAFW_LIST), ("ck_plus", CK_PLUS_LABEL)])
def test_a_list_that_cannot_be_opened_is_named(made, name, file):
    root, _ = made(name)
    (root / file).unlink()
    (root / file).mkdir()
    with pytest.raises(DataError, match=r"cannot be read: Is a directory") as refused:
        DATASETS[name].recordings(root)
    assert str(root / file) in str(refused.value)
