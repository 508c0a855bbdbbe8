import numpy as np
import pytest
from made_bags import IMAGE_TOPIC, PERIOD, write_clip

from dfer_ros.bags.reader import open_reader
from dfer_ros.bags.selection import BagPart, select
from dfer_ros.core.errors import SourceError

FRAMES = 30
PICTURE = np.zeros((4, 4, 3), np.uint8)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("bags") / "bag", [PICTURE] * FRAMES, texts=10)


@pytest.fixture
def reader(bag):
    with open_reader(bag) as opened:
        yield opened


def played(reader, bag, topics=(), part=None):
    """Return topic and seconds from the begin of the messages selected."""
    selection = select(reader, bag, topics, part or BagPart())
    return [(c.topic, (received - reader.start_time) * 1e-9) for c, received, _ in selection.messages()]


def test_all_is_selected_by_default(reader, bag):
    messages = played(reader, bag)
    assert len(messages) == FRAMES + 10
    assert [at for _, at in messages] == sorted(at for _, at in messages)


@pytest.mark.parametrize("name", ["/chatter", "chatter"])
def test_topics_are_selected_by_name(reader, bag, name):
    assert [topic for topic, _ in played(reader, bag, [name])] == ["/chatter"] * 10


def test_names_without_a_slash_in_the_bag_are_found(tmp_path):
    bag = write_clip(tmp_path / "bag", [PICTURE], topic="image")
    with open_reader(bag) as opened:
        assert len(played(opened, bag, ["/image"])) == 1


@pytest.mark.parametrize(
    ("start", "duration", "frames"),
    [
        (0.0, 0.1, range(3)),
        (0.4, None, range(12, 30)),
        (0.39, 0.2, range(12, 18)),
        (0.9, 100.0, range(27, 30)),
        (0.9, float("inf"), range(27, 30)),
        (0.9, 1e300, range(27, 30)),
    ],
)
def test_a_part_is_selected_by_its_times(reader, bag, start, duration, frames):
    messages = played(reader, bag, [IMAGE_TOPIC], BagPart(start, duration))
    assert [at for _, at in messages] == pytest.approx([index * PERIOD for index in frames], abs=1e-6)


def test_passes_count_how_often_the_bag_begins(reader, bag):
    selection = select(reader, bag, ["/chatter"], BagPart())
    assert [count for (count, _), _, _ in selection.passes(loop=False)] == [0] * 10
    endless = selection.passes(loop=True)
    assert [next(endless)[0][0] for _ in range(25)] == [0] * 10 + [1] * 10 + [2] * 5


def test_a_loop_over_nothing_ends(reader, bag):
    selection = select(reader, bag, ["/chatter"], BagPart(start=0.8))
    assert list(selection.passes(loop=True)) == []


def test_a_topic_that_is_not_there_is_an_error_that_lists_those_that_are(reader, bag):
    there = r"/camera/image_raw \(sensor_msgs/msg/Image\), /chatter \(std_msgs/msg/String\)"
    with pytest.raises(SourceError, match=f"has no topic image; its topics: {there}"):
        select(reader, bag, ["/chatter", "image"], BagPart())


@pytest.mark.parametrize("start", [1.0, 1e300, float("inf")])
def test_a_start_beyond_the_end_is_an_error(reader, bag, start):
    with pytest.raises(SourceError, match=r"lasts 1\.0 s: --start must be less"):
        select(reader, bag, [], BagPart(start=start))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ((-1.0, None), "--start must"),
        ((float("nan"), None), "--start must"),
        ((0.0, 0.0), "--duration must"),
        ((0.0, float("nan")), "--duration must"),
    ],
)
def test_a_part_that_makes_no_sense_is_an_error(part, sentence):
    with pytest.raises(SourceError, match=sentence):
        BagPart(*part)


def test_an_empty_bag_is_an_error(tmp_path):
    empty = write_clip(tmp_path / "bag", [])
    with open_reader(empty) as opened, pytest.raises(SourceError, match="holds no messages"):
        select(opened, empty, [], BagPart())
