"""What ROS refuses at the start of a process is one sentence, from every node and every command."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dfer_ros.ros.starting import interruption_waits

DOMAIN = "ROS 2 cannot start: ROS_DOMAIN_ID is '{}'; set it to a whole number from 0 to 232."


def said(arguments, without=(), **variables):
    """Run `python -m ARGUMENTS` and return its exit code and its last line, after checking that it says little."""
    environment = {name: value for name, value in os.environ.items() if name not in without} | variables
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60
    )
    output = done.stderr + done.stdout
    assert "Traceback" not in output, output
    assert len(output.splitlines()) <= 3, output
    return done.returncode, output.splitlines()[-1]


def node(name, *arguments):
    room = "behavior.examples" if name in ("greet_node", "speech_rate_node") else "nodes"
    return [f"dfer_ros.{room}.{name}", "--ros-args", *arguments]


@pytest.fixture
def commands(tmp_path, clip):
    """The commands that start ROS, by name, each with the arguments that it needs."""
    import cv2
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    bag = tmp_path / "bag"
    with Writer(bag, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        text = "std_msgs/msg/String"
        connection = writer.add_connection("/said", text, typestore=store)
        writer.write(connection, 1, store.serialize_cdr(store.types[text](data="hello"), text))
    cv2.imwrite(str(tmp_path / "face.png"), clip[0])
    return {
        "watch": ["watch", "--once"],
        "replay": ["replay", bag],
        "record": ["record", "--duration", "1", "--output", tmp_path / "talk"],
        "run": ["run", "--source", tmp_path / "face.png"],
    }


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("dfer_node", "use_sim_time", "1"),
        ("overlay_node", "use_sim_time", "'true'"),
        ("greet_node", "start_type_description_service", "1"),
    ],
)
def test_a_parameter_of_ros_itself_of_another_kind_is_refused(name, parameter, value):
    code, line = said(node(name, "-p", f"{parameter}:={value}"))
    assert code == 1
    assert line.endswith(f"Parameter '{parameter}' must be true or false: correct its value.")


@pytest.mark.parametrize(("command", "domain"), [("watch", "abc"), ("replay", "300"), ("record", "-1"), ("run", "abc")])
def test_a_command_names_a_domain_that_is_none(commands, command, domain):
    code, line = said(["dfer_ros.cli.main", *commands[command]], ROS_DOMAIN_ID=domain)
    assert (code, line) == (1, f"dfer {command}: {DOMAIN.format(domain)}")


@pytest.mark.parametrize("command", ["replay", "run"])
def test_a_command_names_a_log_folder_that_cannot_be_written(commands, command):
    code, line = said(["dfer_ros.cli.main", *commands[command]], ROS_LOG_DIR="/dev/null/x")
    assert code == 1
    assert line.startswith(f"dfer {command}: ROS 2 cannot start: ")
    assert "'/dev/null/x'" in line and line.endswith("set ROS_LOG_DIR to a folder that can be written.")


def test_a_node_names_a_domain_that_is_none():
    assert said(node("overlay_node"), ROS_DOMAIN_ID="1.5") == (1, f"overlay_node: {DOMAIN.format('1.5')}")


def test_a_command_without_a_home_starts_or_says_why_not(commands):
    code, line = said(["dfer_ros.cli.main", *commands["watch"]], without=("HOME", "ROS_LOG_DIR", "ROS_HOME"))
    assert line.startswith("dfer watch: ROS 2 cannot start: ") if code == 1 else code == 0


def test_a_topic_that_cannot_be_is_named():
    code, line = said(node("speech_rate_node", "-p", "topics:=['a b']"))
    assert code == 1
    assert "The listener cannot hear 'a b': " in line
    assert "/project/" not in line


@pytest.mark.parametrize("remap", ["image:=a b", "__ns:=a b"])
def test_a_remap_that_cannot_be_is_refused(remap):
    code, line = said(node("overlay_node", "-r", remap))
    assert code == 1
    assert line.startswith("overlay_node: ROS 2 cannot start: ") and remap in line


def test_ctrl_c_waits_until_what_has_begun_is_whole():
    done = []
    with pytest.raises(KeyboardInterrupt), interruption_waits():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        done.append("whole")
    assert done == ["whole"]
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)
