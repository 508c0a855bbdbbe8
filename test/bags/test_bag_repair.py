import contextlib
import re
import shutil
import sqlite3

import numpy as np
import pytest
from made_bags import FORMS, START, TEXT, TYPES, write_clip
from rosbags.rosbag2 import Reader

from dfer_ros.bags.message_definitions import define_type
from dfer_ros.bags.repair import repair_bag
from dfer_ros.bags.writer import STORAGES, BagWriter
from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.bag_images import BagImages

FRAMES = 30
# Five of them fill a chunk of an MCAP file.
PICTURES = [np.random.default_rng(index).integers(0, 256, (240, 320, 3), dtype=np.uint8) for index in range(FRAMES)]


def data_file(bag):
    return next(file for file in bag.iterdir() if file.name != "metadata.yaml")


def indices(bag):
    """Return which pictures a bag holds, each whole."""
    frames = list(BagImages(bag, "").frames())
    found = [round((frame.stamp - START) * 30) for frame in frames]
    assert all((frame.image == PICTURES[index]).all() for frame, index in zip(frames, found))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_without_metadata_every_message_is_saved(tmp_path, form):
    bag = write_clip(tmp_path / "bag", PICTURES, form, texts=5)
    (bag / "metadata.yaml").unlink()
    before = {file: file.read_bytes() for file in bag.iterdir()}
    repaired = repair_bag(bag, tmp_path / "whole", "mcap")
    assert (repaired.messages, repaired.remarks) == (FRAMES + 5, ())
    assert indices(tmp_path / "whole") == list(range(FRAMES))
    assert {file: file.read_bytes() for file in bag.iterdir()} == before


def test_topics_keep_their_types_and_profiles(tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES, texts=1)
    repair_bag(bag, tmp_path / "whole", "sqlite3")
    with Reader(bag) as old, Reader(tmp_path / "whole") as new:
        assert [(c.topic, c.msgtype, c.digest, c.ext, c.msgcount) for c in new.connections] == [
            (c.topic, c.msgtype, c.digest, c.ext, c.msgcount) for c in old.connections
        ]


@pytest.mark.parametrize("storage", STORAGES)
def test_what_a_killed_writer_had_flushed_is_saved(tmp_path, storage):
    writer = BagWriter(tmp_path / "killed", storage)
    topic = writer.add_topic("/chatter", TEXT, define_type(TEXT), [])
    for index in range(100):
        data = TYPES.serialize_cdr(TYPES.types[TEXT](str(index)), TEXT).tobytes()
        writer.write(topic, START * 10**9 + (index if index != 7 else 5), data)  # one out of order
        if index in (49, 79):
            writer.flush()
    # What a kill leaves: files as they are, nothing closed.
    shutil.copytree(tmp_path / "killed", tmp_path / "left")
    assert repair_bag(tmp_path / "left", tmp_path / "whole", storage).messages == 80
    writer.discard()
    with Reader(tmp_path / "whole") as reader:
        texts = [TYPES.deserialize_cdr(data, TEXT).data for _, _, data in reader.messages()]
    assert sorted(map(int, texts)) == list(range(80))


@pytest.mark.parametrize("form", ["mcap", "mcap, chunk zstd", "mcap, message zstd", "mcap, file zstd"])
@pytest.mark.parametrize("kept", [0.999, 0.7])
def test_of_a_truncated_file_all_but_the_end_is_saved(tmp_path, form, kept):
    bag = write_clip(tmp_path / "bag", PICTURES, form)
    file = data_file(bag)
    file.write_bytes(file.read_bytes()[: int(kept * file.stat().st_size)])
    repaired = repair_bag(bag, tmp_path / "whole", "mcap")
    assert kept * FRAMES - 7 <= repaired.messages < FRAMES
    (remark,) = repaired.remarks
    assert re.fullmatch(r"The end of bag\.mcap is lost: .*\d+ bytes, and no mark of its end\.", remark)
    assert indices(tmp_path / "whole") == list(range(repaired.messages))


