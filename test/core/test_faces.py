import numpy as np
import pytest

from dfer_ros.core.faces import box_within


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((10.4, 20.6, 30.2, 40.2), (10, 21, 31, 40)),
        ((-10, -20, 30, 40), (0, 0, 20, 20)),
        ((600, 450, 100, 100), (600, 450, 40, 30)),
        ((-50, -50, 1000, 1000), (0, 0, 640, 480)),
        ((-50, 10, 20, 20), (0, 10, 0, 20)),
        ((700, 500, 20, 20), (640, 480, 0, 0)),
    ],
)
def test_a_box_is_cut_to_whole_pixels_of_the_image(box, expected):
    cut = box_within(np.array(box, np.float32), 640, 480)
    assert cut == expected
    assert all(type(value) is int for value in cut)
