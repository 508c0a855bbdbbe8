"""The log that says each thing once in a while."""

import pytest

from dfer_ros.core.errors import DferError, ImageError
from dfer_ros.ros import throttled_log
from dfer_ros.ros.throttled_log import ThrottledLog


class Lines:
    """Takes the place of the logger of a node and keeps the lines."""

    def __init__(self):
        self.lines = []
        self.info = self.warning = self.error = self.lines.append


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def log(lines):
    return ThrottledLog(lines)


def test_a_sentence_is_said_once_whatever_its_numbers(log, lines):
    for width in range(10):
        log.warning(f"The image is {width} pixels wide.")
    assert lines.lines == ["The image is 0 pixels wide."]


def test_what_stands_in_quotes_makes_no_other_kind(log, lines):
    for encoding in ("cmyk", "cm'yk", "cm\nyk", ""):
        log.error(ImageError(f"The encoding '{encoding}' is not supported."))
    assert len(lines.lines) == 1


def test_other_sentences_are_said_as_well(log, lines):
    for sentence in ("The image is truncated.", "The image is empty.", "The camera is gone."):
        log.warning(sentence)
    assert len(lines.lines) == 3


def test_a_sentence_is_said_again_later(log, lines, monkeypatch):
    monkeypatch.setattr(throttled_log.time, "monotonic", iter((0.0, 4.9, 5.1, 5.2)).__next__)
    for _ in range(4):
        log.warning("The camera is gone.")
    assert len(lines.lines) == 2


def test_a_flood_of_different_sentences_is_held_back(log, lines):
    for letter in range(1000):
        log.warning(f"The face {''.join(chr(97 + int(digit)) for digit in str(letter))} has no crop.")
    assert len(lines.lines) == 20


def test_an_error_of_ours_is_one_line_of_bounded_length(log, lines):
    log.error(DferError("An encoding of\nmany\r\n lines: " + "x" * 10_000))
    assert lines.lines[0].startswith("An encoding of many lines: x")
    assert len(lines.lines[0]) == 1000


def test_an_error_of_others_comes_with_the_lines_that_led_to_it(log, lines):
    try:
        raise ValueError("bad")
    except ValueError as error:
        log.error(error)
    assert "please report it" in lines.lines[0]
    assert "test_throttled_log.py" in lines.lines[0]
