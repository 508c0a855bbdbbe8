import os

import pytest

from dfer_ros.bags.reader import METADATA_FILE
from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.find_recordings import find_recordings


@pytest.fixture
def tree(tmp_path):
    """A folder as testers have them: videos in folders, frames of a clip, a bag, and what is no recording."""
    for name in (
        "talks/b.mp4",
        "talks/a.MP4",
        "talks/thumbnail.png",
        "talks/notes.txt",
        "talks/.hidden.mp4",
        "talks/more/c.gif",
        "frames/clip/0.png",
        "frames/clip/1.png",
        "bag/bag_0.mcap",
        f"bag/{METADATA_FILE}",
        ".cache/old.mp4",
        "empty/readme.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(tree, *named):
    return [str(path.relative_to(tree)) for path in find_recordings([str(tree / name) for name in named]).recordings]


def test_a_folder_gives_all_recordings_in_it_at_any_depth(tree):
    assert found(tree, ".") == ["bag", "frames/clip", "talks/a.MP4", "talks/b.mp4", "talks/more/c.gif"]


@pytest.mark.parametrize("name", ["talks/b.mp4", "frames/clip", "bag", "talks/notes.txt"])
def test_what_is_named_itself_is_taken_as_it_is(tree, name):
    assert found(tree, name) == [name]


def test_images_beside_videos_are_no_recording(tree):
    assert found(tree, "talks") == ["talks/a.MP4", "talks/b.mp4", "talks/more/c.gif"]


@pytest.mark.parametrize("beside", ["talks", "frames", "frames/clip"])
def test_a_storage_file_beside_other_recordings_is_one(tree, beside):
    before = found(tree, beside)
    (tree / beside / "alone.mcap").touch()
    assert sorted(found(tree, beside)) == sorted([*before, f"{beside}/alone.mcap"])


def test_a_folder_with_nothing_but_storage_files_is_what_a_killed_recorder_left(tree):
    (tree / "bag" / METADATA_FILE).unlink()
    (tree / "bag").rename(tree / "killed")
    assert "killed" in found(tree, ".")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("talks/*.mp4", ["talks/b.mp4"]),
        ("talks/*", ["talks/a.MP4", "talks/b.mp4", "talks/more/c.gif"]),
        ("**/*.gif", ["talks/more/c.gif"]),
        ("f*", ["frames/clip"]),
        ("ba?", ["bag"]),
    ],
)
def test_patterns_are_expanded(tree, pattern, names):
    assert found(tree, pattern) == names


def test_a_pattern_is_relative_to_the_working_folder(tree, monkeypatch):
    monkeypatch.chdir(tree / "talks")
    assert [path.name for path in find_recordings(["*.mp4"]).recordings] == ["b.mp4"]


def test_a_name_that_looks_like_a_pattern_is_a_name_where_it_is_there(tree):
    (tree / "talk [1].mp4").touch()
    assert found(tree, "talk [1].mp4") == ["talk [1].mp4"]


def test_each_recording_is_given_once_whatever_leads_to_it(tree):
    (tree / "talks" / "link.mp4").symlink_to(tree / "talks" / "b.mp4")
    assert found(tree, "talks/b.mp4", "talks", "talks/*.mp4") == ["talks/b.mp4", "talks/a.MP4", "talks/more/c.gif"]


def test_folders_that_lead_back_to_themselves_are_walked_once(tree):
    (tree / "talks" / "more" / "up").symlink_to(tree / "talks")
    assert found(tree, "talks") == ["talks/a.MP4", "talks/b.mp4", "talks/more/c.gif"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing.mp4", "There is no file or folder .*nothing.mp4"),
        ("empty", "There is no recording in .*empty: looked for videos, bags and folders of images"),
        ("*.avi", r"There is no recording in .*\*\.avi"),
    ],
)
def test_what_leads_nowhere_is_said(tree, name, sentence):
    with pytest.raises(SourceError, match=sentence):
        found(tree, name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_said(tree):
    (tree / "talks").chmod(0)
    try:
        with pytest.raises(SourceError, match="talks cannot be read"):
            found(tree, "talks")
    finally:
        (tree / "talks").chmod(0o755)


def test_what_a_folder_passes_over_is_told_with_the_reason(tree):
    (tree / "talks" / "answers.jsonl").touch()
    assert find_recordings([str(tree / "talks")]).remarks() == [
        f"Passed over, as pictures beside videos are no recording: {tree / 'talks' / 'thumbnail.png'}.",
        f"Passed over, as their suffix is of no video, bag or picture: {tree / 'talks' / 'notes.txt'}.",
    ]


def test_many_files_that_are_passed_over_are_counted_by_suffix(tree):
    for index in range(7):
        (tree / "talks" / f"{index}.csv").touch()
    (remark,) = (remark for remark in find_recordings([str(tree / "talks")]).remarks() if "suffix" in remark)
    assert remark.endswith("8 files (7 .csv, 1 .txt).")


@pytest.mark.parametrize(
    "name", ["a.MTS", "b.m2ts", "c.VOB", "d.asf", "e.f4v", "f.h264", "g.mjpg", "h.mcap.zstd", "i.bag"]
)
def test_every_suffix_that_can_be_read_or_explained_is_a_recording(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "clip.mp4").touch()
    assert sorted(found(tmp_path, ".")) == sorted([name, "clip.mp4"])


def test_hidden_files_of_a_mac_are_passed_over_without_a_word(tmp_path):
    for name in ("a.mp4", "._a.mp4", ".DS_Store", "frames/1.png", "frames/._1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    recordings = find_recordings([str(tmp_path)])
    assert [path.name for path in recordings.recordings] == ["a.mp4", "frames"]
    assert recordings.remarks() == []


def test_a_pattern_in_quotes_finds_bags(tmp_path):
    for name in ("a.mcap", "b.db3", "notes.txt"):
        (tmp_path / name).touch()
    assert found(tmp_path, "*") == ["a.mcap", "b.db3"]
    assert found(tmp_path, "*.mcap") == ["a.mcap"]


def test_an_address_is_analyzed_by_itself():
    with pytest.raises(SourceError, match="is an address: analyze it by itself, with --output"):
        find_recordings(["http://camera/clip.mp4"])
