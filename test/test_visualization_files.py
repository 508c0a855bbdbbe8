"""The configurations of RViz and Foxglove hold to the formats of those programs, and to our topics and messages.

What the formats ask for was read in the sources of ros2/rviz, Qt, foxglove/studio and Lichtblick; neither program runs
here.
"""

import json
import re
import struct
from argparse import ArgumentParser
from pathlib import Path

import pytest
import yaml

from dfer_ros.cli import run
from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.core.palette import ON_DARK

CHECKOUT = Path(__file__).resolve().parents[1]
RVIZ = yaml.safe_load((CHECKOUT / "config" / "dfer.rviz").read_text(encoding="utf-8"))
LAYOUT = json.loads((CHECKOUT / "config" / "foxglove_layout.json").read_text(encoding="utf-8"))
TOPICS = {f"{run.NAMESPACE}/emotions": "dfer_msgs/EmotionArray", f"{run.NAMESPACE}/overlay": "sensor_msgs/Image"}

DISPLAYS = RVIZ["Visualization Manager"]["Displays"]
IMAGE_PROPERTIES = {
    "Class", "Enabled", "Max Value", "Median window", "Min Value", "Name", "Normalize Range", "Topic", "Value"
}  # fmt: skip
POLICIES = {
    "History Policy": {"System Default", "Keep Last", "Keep All"},
    "Reliability Policy": {"System Default", "Reliable", "Best Effort"},
    "Durability Policy": {"System Default", "Transient Local", "Volatile"},
}

PLOTTED = {"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"}
STATES = (PLOTTED - {"float32", "float64"}) | {"string"}


def default_of(option):
    parser = ArgumentParser()
    run.configure(parser)
    return parser.get_default(option)


def test_rviz_shows_the_overlay_and_the_camera_of_dfer_run():
    shown = {display["Name"]: display["Topic"]["Value"] for display in DISPLAYS}
    assert shown == {"Overlay": f"{run.NAMESPACE}/overlay", "Camera": default_of("image")}


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display["Name"])
def test_a_display_of_rviz_has_the_properties_of_its_class(display):
    assert display["Class"] == "rviz_default_plugins/Image"
    assert display.keys() == IMAGE_PROPERTIES
    assert display["Enabled"] is display["Value"] is True
    topic = display["Topic"]
    assert topic.keys() == {"Depth", "Value", *POLICIES}
    assert topic["Depth"] >= 1
    assert all(topic[policy] in values for policy, values in POLICIES.items())


def test_rviz_hears_a_camera_that_sends_as_most_drivers_do():
    # A reliable subscriber does not hear a best-effort publisher.
    assert next(d for d in DISPLAYS if d["Name"] == "Camera")["Topic"]["Reliability Policy"] == "Best Effort"


def test_rviz_finds_its_panels_tools_and_view():
    manager = RVIZ["Visualization Manager"]
    assert [panel["Class"] for panel in RVIZ["Panels"]] == ["rviz_common/Displays"]
    assert {tool["Class"] for tool in manager["Tools"]} <= {
        f"rviz_default_plugins/{name}" for name in ("Interact", "MoveCamera", "Select", "FocusCamera", "Measure")
    }
    assert manager["Views"]["Current"]["Class"] == "rviz_default_plugins/Orbit"
    assert manager["Transformation"]["Current"]["Class"] == "rviz_default_plugins/TF"
    assert manager["Global Options"].keys() == {"Background Color", "Fixed Frame", "Frame Rate"}


