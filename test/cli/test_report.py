"""`dfer report`: what people and other programs see of it."""

import csv
import json
import random
import re
import time

import numpy as np
import pytest
from dfer_command import dfer
from rosbags.rosbag2 import StoragePlugin, Writer

from dfer_ros.bags.types import EMOTIONS_TYPE, FACES_TYPE, create_typestore
from dfer_ros.core.emotion import PHASES
from dfer_ros.core.labels import LABELS

HOUR_FRAMES = 108_000
FEW_FRAMES = 58


@pytest.fixture(scope="module")
def hour(analyzed, tmp_path_factory):
    """An hour at 30 Hz of one face, out of real answers, in pieces of a random length with pauses between."""
    records = [json.loads(line) for line in analyzed[1].read_text().splitlines()]
    shapes = [dict(record, probabilities=shares) for record in records for shares in _turned(record)]
    pick = random.Random(0)
    path = tmp_path_factory.mktemp("hour") / "hour.jsonl"
    with path.open("w") as file:
        for frame in range(HOUR_FRAMES):
            if frame % 20 == 0:
                shape = pick.choice(shapes)
            file.write(json.dumps({**shape, "frame": frame, "stamp": round(frame / 30, 6)}) + "\n")
    return path


def _turned(record):
    """Return the probabilities of a record, given to the classes in every order that a turn makes."""
    values = list(record["probabilities"].values())
    return [dict(zip(LABELS, values[turn:] + values[:turn])) for turn in range(len(LABELS))]


def test_a_recording_becomes_a_page_and_two_tables(analyzed, tmp_path, capsys):
    page, figures, episodes = (tmp_path / name for name in ("clip.html", "clip.csv", "episodes.csv"))
    assert dfer("report", analyzed[1], "-o", page, "--csv", figures, "--episodes", episodes) == 0
    assert "<h2>face1</h2>" in page.read_text(encoding="utf-8")
    rows = list(csv.DictReader(figures.open()))
    assert [row["expression"] for row in rows if float(row["share"]) > 0.5] == ["happy"]
    assert next(row["expression"] for row in csv.DictReader(episodes.open())) == "happy"
    assert "happy" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 3


def test_twice_gives_the_same_page(analyzed, tmp_path):
    for name in ("first.html", "second.html"):
        assert dfer("report", analyzed[1], "-o", tmp_path / name) == 0
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "second.html").read_bytes()


def test_faces_are_shown_only_on_request(analyzed, tmp_path):
    video, jsonl = analyzed
    assert dfer("report", jsonl, "-o", tmp_path / "without.html") == 0
    assert dfer("report", jsonl, "-o", tmp_path / "with.html", "--faces", "--source", video) == 0
    without, with_faces = ((tmp_path / name).read_text() for name in ("without.html", "with.html"))
    assert "data:image" not in without
    assert "data:image/jpeg;base64," in with_faces


