"""Lifecycle transitions and pauses at random, while a camera sends."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import SetBool

from dfer_ros.bench.camera import CameraSetting
from dfer_ros.bench.faults.check import Check, Extent, drops_counted, nothing_unexpected, one_after_another
from dfer_ros.bench.load import Advance
from dfer_ros.bench.running_graph import NODES, NOTHING, BenchGraph
from dfer_ros.core.errors import DferError
from dfer_ros.ros.waiting import wait_until

_TRANSITIONS = {"unconfigured": ("configure",), "inactive": ("activate", "cleanup"), "active": ("deactivate",)}
_LOAD = CameraSetting(rate=60.0, faces=2)
_TOGGLE_SHARE = 0.25
_PATIENCE_SECONDS = 30.0
_LONGEST_REST_SECONDS = 0.2


class Controls:
    """The services of both nodes that change their state; each call raises DferError without an answer."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clients: dict[str, Client] = {}

    def state(self, of: str) -> str:
        """Return the label of a node's lifecycle state."""
        label: str = self._call_service(GetState, f"{of}/get_state", GetState.Request()).current_state.label
        return label

    def change(self, of: str, transition: str) -> bool:
        """Ask a node for a transition and tell whether it was made."""
        request = ChangeState.Request()
        request.transition.label = transition
        return bool(self._call_service(ChangeState, f"{of}/change_state", request).success)

    def enable(self, of: str, wanted: bool) -> bool:
        """Ask a node to work or to pause and tell whether it does."""
        return bool(self._call_service(SetBool, f"{of}/enable", SetBool.Request(data=wanted)).success)

    def _call_service(self, service_type: Any, name: str, request: Any) -> Any:
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(service_type, name)
        if not client.wait_for_service(_PATIENCE_SECONDS):
            raise DferError(f"There is no service {client.srv_name}: has the node ended?")
        answer = client.call_async(request)
        if not wait_until(answer.done, _PATIENCE_SECONDS):
            raise DferError(f"{client.srv_name} gave no answer in {_PATIENCE_SECONDS:.0f} s: does the node hang?")
        return answer.result()


def lifecycle(extent: Extent, advance: Advance) -> Iterator[Check]:
    """Change the states of both nodes at random, then look whether they answer."""
    count = extent.count(200, 12)
    chance = random.Random(4)
    refused, toggles, slowest = [], 0, 0.0
    with BenchGraph(extent.say, way=extent.processes) as graph:
        controls = Controls(graph.node)
        graph.wait_for_faces(_LOAD)
        for _ in one_after_another(count, advance):
            node = chance.choice(NODES)
            if chance.random() < _TOGGLE_SHARE:
                toggles += 1
                if not controls.enable(node, chance.random() < 0.5):
                    refused.append(f"{node} ~/enable")
            state = controls.state(node)
            transition = chance.choice(_TRANSITIONS[state])
            start = time.monotonic()
            if not controls.change(node, transition):
                refused.append(f"{node} {transition} while {state}")
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(_LONGEST_REST_SECONDS * chance.random())
        yield Check(
            f"{count} transitions and {toggles} calls of ~/enable under load are made",
            f"{refused[0]} was refused" if refused else f"all, the slowest in {slowest:.2f} s",
            not refused,
        )
        for node in NODES:
            _activate(controls, node)
        back = time.time()
        answer = graph.wait_for_answer_after(back, _PATIENCE_SECONDS)
        graph.wait_for_faces(replace(_LOAD, rate=30.0))
        graph.camera.show(NOTHING)
        yield Check(
            "active again, the graph answers",
            "no answer came" if answer is None else f"after {answer.arrived - back:.2f} s",
            answer is not None,
        )
        time.sleep(1.0)
        yield drops_counted(graph)
        yield nothing_unexpected(graph)


def _activate(controls: Controls, node: str) -> None:
    """Bring a node from whatever state to work."""
    controls.enable(node, True)
    for state, transition in (("unconfigured", "configure"), ("inactive", "activate")):
        if controls.state(node) == state:
            controls.change(node, transition)
