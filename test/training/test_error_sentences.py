"""Every error of training is one sentence: no second one is joined to it."""

import ast
import re
from pathlib import Path

import pytest

import dfer_ros

PACKAGE = Path(dfer_ros.__file__).parent
COMMANDS = ("data", "train", "compress", "export", "evaluate")
FILES = sorted((PACKAGE / "training").rglob("*.py")) + [PACKAGE / "cli" / f"{name}.py" for name in COMMANDS]
ERRORS = {"DataError", "TrainingError", "ModelError", "SourceError", "LayoutError"}
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
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ERRORS and call.args]
    return [text for call in made if (text := text_of(call.args[0])) is not None]


def test_the_errors_are_found():
    assert sum(len(messages(path)) for path in FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_error_is_one_sentence(path):
    assert [text for text in messages(path) if SECOND_SENTENCE.search(text) or "\n" in text] == []