def test_in_a_narrow_terminal_no_word_and_no_id_is_cut(analyzed, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    renamed, face_id = tmp_path / "renamed.jsonl", "the_child_at_the_window"
    renamed.write_text(analyzed[1].read_text().replace("face1", face_id))
    assert dfer("report", renamed, "-o", tmp_path / "page.html") == 0
    table = capsys.readouterr().out.partition("->")[0]
    assert all(word in table for word in ("person", "in view", "mostly", "unknown", "expressions", "confidence"))
    assert "…" not in table
    begins = [line.split()[0] for line in table.splitlines() if line.strip()]
    assert face_id in "".join(begins)


def test_an_hour_takes_seconds_and_little_space(hour, tmp_path):
    page = tmp_path / "hour.html"
    # The time of this process, which a busy machine does not stretch; about 1.5 s where this was written.
    start = time.process_time()
    assert dfer("report", hour, "-o", page, "--csv", tmp_path / "hour.csv") == 0
    assert time.process_time() - start < 10.0
    assert page.stat().st_size < 3_000_000


@pytest.fixture(scope="module")
def graph_bag(analyzed, clip, aligned_crop, tmp_path_factory):
    """A bag with what the graph publishes, made by its own message classes; every tenth frame is missing."""
    from builtin_interfaces.msg import Time
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    from dfer_msgs.msg import Emotion, EmotionArray, Face, FaceArray

    path, types = tmp_path_factory.mktemp("graph") / "evening", create_typestore()
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        emotions = writer.add_connection("/dfer/emotions", EMOTIONS_TYPE, typestore=types)
        faces = writer.add_connection("/dfer/faces", FACES_TYPE, typestore=types)
        for record in map(json.loads, analyzed[1].read_text().splitlines()):
            at = 1_700_000_000 * 10**9 + round(record["stamp"] * 1e9)
            if record["frame"] % 10 == 9:
                continue
            header = Header(stamp=Time(sec=at // 10**9, nanosec=at % 10**9), frame_id="camera")
            crop = Image(height=128, width=128, encoding="bgr8", step=384, data=aligned_crop.tobytes())
            face = FaceArray(header=header, faces=[Face(id=record["face_id"], aligned=crop)])
            emotion = Emotion(
                **{name: record[name] for name in ("face_id", "expression", "confidence", "valence", "arousal")},
                probabilities=np.array(list(record["probabilities"].values()), np.float32),
                intensity=record["intensity"],
                phase=PHASES.index(record["phase"]),
            )
            writer.write(faces, at + 20_000_000, serialize_message(face))
            writer.write(emotions, at + 30_000_000, serialize_message(EmotionArray(header=header, emotions=[emotion])))
    return path


def test_a_bag_tells_latency_and_missing_frames(graph_bag, tmp_path):
    page = tmp_path / "evening.html"
    assert dfer("report", graph_bag, "-o", page) == 0
    text = re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")).replace("\u00a0", " ")
    assert "Median 30.0 ms, 95 % within 30.0 ms" in text
    assert "5 frames missing" in text
    assert "2023-11-14 22:13:20 UTC" in text
    assert "data:image" not in text


def test_a_bag_brings_its_own_faces(graph_bag, aligned_crop, tmp_path):
    page = tmp_path / "evening.html"
    assert dfer("report", graph_bag, "-o", page, "--faces") == 0
    assert 'src="data:image/jpeg;base64,' in page.read_text(encoding="utf-8")


def test_few_damaged_lines_are_told_on_the_page_and_on_screen(analyzed, tmp_path, capsys):
    lines = analyzed[1].read_text().splitlines()
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_text("\n".join([*lines, lines[0][:50]]))
    assert dfer("report", damaged, "-o", tmp_path / "page.html") == 0
    sentence = (
        f"1 of {len(lines) + 1} lines are damaged and were left out; the first: line {len(lines) + 1} is not JSON."
    )
    assert sentence in (tmp_path / "page.html").read_text()
    assert sentence in capsys.readouterr().err


BAD = {
    "no such file": (["absent.jsonl"], "There is no file or folder absent.jsonl"),
    "an empty file": (["empty.jsonl"], "empty.jsonl is empty"),
    "something else": (["noise.jsonl"], "None of the 3 lines of noise.jsonl is one of `dfer analyze`"),
    "a video": (["talk.mp4"], "talk.mp4 is neither a .jsonl file nor a bag; for a video run `dfer analyze` first"),
    "a folder": (["folder"], "The folder folder is no bag"),
    "a bag that was not finished": (["part.mcap"], "The bag part.mcap has no end"),
    "a bag without emotions": (
        ["bag"],
        "There are no emotions (dfer_msgs/msg/EmotionArray) in the bag bag; its topics: ",
    ),
    "a page of another kind": (["good.jsonl", "-o", "page.pdf"], "page.pdf must be the name of a .html file"),
    "no such folder": (["good.jsonl", "-o", "nowhere/page.html"], "nowhere/page.html cannot be written"),
    "a file as folder": (["good.jsonl", "-o", "noise.jsonl/page.html"], "noise.jsonl/page.html cannot be written"),
    "a folder as page": (["good.jsonl", "-o", "folder.html"], "folder.html must be the name of a .html file"),
    "a table of another kind": (
        ["good.jsonl", "--csv", "figures.xlsx"],
        "figures.xlsx must be the name of a .csv file",
    ),
    "one table for two": (["good.jsonl", "--csv", "a.csv", "--episodes", "a.csv"], "must be two files"),
    "a table nowhere": (["good.jsonl", "--csv", "nowhere/a.csv"], "nowhere/a.csv cannot be written"),
    "faces of a text": (["good.jsonl", "--faces"], "--faces needs what was analyzed"),
    "a source without faces": (["good.jsonl", "--source", "talk.mp4"], "--source is only of use with --faces"),
    "a camera": (
        ["good.jsonl", "--faces", "--source", "0"],
        "There is no file or folder 0: --source takes the video, folder or bag that was analyzed.",
    ),
    "a source that is none": (["good.jsonl", "--faces", "--source", "talk.mp4"], "FFmpeg cannot open talk.mp4"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    analyzed, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_bytes(analyzed[1].read_bytes())
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "noise.jsonl").write_text("a\nb\nc\n")
    (tmp_path / "part.mcap").touch()
    (tmp_path / "talk.mp4").write_text("no video")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.html").mkdir()
    with Writer(tmp_path / "bag", version=9) as writer:
        writer.add_connection("/chatter", "std_msgs/msg/String", typestore=create_typestore())
    before = sorted(tmp_path.rglob("*"))
    output = [] if "-o" in arguments else ["-o", "page.html"]
    assert dfer("report", *arguments, *output) == 1
    said = capsys.readouterr()
    assert said.err.startswith("dfer report: ")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_an_old_page_stays_when_the_new_one_fails(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "page.html").write_text("old")
    assert dfer("report", tmp_path / "empty.jsonl", "-o", tmp_path / "page.html") == 1
    assert (tmp_path / "page.html").read_text() == "old"
