"""Behaviours that wait for an emotion: wait_for() and future_for() with every kind of executor."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from behavior_graph import QUICK, Spun
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.experimental.events_executor import EventsExecutor

from dfer_ros.behavior import EmotionListener
from dfer_ros.behavior.emotion_states import BehaviorError
from dfer_ros.ros.waiting import wait_until


class Talking:
    """The reader in a thread of its own: says the same thing until the `with` ends."""

    def __init__(self, reader, **expressions):
        self.reader, self.expressions = reader, expressions
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.talk, daemon=True)

    def talk(self):
        while not self.ended.wait(0.04):
            self.reader.show(self.expressions)

    def __enter__(self):
        self.reader.wait_for_listener()
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, MultiThreadedExecutor, EventsExecutor])
def test_wait_for_blocks_a_thread_beside_the_one_that_spins(behavior_node, reader, listen, executor):
    listener = listen()
    with Spun(behavior_node, executor=executor()), Talking(reader, face1="happy", face2="sad"):
        assert listener.wait_for("sad", 10.0).face_id == "face2"
        assert listener.wait_for("happy", 0.0).face_id == "face1"
        start = time.monotonic()
        assert listener.wait_for("angry", 0.5) is None
        assert time.monotonic() - start >= 0.5


def test_wait_for_spins_a_node_that_nobody_spins(behavior_node, reader, listen, events):
    listener = listen()
    with Talking(reader, face1="happy"):
        assert listener.wait_for("happy", 10.0).face_id == "face1"
        assert events == [("change", "face1", "unknown", "happy")]
        assert listener.wait_for("sad", 0.3) is None
    assert behavior_node.executor is None or behavior_node not in behavior_node.executor.get_nodes()


def test_two_threads_wait_on_a_node_that_nobody_spins(behavior_node, reader, listen):
    listener = listen()
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(listener.wait_for(name, 10.0).expression))
        for name in ("happy", "sad")
    ]
    with Talking(reader, face1="happy", face2="sad"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15.0)
    assert sorted(found) == ["happy", "sad"]


def test_a_node_that_somebody_begins_to_spin_is_left_to_them(behavior_node, reader, listen):
    listener = listen()
    found = []
    waiting = threading.Thread(target=lambda: found.append(listener.wait_for("happy", 20.0)))
    waiting.start()
    time.sleep(0.5)
    with Spun(behavior_node):
        time.sleep(0.5)
        with Talking(reader, face1="happy"):
            waiting.join(10.0)
    assert found[0].face_id == "face1"


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, EventsExecutor])
def test_wait_for_is_refused_in_a_callback_of_an_executor_with_one_thread(behavior_node, listen, executor):
    listener = listen()
    refused = []

    def on_timer():
        timer.cancel()
        try:
            listener.wait_for("happy", 60.0)
        except BehaviorError as error:
            refused.append(str(error))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=executor()):
        assert wait_until(lambda: refused)
    assert "wait_for()" in refused[0]


def test_wait_for_is_refused_in_callbacks_of_the_listener_and_at_once(behavior_node, reader):
    refused = []

    def on_change(face_id, old, new):
        start = time.monotonic()
        try:
            listener.wait_for("sad", 60.0)
        except BehaviorError as error:
            refused.append((str(error), time.monotonic() - start))

    listener = EmotionListener(behavior_node, on_change, topics=reader.topic(), config=QUICK)
    with Spun(behavior_node, executor=MultiThreadedExecutor(2)):
        reader.wait_for_listener()
        assert reader.show_until(lambda: refused, face1="happy")
    listener.close()
    sentence, seconds = refused[0]
    assert "await emotions.future_for(...)" in sentence
    assert seconds < 1.0


def test_wait_for_is_refused_where_the_executor_of_the_node_is_not_spun(behavior_node, listen):
    listener = listen()
    executor = SingleThreadedExecutor()
    executor.add_node(behavior_node)
    with pytest.raises(BehaviorError, match="in an executor that no other thread spins"):
        listener.wait_for("happy", 60.0)
    executor.remove_node(behavior_node)


def test_wait_for_works_in_a_callback_when_the_executor_has_more_threads(behavior_node, reader, listen):
    listener = listen()
    found = []

    def on_timer():
        timer.cancel()
        found.append(listener.wait_for("happy", 10.0))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=MultiThreadedExecutor(3)), Talking(reader, face1="happy"):
        assert wait_until(lambda: found)
    assert found[0].face_id == "face1"


@pytest.mark.parametrize("executor", [SingleThreadedExecutor, EventsExecutor])
def test_a_future_is_awaited_in_a_callback_of_an_executor_with_one_thread(behavior_node, reader, listen, executor):
    listener = listen()
    found = []

    async def on_timer():
        timer.cancel()
        found.append(await listener.future_for("happy", 10.0))
        found.append(await listener.future_for("sad", 0.3))

    timer = behavior_node.create_timer(0.05, on_timer)
    with Spun(behavior_node, executor=executor()), Talking(reader, face1="happy"):
        assert wait_until(lambda: len(found) == 2)
    assert found[0].face_id == "face1"
    assert found[1] is None


def test_closing_answers_who_still_waits(behavior_node, listen):
    listener = listen()
    future = listener.future_for("happy", 60.0)
    listener.close()
    assert future.done()
    assert future.result() is None


def test_a_coroutine_of_asyncio_waits_beside_others(behavior_node, reader, listen):
    listener = listen()
    ticks = []

    async def wait():
        waiting = asyncio.create_task(listener.wait_in_asyncio("sad", 30.0))
        while not waiting.done():
            ticks.append(await asyncio.sleep(0.01))
        return await waiting, await listener.wait_in_asyncio("angry", 0.3)

    async def give_up():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(listener.wait_in_asyncio("angry", 0.5), 0.1)

    # In a thread of its own: the browser of other tests leaves a loop running in this one.
    with Spun(behavior_node), Talking(reader, face1="sad"), ThreadPoolExecutor(1) as thread:

        def run(coroutine):
            return thread.submit(asyncio.run, coroutine).result()

        found, missed = run(wait())
        assert (found.face_id, missed) == ("face1", None)
        assert ticks
        run(give_up())
        time.sleep(0.6)  # the answer comes when nobody waits any more
        assert run(listener.wait_in_asyncio("sad", 30.0)).face_id == "face1"


def test_a_coroutine_of_asyncio_waits_no_longer_than_asked_where_nobody_spins(listen):
    listener = listen()

    async def wait():
        return await asyncio.wait_for(listener.wait_in_asyncio("happy", 0.3), 30.0)  # ends where it would hang

    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        assert thread.submit(asyncio.run, wait()).result() is None
        assert time.monotonic() - start >= 0.3
