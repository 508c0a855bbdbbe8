import numpy as np
import pytest

from dfer_ros.core.drawing import COLOURS, Annotation, draw_annotations
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN

HAPPY = Annotation("face1", (100, 80, 160, 200), "happy", 0.9, [0.02, 0.9, 0.02, 0.02, 0.02, 0.01, 0.01])


@pytest.fixture
def image():
    return np.full((480, 640, 3), 90, np.uint8)


def has_colour(canvas, colour):
    return (canvas == colour).all(axis=-1).any()


def test_the_image_itself_is_left_as_it_was(image):
    draw_annotations(image, [HAPPY])
    assert (image == 90).all()


def test_without_faces_nothing_is_drawn(image):
    assert (draw_annotations(image, []) == image).all()


def test_every_expression_has_a_colour_of_its_own():
    assert set(COLOURS) == {*EXPRESSIONS, UNKNOWN}
    assert len(set(COLOURS.values())) == len(COLOURS)


@pytest.mark.parametrize("expression", [*EXPRESSIONS, UNKNOWN])
def test_the_box_has_the_colour_of_the_expression(image, expression):
    canvas = draw_annotations(image, [Annotation("face1", (100, 80, 160, 200), expression, 0.5)])
    assert tuple(canvas[180, 100]) == COLOURS[expression]
    assert tuple(canvas[180, 260]) == COLOURS[expression]
    assert tuple(canvas[280, 180]) == COLOURS[expression]


def test_the_longest_bar_is_that_of_the_likeliest_class(image):
    canvas = draw_annotations(image, [HAPPY])
    below = canvas[284:380]
    lengths = {name: int((below == COLOURS[name]).all(axis=-1).sum()) for name in EXPRESSIONS}
    assert max(lengths, key=lengths.get) == "happy"
    assert min(lengths.values()) > 0


def test_without_probabilities_there_are_no_bars(image):
    canvas = draw_annotations(image, [Annotation("face1", (100, 80, 160, 200), "happy", 0.9)])
    assert (canvas[290:] == 90).all()


@pytest.mark.parametrize(
    "roi",
    [(0, 0, 640, 480), (-50, -50, 200, 200), (600, 440, 200, 200), (10, 10, 0, 0), (639, 479, 1, 1), (5, 470, 100, 10)],
)
def test_a_face_at_the_edge_of_the_image_is_drawn(image, roi):
    canvas = draw_annotations(image, [Annotation("face1", roi, "happy", 0.9, HAPPY.probabilities)])
    assert canvas.shape == image.shape
    assert has_colour(canvas, COLOURS["happy"])


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (2160, 3840)])
def test_an_image_of_any_size_is_drawn_into(size):
    canvas = draw_annotations(np.zeros((*size, 3), np.uint8), [HAPPY])
    assert canvas.shape == (*size, 3)
