import pytest

from dfer_ros.recordings.bag_images import BagStamps

SECOND = 10**9
DELAY = 0.2


def stamps_of(headers):
    """Return the stamps of images 0.1 s apart, received DELAY after they were taken, and what is said of them."""
    stamps = BagStamps()
    times = [(index, header, 0.1 * index + 10 + DELAY) for index, header in enumerate(headers)]
    given = [(index, round(header * SECOND), round(received * SECOND)) for index, header, received in times]
    result = list(stamps.stamped(given))
    assert [index for index, _ in result] == list(range(len(headers)))
    return [stamp for _, stamp in result], stamps.remarks()


def taken(count):
    return pytest.approx([10 + 0.1 * index for index in range(count)])


def test_headers_that_tell_are_believed():
    assert stamps_of([10 + 0.1 * index for index in range(9)]) == (taken(9), [])


@pytest.mark.parametrize("first", [0, 1, 2])
def test_images_without_a_stamp_are_put_between_the_others(first):
    headers = [0 if index % 3 == first else 10 + 0.1 * index for index in range(20)]
    stamps, (remark,) = stamps_of(headers)
    assert stamps == taken(20)
    assert remark == f"{headers.count(0)} of 20 images have no stamp: the time of the recorder stands for it."


def test_without_any_stamp_the_recorder_tells_the_time():
    stamps, remarks = stamps_of([0] * 40)
    assert stamps == pytest.approx([10 + DELAY + 0.1 * index for index in range(40)])
    assert remarks == []


@pytest.mark.parametrize(
    "headers",
    [
        [10.0] * 20,  # the clock of the camera is frozen
        [10 + 0.1 * (index // 2 * 2) for index in range(20)],  # every other image twice
        [float(10 + index // 10) for index in range(20)],  # whole seconds
    ],
)
def test_stamps_that_repeat_count_as_taken_when_received(headers):
    stamps, (remark,) = stamps_of(headers)
    assert stamps == taken(20)
    assert remark.startswith("The stamps of the images ")
    assert ("stand still" in remark) == (len(set(headers)) == 1)


def test_another_clock_in_the_headers_does_not_matter():
    stamps, _ = stamps_of([0 if index % 2 else 500 + 0.1 * index for index in range(10)])
    assert stamps == pytest.approx([500 + 0.1 * index for index in range(10)])


def test_late_messages_without_a_stamp_come_before_the_next_with_one():
    stamps = BagStamps()
    given = [(0, 10 * SECOND, 11 * SECOND), (1, 0, 19 * SECOND), (2, 12 * SECOND, 20 * SECOND)]
    assert [stamp for _, stamp in stamps.stamped(given)] == [10, 11, 12]
