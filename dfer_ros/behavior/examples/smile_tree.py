"""A behaviour tree that asks for a smile, and answers it or its absence; with py_trees."""

from __future__ import annotations

from collections.abc import Callable

import py_trees
from py_trees.behaviour import Behaviour
from py_trees.common import Status

from dfer_ros.behavior.emotion_listener import EmotionListener


class SomebodyIs(Behaviour):
    """A leaf: success as soon as somebody in view has an emotion, until then running."""

    def __init__(self, expression: str, emotions: EmotionListener) -> None:
        super().__init__(f"somebody is {expression}")
        self._expression, self._emotions = expression, emotions

    def update(self) -> Status:
        """Look once; the tree asks again at its next tick."""
        person = next((one for one in self._emotions.people() if one.expression == self._expression), None)
        self.feedback_message = f"it is {person.face_id}" if person else "nobody yet"
        return Status.SUCCESS if person else Status.RUNNING


class Say(Behaviour):
    """A leaf: has something said, and succeeds."""

    def __init__(self, text: str, say: Callable[[str], object]) -> None:
        super().__init__(text)
        self._say = say

    def update(self) -> Status:
        """Say it."""
        self._say(self.name)
        return Status.SUCCESS


def smile_tree(emotions: EmotionListener, say: Callable[[str], object], patience_seconds: float) -> Behaviour:
    """Return the tree; patience_seconds: how long it waits for the smile."""
    in_time = py_trees.decorators.Timeout("in time", SomebodyIs("happy", emotions), duration=patience_seconds)
    thanked = py_trees.composites.Sequence("thanked", memory=True, children=[in_time, Say("Thank you!", say)])
    answered = py_trees.composites.Selector("answered", memory=True, children=[thanked, Say("Another time.", say)])
    return py_trees.composites.Sequence("ask for a smile", memory=True, children=[Say("Smile, please.", say), answered])
