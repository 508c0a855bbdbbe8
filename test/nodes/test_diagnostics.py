"""The publisher of /diagnostics on a plain node, heard over DDS."""

import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.parameter import Parameter as RosParameter
from rosgraph_msgs.msg import Clock as ClockMessage

from dfer_ros.core.errors import DferError
from dfer_ros.core.parameter import parameters
from dfer_ros.ros.diagnostics import Diagnostics, NodeCondition
from dfer_ros.ros.parameters import declare_parameters
from dfer_ros.ros.spinning_thread import SpinningThread
from dfer_ros.ros.topics import OUTPUT
from dfer_ros.ros.waiting import PATIENCE_SECONDS, wait_until
from dfer_ros.streams.health import HealthLimits, Level
from dfer_ros.streams.statistics import DropReason, StreamStatistics

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
FACTS = {"state": "active", "enabled": "true", "model": "mobilenet_v1"}
PATIENT = HealthLimits(stale_warn_seconds=60.0, stale_error_seconds=60.0)
"""So that frames played once stay fresh until they are told of, on a busy machine as well."""
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md"


class Watched:
    """A node with diagnostics, spinning in a thread of its own, and what a listener in another context hears of it."""

    def __init__(self, namespace, streams=("image",), limits=PATIENT, use_sim_time=False):
        sim_time = RosParameter("use_sim_time", value=use_sim_time)
        self.node = rclpy.create_node("watched", namespace=namespace, parameter_overrides=[sim_time])
        self.streams = {name: StreamStatistics() for name in streams}
        self.condition = NodeCondition(FACTS)
        self.diagnostics = Diagnostics(self.node, self.streams, lambda: self.condition, limits, "the camera")
        self.prefix = f"{namespace}/watched: "
        self.arrays = []
        self.arrivals = []
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self._listener = rclpy.create_node("listener", context=self._context)
        self._listener.create_subscription(DiagnosticArray, "/diagnostics", self._hear, OUTPUT)
        self._spinning = [SpinningThread(node) for node in (self.node, self._listener)]
        assert wait_until(lambda: self.arrays), "no diagnostics"

    def close(self):
        for spinning in self._spinning:
            spinning.close()
        self._listener.destroy_node()
        self.node.destroy_node()
        self._context.shutdown()

    def _hear(self, array):
        if any(status.name.startswith(self.prefix) for status in array.status):
            self.arrays.append(array)
            self.arrivals.append(time.monotonic())

    def next(self, accept=lambda array: True, seconds=PATIENCE_SECONDS):
        """Return the next array from now on that is accepted."""
        first = len(self.arrays)
        assert wait_until(lambda: any(accept(array) for array in self.arrays[first:]), seconds), "no such diagnostics"
        return next(array for array in self.arrays[first:] if accept(array))

    def play(self, seconds=1.0, rate=30, latency=0.006, stream="image", drop=None):
        """Let frames have come until now, processed or dropped."""
        now = time.monotonic()
        for index in reversed(range(round(seconds * rate))):
            self.streams[stream].received(now - index / rate)
            if drop is None:
                self.streams[stream].processed(now - index / rate, latency, 1)
            else:
                self.streams[stream].dropped(drop)

    @contextmanager
    def camera(self, stream):
        """Let frames come, one by one."""
        stop = threading.Event()

        def play():
            while not stop.wait(1 / 30):
                self.play(1 / 30, stream=stream)

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        yield
        stop.set()
        thread.join()


@pytest.fixture
def watch(_ros, namespace):
    """Make one watched node."""
    made = []

    def make(**arguments):
        made.append(Watched(namespace, **arguments))
        return made[-1]

    yield make
    for watched in made:
        watched.close()


def values_of(status):
    return {pair.key: pair.value for pair in status.values}


def level_is(level):
    return lambda array: array.status[0].level == level


