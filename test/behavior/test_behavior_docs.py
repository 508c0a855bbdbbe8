"""docs/behavior.md says what is true."""

import ast
import json
import re
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from dfer_ros.behavior.emotion_states import EmotionStatesConfig, PersonEmotion
from dfer_ros.behavior.examples.greet_node import GreetNodeConfig
from dfer_ros.behavior.examples.smile_tree_node import SmileTreeNodeConfig
from dfer_ros.behavior.examples.speech_rate_node import SpeechRateNodeConfig
from dfer_ros.core.parameter import parameters
from dfer_ros.ros.waiting import wait_until

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "behavior.md").read_text(encoding="utf-8")
BEHAVIOR, SCRIPT, CALLBACK, COROUTINE, TEST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def cells(heading):
    """Return the rows of the table whose first heading this is."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|-.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE).group(1)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def run_example(code, topic):
    return subprocess.Popen(
        [sys.executable, "-c", code, "--ros-args", "-r", f"/dfer/emotions:={topic}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_behaviour_has_fifteen_lines_and_works(reader):
    assert len([line for line in BEHAVIOR.splitlines() if line.strip()]) <= 15
    process = run_example(BEHAVIOR, reader.topic())
    reader.wait_for_listener()
    reader.keep_showing(1.5, face7="happy")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.count("Hello face7, you look happy!") == 1


def test_the_script_works(reader):
    process = run_example(SCRIPT, reader.topic())
    reader.wait_for_listener()
    assert reader.show_until(lambda: process.poll() is not None, face7="happy")
    assert "face7 is happy" in process.communicate()[0]


def test_the_callback_is_python():
    compile(CALLBACK, "behavior.md", "exec")


def test_the_test_passes_as_it_is_written(tmp_path):
    (tmp_path / "test_greeter.py").write_text(TEST, encoding="utf-8")
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_greeter.py"]
    ended = subprocess.run(pytest_alone, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0 and "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_the_coroutine_is_python_too():
    compile(COROUTINE, "behavior.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_field_of_a_person_is_there():
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in cells("`PersonEmotion`")))
    assert sorted(named) == sorted(field.name for field in fields(PersonEmotion))


def test_the_times_are_the_defaults():
    config = EmotionStatesConfig()
    assert f"read for {config.settle_seconds:g} s without a break" in TEXT
    assert f"only `unknown` was read for {config.unsure_seconds:g} s" in TEXT
    assert f"in at most {config.transition_seconds:g} s" in TEXT
    assert f"not seen for {config.lost_seconds:g} s" in TEXT
    assert f"Beyond an age of {config.stale_seconds:g} s" in TEXT


@pytest.mark.parametrize(
    ("node", "config"),
    [
        ("greet_node", GreetNodeConfig()),
        ("speech_rate_node", SpeechRateNodeConfig()),
        ("smile_tree_node", SmileTreeNodeConfig()),
    ],
)
def test_the_parameters_are_those_of_the_node(node, config):
    table = parameters(config).values()
    expected = [[f"`{p.name}`", f"`{json.dumps(p.default)}`", p.unit, p.description] for p in table]
    assert cells(f"`{node}`") == expected


def test_the_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert all((DOCS / link).exists() for link in links)


def test_a_wrong_topic_is_the_first_thing_that_an_author_is_told(reader):
    process = run_example(BEHAVIOR, f"{reader.topic()}_wrong")
    try:
        first = []
        assert wait_until(lambda: first.append(process.stdout.readline()) or "Nobody publishes" in first[-1])
        assert f"{reader.topic()}_wrong" in first[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
