"""Gives a behaviour the emotions of people, with one line in its node."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from dfer_msgs.msg import EmotionArray
from dfer_ros.behavior.blocking_wait import BlockingWait
from dfer_ros.behavior.emotion_states import (
    BehaviorError,
    EmotionBlended,
    EmotionChanged,
    EmotionStates,
    EmotionStatesConfig,
    EmotionTransition,
    EmotionUnsure,
    Event,
    FaceLost,
    PersonEmotion,
)
from dfer_ros.behavior.persons import PersonIds
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.parameter import parameter
from dfer_ros.ros.messages import header_seconds
from dfer_ros.ros.starting import ros_refusals
from dfer_ros.ros.throttled_log import ThrottledLog
from dfer_ros.ros.topics import latest_only

EMOTIONS_TOPIC = "/dfer/emotions"
"""Where the launch files and `dfer run` let dfer_node publish."""
_PERIOD_SECONDS = 0.2
_SILENCE_SECONDS = 5.0
"""How long nothing may come at first before it is said that nobody publishes."""


def _resolved(node: Node, topic: str) -> str:
    """Return the full name of a topic. Raises DferError where it is none."""
    with ros_refusals(f"The listener cannot hear '{topic}'"):
        name: str = node.resolve_topic_name(topic)
    return name


def topics_parameter() -> Any:
    """Return the field of a behaviour's configuration that names the topics of its listener."""
    return parameter((EMOTIONS_TOPIC,), "Topics of dfer_node, one a camera.")


@dataclass(frozen=True)
class _Waiting:
    """Somebody who waits for an expression until a deadline (monotonic seconds)."""

    expression: str
    deadline: float
    future: Future


