"""ROS4HRI between two processes: our detector, our emotions, and a listener that knows nothing but REP-155."""

import pytest
from hri_robot import TRACKED, Expression, IdsList

from dfer_ros.ros.waiting import wait_until

EMPTY_FRAMES = 30


class ExpressionListener:
    """Hears the expression of every face that is tracked, as libhri does."""

    def __init__(self, spinning):
        self.spinning = spinning
        self.tracked = []
        self.expressions = {}
        spinning.node.create_subscription(IdsList, TRACKED, self._on_tracked, 1)

    def _on_tracked(self, message):
        self.tracked.append(message)
        for face_id in message.ids:
            if face_id not in self.expressions:
                topic = f"/humans/faces/{face_id}/expression"
                self.expressions[face_id] = self.spinning.hear(Expression, topic)

    @property
    def newest(self):
        return list(self.tracked[-1].ids)


@pytest.fixture
def listener(robot):
    return ExpressionListener(robot["listener"])


@pytest.fixture
def graph(nodes, probe, listener):
    """The two nodes in namespaces of their own, so that nothing but /humans joins them."""
    nodes.start("face_detector_node", "-p", "hri:=true")
    nodes.start(
        "dfer_node", "-p", "input:=hri", "-p", "hri_alignment:=dfer", "-p", "hri:=true", "-p", "precision:=int8",
        camera="elsewhere",
    )  # fmt: skip
    probe.publisher()
    probe.wait_for_graph(emotions=False)
    # The listener, the detector for the faces of others, and dfer_node.
    assert wait_until(lambda: probe.node.count_subscribers(TRACKED) == 3), "dfer_node follows nobody"
    return nodes


def test_a_smile_is_happy_to_a_listener_of_ros4hri(graph, probe, listener, clip):
    sent = probe.feed(clip, probe.faces, pause=0.03)
    assert wait_until(lambda: len(listener.expressions) == 1)
    ((face_id, heard),) = listener.expressions.items()

    def enough_are_heard():
        sent.extend(probe.feed(clip[-1:], probe.faces, pause=0.03))
        return len(heard) > 20

    assert wait_until(enough_are_heard), f"{len(heard)} expressions were heard"
    assert face_id[0].isalpha()
    assert {(message.header.stamp.sec, message.header.stamp.nanosec) for message in heard} <= set(sent)
    assert {message.header.frame_id for message in heard} == {"camera"}
    last = heard[-1]
    assert last.expression == Expression.HAPPY
    assert last.valence > 0.4
    assert 0.5 < last.confidence <= 1.0
    topic = f"/humans/faces/{face_id}/expression"
    (publisher,) = listener.spinning.node.get_publishers_info_by_topic(topic)
    assert publisher.node_name == "dfer_node"

    probe.feed([clip[0] * 0 + 90] * EMPTY_FRAMES, probe.faces, pause=0.03)
    assert wait_until(lambda: not listener.newest), "a face that is gone is still tracked"
    assert wait_until(lambda: not listener.spinning.publishers(f"/humans/faces/{face_id}/roi"))
    # dfer_node hears that nobody is tracked, with every image.
    count = len(heard)
    probe.feed([clip[0] * 0 + 90] * EMPTY_FRAMES, probe.faces, pause=0.03)
    assert wait_until(lambda: not listener.spinning.publishers(topic))
    assert len(heard) == count


def test_a_detector_that_is_stopped_leaves_nobody_tracked(graph, probe, listener, clip):
    probe.feed(clip[:20], probe.faces)
    assert wait_until(lambda: listener.tracked and listener.newest)
    detector = graph.processes["face_detector_node"]
    detector.terminate()
    assert detector.wait(60) == 0
    assert wait_until(lambda: not listener.newest)
