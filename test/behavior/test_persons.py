"""Persons of a ROS4HRI person manager, which is played with its real messages."""

import time

import pytest
from behavior_graph import QUICK, Spun
from hri_msgs.msg import IdsList
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from dfer_ros.behavior import EmotionListener
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import wait_until


@pytest.fixture
def manager(reader):
    """Say who is tracked, and whose face it is."""
    tracked = reader.node.create_publisher(IdsList, "/humans/persons/tracked", OUTPUT)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    of_person = {}

    def say(**faces):
        for person, face in faces.items():
            if person not in of_person:
                topic = f"/humans/persons/{person}/face_id"
                of_person[person] = reader.node.create_publisher(String, topic, latched)
            of_person[person].publish(String(data=face))
        tracked.publish(IdsList(ids=list(faces)))

    return say


def test_a_person_is_the_same_with_another_face_id(behavior_node, reader, manager):
    listener = EmotionListener(behavior_node, topics=reader.topic(), config=QUICK, persons=True)
    with Spun(behavior_node):

        def known(face_id, person_id):
            person = listener.person(face_id)
            return person is not None and person.person_id == person_id

        def told(faces, *expected):
            manager(**faces)
            time.sleep(0.1)
            return known(*expected)

        assert reader.show_until(lambda: known("face1", ""), face1="happy")
        assert reader.show_until(lambda: told({"lara": "face1"}, "face1", "lara"), face1="happy")
        assert reader.show_until(lambda: told({"lara": "face2"}, "face2", "lara"), face2="happy")
        assert reader.show_until(lambda: told({"lara": ""}, "face2", ""), face2="happy")
        assert reader.show_until(lambda: told({"emil": "face2"}, "face2", "emil"), face2="happy")
        assert wait_until(lambda: told({}, "face2", "") or reader.show({"face2": "happy"}))
    listener.close()
