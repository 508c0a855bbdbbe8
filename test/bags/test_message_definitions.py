import json
import sys
from pathlib import Path

import pytest
from made_bags import TYPES, write_clip
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2 import Reader

from dfer_ros.bags.message_definitions import define_type, definition_in_bag
from dfer_ros.core.errors import SourceError

SHARE = Path(sys.prefix) / "share"
EMOTIONS = "dfer_msgs/msg/EmotionArray"


def described(package):
    """Return the hashes of the types of an installed package, as its own generator computed them."""
    files = sorted((SHARE / package / "msg").glob("*.json"))
    hashes = [json.loads(file.read_text())["type_hashes"][0] for file in files]
    return {entry["type_name"]: entry["hash_string"] for entry in hashes}


@pytest.mark.parametrize("package", ["dfer_msgs", "sensor_msgs", "std_msgs", "diagnostic_msgs", "geometry_msgs"])
def test_hashes_are_those_of_the_generator_of_ros(package):
    expected = described(package)
    if not expected:
        pytest.skip(f"{package} is not installed in {sys.prefix}")
    assert {name: define_type(name).hash for name in expected} == expected


@pytest.mark.parametrize("kind", ["sensor_msgs/msg/Image", "tf2_msgs/msg/TFMessage", EMOTIONS])
def test_the_same_is_found_without_an_installation(kind, monkeypatch, tmp_path):
    found = define_type(kind)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    assert define_type(kind).hash == found.hash


def test_a_definition_holds_the_types_within_in_the_form_of_rosbag2():
    text = define_type(EMOTIONS).text
    assert text.startswith("std_msgs/Header header\ndfer_msgs/Emotion[] emotions\n" + 80 * "=" + "\nMSG: std_msgs/Head")
    assert "MSG: dfer_msgs/Emotion\n" in text
    assert "uint8 DISGUSTED=6\n" in text


def test_a_type_of_a_workspace_is_found_with_those_within(monkeypatch, tmp_path):
    folder = tmp_path / "share" / "my_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Inner.msg").write_text("float64[<=3] values\n")
    (folder / "Outer.msg").write_text("# remark\nInner[2] pair\nstd_msgs/Header header\nstring name 'x'\n")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/absent:{tmp_path}")
    definition = define_type("my_msgs/msg/Outer")
    assert "MSG: my_msgs/Inner\nfloat64[<=3] values\n" in definition.text
    assert definition.hash.startswith("RIHS01_")


def test_a_type_that_nobody_defines_is_an_error():
    with pytest.raises(SourceError, match="odd_msgs/msg/Odd is not defined here: install odd_msgs"):
        define_type("odd_msgs/msg/Odd")


def test_another_definition_than_the_one_published_is_an_error():
    define_type(EMOTIONS, define_type(EMOTIONS).hash)
    with pytest.raises(
        SourceError, match=r"another definition than the one installed here .*RIHS01_00000000, not RIHS"
    ):
        define_type(EMOTIONS, "RIHS01_" + 64 * "0")


def test_a_definition_in_a_bag_is_kept_and_hashed(tmp_path, clip):
    with Reader(write_clip(tmp_path / "bag", clip[:1], "mcap", texts=1)) as reader:
        for connection in reader.connections:
            definition = definition_in_bag(connection)
            assert definition.text == connection.msgdef.data
            assert definition.hash == TYPES.hash_rihs01(connection.msgtype)


@pytest.mark.parametrize("text", ["", "wstring<=5[<=2] $%&"])
def test_what_a_bag_does_not_define_is_defined_as_installed(tmp_path, clip, text):
    kind = MessageDefinitionFormat.MSG if text else MessageDefinitionFormat.NONE
    with Reader(write_clip(tmp_path / "bag", clip[:1])) as reader:
        connection = reader.connections[0]._replace(msgdef=MessageDefinition(kind, text))
        assert definition_in_bag(connection).hash == TYPES.hash_rihs01(connection.msgtype)
