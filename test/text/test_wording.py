"""Numbers, times and lists in words."""

import pytest

from dfer_ros.text.wording import clock, clock_units, length, listing, pace, percent, plural, short_length, time_unit


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (clock(7), "0:07"),
        (clock(59.96, 1), "1:00.0"),
        (clock(3723.45, 2), "1:02:03.45"),
        (clock(-0.5, 1), "-0:00.5"),
        (length(0.351), "0.35 s"),
        (length(59.97), "1 min 00 s"),
        (length(3599.9), "1 h 00 min"),
        (length(208_800), "58 h 00 min"),
        (length(360_000), "4 d 04 h"),
        (short_length(1 / 30), "33.3 ms"),
        (short_length(0.99999), "1.00 s"),
        (short_length(3600), "1 h 00 min"),
        (pace(1 / 30), "30.0 Hz"),
        (pace(3600), "one every 1 h 00 min"),
        (time_unit(0.0333)[0], "ms"),
        (time_unit(3600)[0], "min"),
        (time_unit(90_000)[0], "h"),
        (clock_units(3599), "min:s"),
        (clock_units(3600), "h:min:s"),
        (percent(0.0), "0 %"),
        (percent(0.004), "<1 %"),
        (percent(0.996), ">99 %"),
        (percent(0.64), "64 %"),
        (plural(1, "person", "people"), "1 person"),
        (plural(1200, "frame"), "1,200 frames"),
        (listing(["a", "b", "c"]), "a, b and c"),
        (listing(["a"]), "a"),
        (listing([]), ""),
    ],
)
def test_numbers_are_worded_as_people_read_them(words, expected):
    assert words.replace("\u00a0", " ") == expected
