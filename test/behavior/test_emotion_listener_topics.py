"""The topics of the listener in a behaviour's node."""

import time

import rclpy
from behavior_graph import Spun

from dfer_ros.behavior import EmotionListener


def test_the_topic_is_dfer_emotions_in_any_namespace_and_is_remapped_as_any(reader, events):
    plain = rclpy.create_node("plain", namespace="/robot1")
    remapped = rclpy.create_node(
        "remapped", namespace="/robot1", cli_args=["--ros-args", "-r", f"/dfer/emotions:={reader.topic()}"]
    )
    EmotionListener(plain)
    EmotionListener(remapped)
    assert [info.topic_name for info in plain.subscriptions if "emotions" in info.topic_name] == ["/dfer/emotions"]
    assert [info.topic_name for info in remapped.subscriptions if "emotions" in info.topic_name] == [reader.topic()]
    plain.destroy_node()
    remapped.destroy_node()


def test_a_relative_topic_lies_in_the_namespace_of_the_behaviour(behavior_node, namespace):
    EmotionListener(behavior_node, topics="front/emotions").close()
    listener = EmotionListener(behavior_node, topics=["front/emotions", "rear/emotions"])
    names = {info.topic_name for info in behavior_node.subscriptions}
    assert {f"{namespace}/front/emotions", f"{namespace}/rear/emotions"} <= names
    listener.close()


def test_several_cameras_keep_their_people_apart_and_equal_ids_are_named(behavior_node, reader, listen, events, capfd):
    listener = listen(topics=[reader.topic("front"), reader.topic("rear")])
    with Spun(behavior_node):
        reader.wait_for_listener(reader.topic("front"))
        reader.wait_for_listener(reader.topic("rear"))

        def both_settled():
            reader.show({"face1": "sad", "rear_face2": "angry"}, reader.topic("rear"))
            return len(events) == 3

        assert reader.show_until(both_settled, topic=reader.topic("front"), face1="happy")
        people = {(person.topic, person.face_id): person.expression for person in listener.people()}
    assert people == {
        (reader.topic("front"), "face1"): "happy",
        (reader.topic("rear"), "face1"): "sad",
        (reader.topic("rear"), "rear_face2"): "angry",
    }
    assert capfd.readouterr().err.count("Two cameras call different persons face1") == 1


def test_a_topic_that_nobody_publishes_is_named_once(behavior_node, monkeypatch, capfd):
    monkeypatch.setattr("dfer_ros.behavior.emotion_listener._SILENCE_SECONDS", 0.3)
    listener = EmotionListener(behavior_node, topics="/wrong/emotions")
    with Spun(behavior_node):
        time.sleep(1.2)
    listener.close()
    assert capfd.readouterr().err.count("Nobody publishes /wrong/emotions") == 1
