"""People of a script, for a behaviour that nobody spins, and what cannot be shown."""

import pytest
import rclpy
from behavior_graph import QUICK

from dfer_ros.behavior import EmotionListener
from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.behavior.testing import ScriptedPeople, scripted_emotion


@pytest.fixture
def people(behavior_node):
    made = ScriptedPeople(behavior_node, namespace=behavior_node.get_namespace(), topic="emotions")
    yield made
    made.close()


def test_a_behaviour_is_tested_without_a_thread(behavior_node, people):
    greeted = []
    listener = EmotionListener(
        behavior_node, lambda face, _, new: greeted.append((face, new)), topics="emotions", config=QUICK
    )
    assert people.show_until(lambda: len(greeted) == 2, lara="happy", emil="sad")
    people.keep_showing(0.5, lara="happy", emil=("sad", "surprised"))
    assert sorted(greeted) == [("emil", "sad"), ("lara", "happy")]
    assert listener.person("emil").secondary == "surprised"
    assert people.show_until(lambda: listener.people() == (), seconds=30.0)
    listener.close()


def test_nobody_who_listens_is_an_error(people):
    with pytest.raises(BehaviorError, match=r"Nobody listens to /\w+/emotions for 0 s"):
        people.wait_for_listener(seconds=0.1)


@pytest.mark.parametrize("look", ["joy", ("happy", "joy")])
def test_what_is_no_expression_is_named(look):
    with pytest.raises(BehaviorError, match="There is no expression 'joy'"):
        scripted_emotion("lara", look)


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (("happy", "sad", "angry"), "one expression, or two at once, not 3"),
        ((), "one expression, or two at once, not 0"),
        (("unknown", "happy"), "never names unknown and happy at once"),
        (("happy", "neutral"), "never names happy and neutral at once"),
        (("happy", "happy"), "never names happy and happy at once"),
    ],
)
def test_what_dfer_node_never_names_is_refused(look, sentence):
    with pytest.raises(BehaviorError, match=sentence):
        scripted_emotion("lara", look)


def test_a_node_is_made_in_the_root_namespace_by_default():
    people = ScriptedPeople()
    assert people.node.get_namespace() == "/"
    people.close()
    assert rclpy.ok()