def test_one_array_a_second_with_one_status_for_every_stream(watch):
    watched = watch(streams=("front", "rear"))
    assert wait_until(lambda: len(watched.arrays) >= 4)
    spacing = (watched.arrivals[3] - watched.arrivals[0]) / 3
    # A busy machine may delay one or the other; twice as many or half of them would be another rate.
    assert 0.6 < spacing < 1.7
    for array in watched.arrays:
        assert [status.name for status in array.status] == [watched.prefix + "front", watched.prefix + "rear"]
        assert {status.hardware_id for status in array.status} == {"none"}
        assert array.header.stamp.sec > 1_500_000_000


def test_a_status_has_the_facts_and_the_numbers(watch):
    watched = watch()
    for reason in DropReason:
        watched.streams["image"].dropped(reason)
    watched.play()
    status = watched.next().status[0]
    values = values_of(status)
    assert status.level == OK
    assert status.message.endswith("Hz, 6.0 ms, 1 face")
    assert {key: values[key] for key in FACTS} == FACTS
    assert float(values["output rate (Hz)"]) == pytest.approx(float(values["input rate (Hz)"]), abs=0.2)
    assert (values["latency p50 (ms)"], values["latency p95 (ms)"], values["faces"]) == ("6.0", "6.0", "1")
    assert (values["frames in"], values["frames processed"], values["drop share (%)"]) == ("30", "30", "0.0")
    assert values["frames dropped"] == str(len(DropReason))
    assert {key for key in values if key.startswith("dropped: ")} == {f"dropped: {r.value}" for r in DropReason}


def test_the_keys_are_the_same_before_the_first_frame(watch):
    watched = watch()
    before = values_of(watched.arrays[0].status[0])
    watched.play()
    assert list(values_of(watched.next().status[0])) == list(before)
    assert (before["latency p50 (ms)"], before["faces"], before["input age (s)"]) == ("n/a", "n/a", "n/a")


def test_a_camera_that_never_comes_is_named_and_an_error_later(watch):
    watched = watch(limits=HealthLimits(stale_error_seconds=60.0))
    assert "is the camera running" in watched.next(level_is(WARN)).status[0].message
    watched.diagnostics.limits = HealthLimits(stale_error_seconds=1.5)
    assert watched.next(level_is(ERROR)).status[0].message.startswith("No frame yet for")


def test_a_camera_that_stops_is_named_and_forgotten_when_it_is_back(watch):
    watched = watch(streams=("front", "rear"), limits=HealthLimits())
    with watched.camera("front"):
        with watched.camera("rear"):
            watched.next(lambda array: [status.level for status in array.status] == [OK, OK])
        front, rear = watched.next(lambda array: array.status[1].level == WARN).status
        assert front.level == OK
        assert rear.message.startswith("No frame for")
        with watched.camera("rear"):
            watched.next(lambda array: [status.level for status in array.status] == [OK, OK])


def test_drops_latency_and_clocks_reach_the_level_and_the_message(watch):
    watched = watch(streams=("drops", "latency", "clock", "paced"))
    watched.play(stream="drops", drop=DropReason.UNUSABLE)
    watched.play(stream="latency", latency=0.5)
    watched.play(stream="clock", latency=-3600.0)
    watched.play(stream="paced", rate=60, drop=DropReason.FRAME_RATE)
    watched.play(stream="paced")
    drops, latency, clock, paced = watched.next().status
    assert (drops.level, latency.level, clock.level, paced.level) == (ERROR, WARN, WARN, OK)
    assert drops.message.startswith("100 % of the frames are dropped")
    assert "500 ms after the image" in latency.message
    assert "60 min in the future" in clock.message
    assert values_of(paced)["dropped: frame_rate"] == "60"


def test_an_idle_node_is_well_and_is_not_stale_when_it_goes_on(watch):
    watched = watch()
    watched.play()
    watched.condition = NodeCondition({**FACTS, "state": "inactive"}, idle="inactive")
    watched.diagnostics.limits = HealthLimits(stale_warn_seconds=1.6, stale_error_seconds=2.0)
    # Long enough to be an error, were it expected to take frames.
    for _ in range(3):
        status = watched.next().status[0]
        assert (status.level, status.message) == (OK, "Takes no frames: inactive.")
    assert values_of(status)["state"] == "inactive"
    assert float(values_of(status)["input age (s)"]) > 1.5
    watched.condition = NodeCondition(FACTS)
    assert watched.next().status[0].level == OK
    watched.next(level_is(ERROR))


