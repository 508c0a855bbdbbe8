"""Every error is one sentence: no second one is joined to it."""

import ast
import re
from pathlib import Path

import dfer_ros

PACKAGE = Path(dfer_ros.__file__).parent
ERROR = re.compile(r"\w*Error")
QUOTING = {"bags/played_topics.py", "core/detection/detector.py", "core/detection/yunet_detector.py"}
"""Where the sentence ends and what follows is what others said."""
SECOND_SENTENCE = re.compile(r"[.!?] +([A-Z]|\{\})")


def text_of(node):
    """Return the text of a literal, with {} where values go in; None for what is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def messages(path):
    """Return the texts that errors are made with in a file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and ERROR.fullmatch(call.func.id) and call.args]
    return [text for call in made if (text := text_of(call.args[0])) is not None]


def test_an_error_is_one_sentence():
    texts = {str(path.relative_to(PACKAGE)): messages(path) for path in sorted(PACKAGE.rglob("*.py"))}
    assert sum(len(of_file) for of_file in texts.values()) > 200
    offenders = [
        f"{path}: {text}"
        for path, of_file in texts.items()
        for text in of_file
        if SECOND_SENTENCE.search(re.sub(r"( \{\})+$", "", text) if path in QUOTING else text) or "\n" in text
    ]
    assert offenders == []
