"""The process of a node: how it ends."""

import subprocess
import sys
import textwrap

import pytest

STUCK = textwrap.dedent(
    """
    import ctypes
    from rclpy.node import Node
    from dfer_ros.ros import run_node

    class Stuck(Node):
        def __init__(self):
            super().__init__("stuck")
            self.create_timer(0.1, self.never_come_back)

        def never_come_back(self):
            ctypes.PyDLL(None).sleep(1000)  # PyDLL keeps Python's lock, as a middleware does

        def close(self):
            pass

    run_node._DEAF_SECONDS = 2.0
    run_node.run_node("stuck", Stuck)
    """
)


def test_a_callback_that_never_comes_back_ends_the_process_with_its_stack():
    ended = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr and "in never_come_back" in ended.stderr


def test_one_that_works_on_lives_longer_than_that():
    busy = STUCK.replace("ctypes.PyDLL(None).sleep(1000)", "self.calls = getattr(self, 'calls', 0) + 1")
    busy = busy.replace("def close", "    if self.calls == 40: raise run_node.SourceEnded(7)\n\n    def close")
    ended = subprocess.run([sys.executable, "-c", busy], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "Timeout" in ended.stderr) == (7, False), ended.stderr


def test_a_thread_that_fails_ends_the_process_so_that_it_is_started_again():
    failing = STUCK.replace("ctypes.PyDLL(None).sleep(1000)", "threading.Thread(target=lambda: 1 // 0).start()")
    failing = failing.replace("import ctypes", "import threading")
    ended = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr


@pytest.mark.parametrize("code", [0, 7])
def test_a_goodbye_that_never_comes_back_ends_with_the_code_that_was_due(code):
    leaving = STUCK.replace("ctypes.PyDLL(None).sleep(1000)", f"raise run_node.SourceEnded({code})")
    leaving = leaving.replace(
        "def close", "def destroy_node(self):\n        ctypes.PyDLL(None).sleep(1000)\n\n    def close"
    )
    ended = subprocess.run([sys.executable, "-c", leaving], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code, ended.stderr
    assert "in destroy_node" in ended.stderr


def test_a_thread_that_fails_while_its_node_is_closed_is_a_failure_too():
    failing = "last = threading.Thread(target=lambda: 1 // 0)\n        last.start()\n        last.join()"
    closing = STUCK.replace("ctypes.PyDLL(None).sleep(1000)", "raise run_node.SourceEnded").replace("pass", failing)
    closing = closing.replace("import ctypes", "import threading")
    ended = subprocess.run([sys.executable, "-c", closing], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
