"""For the tests of your behaviours: people who look as a script says, without a camera, a model or our nodes.

    def test_a_smile_is_answered():
        rclpy.init()
        behaviour = Greeter()
        people = ScriptedPeople(behaviour)
        people.keep_showing(1.0, lara="happy")
        assert people.show_until(lambda: behaviour.greeted == ["lara"], lara="happy", emil="sad")

What is published are the messages of dfer_node, over the middleware. Faces cannot be seen here: whether a smile is read
as one is a question for `dfer evaluate`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher

from dfer_msgs.msg import Emotion, EmotionArray
from dfer_ros.behavior.emotion_listener import EMOTIONS_TOPIC
from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.core.labels import EXPRESSIONS, UNKNOWN, VALENCE_AROUSAL
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until

Look = str | tuple[str, str]
"""An expression by its REP-155 name, `unknown`, or two at once."""
_RATE = 20.0
_CONFIDENCE, _HALVES = 0.7, (0.5, 0.25)
_DISCOVERY_SECONDS = 0.3
"""That one side has found the other does not mean that both have."""


class ScriptedPeople:
    """Publishes what dfer_node would for people who look so; in everything that takes time, spins the behaviour's node.

    behavior: the node under test; None where it runs in a process or thread of its own. namespace: of the node that
    publishes, for a relative topic. topic: as the behaviour's listener has it; each method may name another one.
    """

    def __init__(self, behavior: Node | None = None, *, namespace: str = "", topic: str = EMOTIONS_TOPIC) -> None:
        self.node = rclpy.create_node("scripted_people", namespace=namespace or None)
        self._behavior = behavior
        self._topic = topic
        self._publishers: dict[str, Publisher] = {}
        self._heard: set[str] = set()

    def close(self) -> None:
        """Publish no more."""
        self.node.destroy_node()

    def wait_for_listener(self, topic: str = "", seconds: float = PATIENCE_SECONDS) -> None:
        """Wait, the first time, until somebody listens. Raises BehaviorError where nobody does in time."""
        publisher = self._publisher(topic)
        if topic in self._heard:
            return
        if not wait_until(lambda: publisher.get_subscription_count() > 0, seconds, partial(self._pass, 1.0 / _RATE)):
            raise BehaviorError(
                f"Nobody listens to {publisher.topic_name} for {seconds:.0f} s: start the behaviour, or name its topic."
            )
        self._pass(_DISCOVERY_SECONDS)
        self._heard.add(topic)

    def show(self, people: Mapping[str, Look], topic: str = "", stamp: float | None = None) -> None:
        """Publish once how people look, by face id. stamp: of the image in seconds; by default it is taken now.

        Raises BehaviorError for what is no expression.
        """
        message = EmotionArray(emotions=[scripted_emotion(face_id, look) for face_id, look in people.items()])
        now = self.node.get_clock().now().nanoseconds if stamp is None else round(stamp * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        self._publisher(topic).publish(message)

    def keep_showing(self, seconds: float, topic: str = "", rate: float = _RATE, **people: Look) -> None:
        """Publish how people look, by face id, for some seconds; rate: in Hz."""
        self.wait_for_listener(topic)
        for _ in range(round(seconds * rate)):
            self.show(people, topic)
            self._pass(1.0 / rate)

    def show_until(
        self, condition: Callable[[], object], topic: str = "", seconds: float = PATIENCE_SECONDS, **people: Look
    ) -> bool:
        """Publish how people look until something has happened; return whether it has in time."""
        self.wait_for_listener(topic)

        def show() -> None:
            self.show(people, topic)
            self._pass(1.0 / _RATE)

        return wait_until(condition, seconds, show)

    def _pass(self, seconds: float) -> None:
        """Let time go by, in which the behaviour works."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._behavior is None:
                time.sleep(left)
            else:
                rclpy.spin_once(self._behavior, timeout_sec=left)

    def _publisher(self, topic: str) -> Publisher:
        topic = topic or self._topic
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(EmotionArray, topic, OUTPUT)
        return self._publishers[topic]


def scripted_emotion(face_id: str, look: Look) -> Emotion:
    """Return the message about a face with an expression, or with two at once; the numbers are plausible ones.

    Raises BehaviorError for what is no expression, and for two that dfer_node would never name at once.
    """
    names: tuple[str, ...] = (look,) if isinstance(look, str) else look
    for name in names:
        if name not in (*EXPRESSIONS, UNKNOWN):
            raise BehaviorError(f"There is no expression {name!r}: use {', '.join(EXPRESSIONS)} or {UNKNOWN}.")
    if len(names) not in (1, 2):
        raise BehaviorError(f"A face shows one expression, or two at once, not {len(names)}.")
    if len(names) == 2 and (names[0] == names[1] or not {UNKNOWN, "neutral"}.isdisjoint(names)):
        raise BehaviorError(
            f"dfer_node never names {' and '.join(names)} at once: two are different, and neither is neutral "
            f"or {UNKNOWN}."
        )
    shares: tuple[float, ...] = (_CONFIDENCE,) if len(names) == 1 else _HALVES
    probabilities = np.full(len(EXPRESSIONS), (1.0 - sum(shares)) / (len(EXPRESSIONS) - len(names)), dtype=np.float32)
    for name, share in zip(names, shares, strict=True):
        # Who cannot tell what a face shows finds it neutral, and is not sure.
        probabilities[EXPRESSIONS.index("neutral" if name == UNKNOWN else name)] = share
    valence, arousal = (probabilities @ VALENCE_AROUSAL).tolist()
    return Emotion(
        face_id=face_id,
        expression=names[0],
        confidence=shares[0],
        secondary="".join(names[1:]),
        secondary_confidence=sum(shares[1:], 0.0),
        probabilities=probabilities,
        valence=valence,
        arousal=arousal,
        intensity=0.6,
        phase=Emotion.APEX,
        window_seconds=1.5,
        window_frames=20,
    )