@pytest.mark.parametrize("form", ["sqlite3", "sqlite3, message zstd", "sqlite3, file zstd"])
@pytest.mark.parametrize("kept", [0.999, 0.7, 0.3])
def test_of_a_truncated_database_all_but_the_end_is_saved(tmp_path, form, kept):
    bag = write_clip(tmp_path / "bag", PICTURES, form, texts=2)
    file = data_file(bag)
    file.write_bytes(file.read_bytes()[: int(kept * file.stat().st_size)])
    before = file.read_bytes()
    repaired = repair_bag(bag, tmp_path / "whole", "mcap")
    assert repaired.remarks[0].startswith("The end of bag.db3 is lost: ")
    found = indices(tmp_path / "whole")
    assert kept * FRAMES - 3 <= len(found) <= FRAMES
    assert found == list(range(len(found)))
    assert file.read_bytes() == before


def test_a_database_of_which_only_the_begin_is_left_is_a_sentence(tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES, "sqlite3")
    file = data_file(bag)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(
        SourceError, match=rf"There is no message in {bag} that can be read. The end of bag\.db3 is lost"
    ):
        repair_bag(bag, tmp_path / "whole", "mcap")
    assert not (tmp_path / "whole").exists()


def test_what_a_database_holds_in_its_journal_is_saved(tmp_path):
    """As `ros2 bag record` leaves it with --storage-preset-profile resilient."""
    bag = write_clip(tmp_path / "bag", PICTURES[:10], "sqlite3")
    (bag / "metadata.yaml").unlink()
    file = data_file(bag)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        with database:
            database.execute("DELETE FROM messages WHERE id > 4")
        shutil.copytree(bag, tmp_path / "left" / "bag")
    assert (tmp_path / "left" / "bag" / "bag.db3-wal").stat().st_size > 0
    assert repair_bag(tmp_path / "left" / "bag", tmp_path / "whole", "mcap").messages == 4


def test_a_storage_file_alone_is_repaired(tmp_path):
    file = data_file(write_clip(tmp_path / "bag", PICTURES))
    assert repair_bag(file, tmp_path / "whole", "mcap").messages == FRAMES


def test_a_file_that_was_being_packed_is_read_once(tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES)
    (bag / "bag.mcap.zstd").write_bytes(b"begun")
    assert repair_bag(bag, tmp_path / "whole", "mcap").messages == FRAMES


def test_a_topic_whose_type_nobody_defines_is_left_out_and_named(tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES[:3], "sqlite3", texts=2)
    with contextlib.closing(sqlite3.connect(data_file(bag))) as database, database:
        database.execute("DELETE FROM message_definitions")
        database.execute("UPDATE topics SET type='odd_msgs/msg/Odd' WHERE name='/chatter'")
    repaired = repair_bag(bag, tmp_path / "whole", "mcap")
    assert repaired.messages == 3
    assert repaired.remarks == ("/chatter was left out: odd_msgs/msg/Odd is not defined here: install odd_msgs.",)


@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"\x89MCAP0\r\n" + bytes(100), b"no bag at all, but long"])
def test_nothing_to_save_is_an_error_and_leaves_nothing(tmp_path, content):
    bag = tmp_path / "bag"
    bag.mkdir()
    (bag / "bag.mcap").write_bytes(content)
    with pytest.raises(SourceError, match=r"There is no message in .*bag that can be read"):
        repair_bag(bag, tmp_path / "whole", "mcap")
    assert list(tmp_path.iterdir()) == [bag]


def test_a_folder_without_storage_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"There is no bag .*: it holds no \.mcap or \.db3 file"):
        repair_bag(tmp_path, tmp_path / "whole", "mcap")


def test_nothing_is_overwritten(tmp_path):
    bag = write_clip(tmp_path / "bag", PICTURES[:1])
    with pytest.raises(SourceError, match="exists already"):
        repair_bag(bag, bag, "mcap")
    assert indices(bag) == [0]