class QtStream:
    """Reads what QDataStream wrote: big-endian numbers, strings as UTF-16 after their length in bytes."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self._data, self._at)
        self._at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    def string(self):
        length = self.take("I")
        self._at += length
        return self._data[self._at - length : self._at].decode("utf-16-be")

    @property
    def at_end(self):
        return self._at == len(self._data)


def docks_of(state):
    """Return the places of the docks in a QMainWindow::saveState() of version 0, by area and name."""
    stream = QtStream(bytes.fromhex(state))
    assert stream.take("iiB") == (0xFF, 0, 0xFD)
    areas = {}
    for _ in range(stream.take("i")):
        area, _width, _height, marker, _orientation, count = stream.take("iiiBBi")
        assert marker == 0xFC
        areas[area] = {}
        for _ in range(count):
            assert stream.take("B") == 0xFB
            name = stream.string()
            flags, position, size, least, most = stream.take("Biiii")
            assert flags == 1, f"{name} is hidden or floats"
            assert least <= size <= most
            areas[area][name] = (position, size)
    stream.take("6i")  # size of the middle, and to which area each corner belongs
    assert stream.take("Biii") == (0xFC, 1, 2, 1)
    assert stream.string() == "Tools"
    stream.take("Biiii")
    assert stream.at_end
    return areas


def test_the_window_of_rviz_has_a_place_for_every_display_and_panel():
    window = RVIZ["Window Geometry"]
    left, right = docks_of(window["QMainWindow State"]).values()
    names = {panel["Name"] for panel in RVIZ["Panels"]} | {display["Name"] for display in DISPLAYS}
    assert {*left, *right} == names
    assert {name for name, value in window.items() if isinstance(value, dict)} == names
    (overlay_at, overlay_size), (camera_at, camera_size) = right["Overlay"], right["Camera"]
    assert overlay_at + overlay_size <= camera_at
    assert camera_at + camera_size <= window["Height"]


def fields_of(message):
    """Return the fields of one of our messages, and their types, from the .msg file."""
    text = (CHECKOUT / "dfer_msgs" / "msg" / f"{message}.msg").read_text(encoding="utf-8")
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2 and "=" not in line[1]}


def type_at(path):
    """Return the type of what a Foxglove message path leads to; every array must be entered at one place."""
    topic, _, rest = path.partition(".")
    package, _, message = TOPICS[topic].partition("/")
    kind = message
    for part in rest.split("."):
        assert package == "dfer_msgs", path
        name, index = re.fullmatch(r"(\w+)(?:\[(\d+|\$\w+)\])?", part).groups()
        kind, array, length = re.fullmatch(r"([\w/]+)(\[(\d*)\])?", fields_of(kind)[name]).groups()
        assert (index is None) == (array is None), path
        if index is not None and index.startswith("$"):
            assert index[1:] in LAYOUT["globalVariables"]
        elif length:
            assert int(index) < int(length), path
    return kind


def panels(kind):
    return [config for name, config in LAYOUT["configById"].items() if name.startswith(f"{kind}!")]


def leaves(node):
    if isinstance(node, str):
        return [node]
    assert node.keys() == {"direction", "first", "second", "splitPercentage"}
    assert node["direction"] in ("row", "column")
    assert 0 < node["splitPercentage"] < 100
    return leaves(node["first"]) + leaves(node["second"])


def test_every_panel_of_foxglove_has_one_place_and_one_configuration():
    placed = leaves(LAYOUT["layout"])
    assert len(placed) == len(set(placed))
    assert set(placed) == LAYOUT["configById"].keys()
    kinds = {name.split("!")[0] for name in placed}
    assert kinds == {"Image", "Plot", "StateTransitions", "DiagnosticSummary", "RawMessages"}
    assert LAYOUT.keys() == {"configById", "globalVariables", "userNodes", "playbackConfig", "layout"}


def test_foxglove_shows_the_overlay_the_messages_and_the_diagnostics():
    assert [panel["imageMode"]["imageTopic"] for panel in panels("Image")] == [f"{run.NAMESPACE}/overlay"]
    assert [panel["topicPath"] for panel in panels("RawMessages")] == [f"{run.NAMESPACE}/emotions"]
    assert [panel["topicToRender"] for panel in panels("DiagnosticSummary")] == ["/diagnostics"]


@pytest.mark.parametrize(("kind", "types"), [("Plot", PLOTTED), ("StateTransitions", STATES)])
def test_foxglove_draws_fields_that_exist_and_can_be_drawn(kind, types):
    paths = [path for panel in panels(kind) for path in panel["paths"]]
    assert paths
    for path in paths:
        assert type_at(path["value"]) in types, path["value"]
        assert path["enabled"] is True
        assert path["timestampMethod"] in ("receiveTime", "headerStamp")


def test_foxglove_plots_each_probability_under_its_name_and_in_its_colour():
    probabilities = next(panel for panel in panels("Plot") if "probabilities" in panel["paths"][0]["value"])
    drawn = [(path["value"].rpartition(".")[2], path["label"], path["color"]) for path in probabilities["paths"]]
    assert drawn == [(f"probabilities[{i}]", name, ON_DARK[name]) for i, name in enumerate(EXPRESSIONS)]
    assert (probabilities["minYValue"], probabilities["maxYValue"]) == (0, 1)


def test_foxglove_plots_valence_arousal_and_intensity_and_the_states_of_the_expression():
    named = {
        kind: {path["value"].rpartition(".")[2] for panel in panels(kind) for path in panel["paths"]}
        for kind in ("Plot", "StateTransitions")
    }
    assert named["Plot"] >= {"valence", "arousal", "intensity"}
    assert named["StateTransitions"] == {"expression", "phase"}


@pytest.mark.parametrize("path", [".emotions.face_id", ".emotions[0].nothing", ".emotions[0].probabilities[7]"])
def test_a_path_that_leads_nowhere_is_found_out(path):
    with pytest.raises((AssertionError, KeyError)):
        type_at(f"{run.NAMESPACE}/emotions{path}")