class EmotionListener:
    """Tells a behaviour how the people in view feel, in the callbacks it is given and whenever it asks.

    on_emotion_change(face_id, old, new): another expression has settled; see EmotionChanged. on_unsure(face_id, last):
    what was known no longer counts; see EmotionUnsure. on_face_lost(face_id): somebody is gone; see FaceLost.
    on_transition(face_id, old, new, seconds): one expression turned into another; see EmotionTransition.
    on_blend(face_id, expression, secondary): two expressions at once; see EmotionBlended.
    They are plain functions and come one at a time, from the executor that spins the node, in a callback group of
    their own. What they raise is logged with its traceback, and the listener goes on.

    persons: whether PersonEmotion.person_id tells who a face is by the person manager of ROS4HRI, also after the face
    was lost and came back with another id. Needs hri_msgs.
    topics: of dfer_node, one a camera; relative names are resolved and all are remapped as in any node. Ages are told
    by the clock of the node, so use_sim_time holds here too. Raises BehaviorError for impossible values.
    """

    def __init__(
        self,
        node: Node,
        on_emotion_change: Callable[[str, str, str], object] | None = None,
        on_face_lost: Callable[[str], object] | None = None,
        on_unsure: Callable[[str, str], object] | None = None,
        *,
        on_transition: Callable[[str, str, str, float], object] | None = None,
        on_blend: Callable[[str, str, str], object] | None = None,
        persons: bool = False,
        topics: str | Sequence[str] = EMOTIONS_TOPIC,
        config: EmotionStatesConfig | None = None,
    ) -> None:
        for callback in (on_emotion_change, on_face_lost, on_unsure, on_transition, on_blend):
            _check_callback(callback)
        self._node = node
        self._on_emotion_change, self._on_transition, self._on_blend = on_emotion_change, on_transition, on_blend
        self._on_face_lost, self._on_unsure = on_face_lost, on_unsure
        self._log = ThrottledLog(node.get_logger())
        self._changed = threading.Condition()
        self._wait = BlockingWait(node, self._changed)
        self._waiting: list[_Waiting] = []
        self._silent_since = time.monotonic()
        given = [topics] if isinstance(topics, str) else list(topics)
        if not given:
            raise BehaviorError("The listener was given no topics: leave them out, or name at least one.")
        names = {_resolved(node, topic): topic for topic in given}
        self._states = {name: EmotionStates(config or EmotionStatesConfig(), name) for name in names}
        self._silent = set(names)
        group = MutuallyExclusiveCallbackGroup()
        self._persons = PersonIds(node, group) if persons else None
        self._subscriptions = [
            node.create_subscription(
                EmotionArray, topic, partial(self._on_emotions, name), latest_only(), callback_group=group
            )
            for name, topic in names.items()
        ]
        # Of the steady clock: a simulated one may stand still while a face is lost on a topic that goes on.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD_SECONDS, self._expire, callback_group=group, clock=steady)

    def people(self) -> tuple[PersonEmotion, ...]:
        """Return everybody whose emotion is current, also those of whom it is unknown."""
        with self._changed:
            return self._people()

    def person(self, face_id: str) -> PersonEmotion | None:
        """Return one person, or None where there is nothing current about them."""
        return next((person for person in self.people() if person.face_id == face_id), None)

    def wait_for(self, expression: str, timeout: float) -> PersonEmotion | None:
        """Block until somebody has this emotion, and return who; at once if somebody does. None after timeout (s).

        For a thread that does not spin the node: another thread spins it, or nobody, then this call does. The timeout
        is in seconds of a wall clock, simulated time or not. None also when ROS is shut down. Raises BehaviorError
        where it would wait for itself; use future_for there.
        """
        self._check_wait(expression, timeout)
        return self._wait.wait(partial(self._find_person, expression), timeout)

    def future_for(self, expression: str, timeout: float) -> Future:
        """Return a future of what wait_for returns, to be awaited in an async callback of any executor."""
        self._check_wait(expression, timeout)
        waiting = _Waiting(expression, time.monotonic() + timeout, Future(executor=self._node.executor))
        with self._changed:
            self._waiting.append(waiting)
        self._answer_waiting()
        return waiting.future

    async def wait_in_asyncio(self, expression: str, timeout: float) -> PersonEmotion | None:
        """Return what wait_for returns, in a coroutine of asyncio; the node is spun in another thread.

        None after timeout (s) also where nobody spins it.
        """
        loop = asyncio.get_running_loop()
        answered = asyncio.Event()

        def wake(_: Future) -> None:
            # The coroutine may have been cancelled, and its loop be over.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(answered.set)

        future = self.future_for(expression, timeout)
        future.add_done_callback(wake)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(answered.wait(), timeout)
        person: PersonEmotion | None = future.result()
        return person

    def close(self) -> None:
        """Listen no more; what is still awaited is answered with None."""
        if self._persons is not None:
            self._persons.close()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._node.destroy_timer(self._timer)
        with self._changed:
            given_up, self._waiting = self._waiting, []
        for waiting in given_up:
            waiting.future.set_result(None)

    def _on_emotions(self, topic: str, message: EmotionArray) -> None:
        self._silent.discard(topic)
        states = self._states[topic]
        self._progress(lambda now: states.update(header_seconds(message.header), now, message.emotions), [states])

    def _expire(self) -> None:
        every = list(self._states.values())
        self._progress(lambda now: [event for states in every for event in states.expire(now)], every)
        self._report_silence()

    def _progress(self, step: Callable[[float], list[Event]], stepped: Sequence[EmotionStates]) -> None:
        """Take a step of the states, wake who waits, and tell the behaviour what happened."""
        with self._wait.callback():
            with self._changed:
                events = step(self._now())
                self._changed.notify_all()
            self._log_problems(stepped)
            self._answer_waiting()
            for event in events:
                self._call_back(event)

    def _call_back(self, event: Event) -> None:
        if isinstance(event, EmotionChanged):
            self._notify(self._on_emotion_change, event.face_id, event.old, event.new)
        elif isinstance(event, EmotionUnsure):
            self._notify(self._on_unsure, event.face_id, event.last)
        elif isinstance(event, EmotionTransition):
            self._notify(self._on_transition, event.face_id, event.old, event.new, event.seconds)
        elif isinstance(event, EmotionBlended):
            self._notify(self._on_blend, event.face_id, event.expression, event.secondary)
        elif isinstance(event, FaceLost):
            self._notify(self._on_face_lost, event.face_id)

    def _notify(self, callback: Callable[..., object] | None, *arguments: str | float) -> None:
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception:
            name = getattr(callback, "__qualname__", repr(callback))
            self._node.get_logger().error(
                f"The behaviour's {name}{arguments} failed, the listener goes on:\n{traceback.format_exc()}"
            )

    def _answer_waiting(self) -> None:
        with self._changed:
            answers = [(waiting, self._find_person(waiting.expression)) for waiting in self._waiting]
            now = time.monotonic()
            due = [(waiting, person) for waiting, person in answers if person or now >= waiting.deadline]
            answered = {id(waiting) for waiting, _ in due}
            self._waiting = [waiting for waiting in self._waiting if id(waiting) not in answered]
        for waiting, person in due:
            waiting.future.set_result(person)

    def _find_person(self, expression: str) -> PersonEmotion | None:
        return next((person for person in self._people() if person.expression == expression), None)

    def _people(self) -> tuple[PersonEmotion, ...]:
        now = self._now()
        people = [person for states in self._states.values() for person in states.people(now)]
        if self._persons is not None:
            people = [replace(person, person_id=self._persons.person_of(person.face_id)) for person in people]
        return tuple(sorted(people, key=lambda person: person.age))

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds * 1e-9)

    def _log_problems(self, stepped: Sequence[EmotionStates]) -> None:
        for states in stepped:
            if states.complaint is not None:
                self._log.warning(states.complaint)
        if any(states.jumped_back for states in stepped):
            self._log.warning("Time jumped back: the emotions of all persons were cleared.")
        ids = [person.face_id for person in self._people()]
        for face_id in {face_id for face_id in ids if ids.count(face_id) > 1}:
            self._log.warning(
                f"Two cameras call different persons {face_id}: give each face_detector_node an id_prefix of its own."
            )

    def _report_silence(self) -> None:
        if self._silent and time.monotonic() - self._silent_since > _SILENCE_SECONDS:
            for topic in sorted(self._silent):
                if self._node.count_publishers(topic) == 0:
                    self._node.get_logger().warning(
                        f"Nobody publishes {topic}: start dfer_node, or give the listener the topic of its namespace."
                    )
            self._silent.clear()

    def _check_wait(self, expression: str, timeout: float) -> None:
        if expression not in EXPRESSIONS:
            raise BehaviorError(f"There is no expression {expression!r} to wait for: use {', '.join(EXPRESSIONS)}.")
        if not math.isfinite(timeout):
            raise BehaviorError(f"The timeout must be a number of seconds, not {timeout}.")


def _check_callback(callback: object) -> None:
    if inspect.iscoroutinefunction(callback):
        raise BehaviorError(f"{callback.__qualname__} is async: give the listener a plain function.")
    if callback is not None and not callable(callback):
        raise BehaviorError(f"A callback must be a function, not {callback!r}.")