def test_a_failure_is_an_error_and_a_warning_does_not_hide_the_summary(watch):
    watched = watch()
    watched.condition = NodeCondition(FACTS, idle="unconfigured", failure="The model 'x' was not found.")
    status = watched.next().status[0]
    assert (status.level, status.message) == (ERROR, "The model 'x' was not found.")
    watched.condition = NodeCondition(FACTS, warning="Runs on the CPU, CUDA is not installed.")
    watched.play()
    status = watched.next().status[0]
    assert status.level == WARN
    assert status.message.startswith("Runs on the CPU, CUDA is not installed. ")
    assert status.message.endswith("1 face")


def test_a_paused_simulated_clock_stops_nothing_and_is_named(watch):
    watched = watch(limits=HealthLimits(stale_error_seconds=1.5), use_sim_time=True)
    clock = watched.node.create_publisher(ClockMessage, "/clock", OUTPUT)
    message = ClockMessage()
    message.clock.sec = 1234
    assert wait_until(lambda: clock.get_subscription_count() > 0)
    clock.publish(message)
    watched.next(lambda array: array.header.stamp.sec == 1234 and "clock stands still" in array.status[0].message)
    later = [watched.next() for _ in range(2)]
    assert {array.status[0].level for array in later} == {WARN}
    assert {array.header.stamp.sec for array in later} == {1234}


def test_nothing_comes_after_it_is_closed(watch):
    watched = watch()
    watched.next()
    watched.node.executor.create_task(watched.diagnostics.close)
    assert wait_until(lambda: watched.node.count_publishers("/diagnostics") == 0)
    heard = len(watched.arrays)
    time.sleep(1.5)
    assert len(watched.arrays) <= heard + 1


def test_levels_are_those_of_the_message():
    assert [bytes([level]) for level in Level] == [OK, WARN, ERROR]


def test_limits_are_parameters_that_change_while_the_node_runs(_ros):
    node = rclpy.create_node("limits")
    try:
        seen = []
        assert declare_parameters(node, HealthLimits(), seen.append) == HealthLimits()
        assert node.set_parameters([RosParameter("stale_warn_seconds", value=3)])[0].successful
        assert seen == [HealthLimits(stale_warn_seconds=3.0)]
        refused = node.set_parameters([RosParameter("drop_warn_share", value=1.5)])[0]
        assert not refused.successful
        assert "drop_warn_share" in refused.reason
    finally:
        node.destroy_node()


def test_a_wrong_limit_at_the_start_is_refused(_ros):
    wrong = RosParameter("latency_warn_seconds", value=-1.0)
    node = rclpy.create_node("wrong_limits", parameter_overrides=[wrong])
    try:
        with pytest.raises(DferError, match="latency_warn_seconds"):
            declare_parameters(node, HealthLimits())
    finally:
        node.destroy_node()


def test_the_document_names_every_key_and_limit(watch):
    values = values_of(watch().arrays[0].status[0])
    text = DOCUMENT.read_text(encoding="utf-8")
    keys = {re.sub(r"^(dropped.*: ).*", r"\1<reason>", key) for key in values if key not in FACTS}
    assert "dropped in 5 s: <reason>" in keys
    assert [key for key in keys if f"| `{key}` |" not in text] == []
    assert [reason for reason in DropReason if f"| `{reason.value}` |" not in text] == []
    rows = [f"| `{limit.name}` | `{limit.default}` |" for limit in parameters(HealthLimits()).values()]
    assert [row for row in rows if row not in text] == []


def test_the_analyzers_of_the_document_match_the_names_of_the_nodes():
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]
    found = next(block for block in blocks if block.startswith("analyzers:"))
    group = yaml.safe_load(found.split("```")[0])["analyzers"]["ros__parameters"]["expressions"]["analyzers"]
    prefixes = [prefix for analyzer in group.values() for prefix in analyzer["find_and_remove_prefix"]]
    assert prefixes == ["/dfer/face_detector_node", "/dfer/dfer_node"]
