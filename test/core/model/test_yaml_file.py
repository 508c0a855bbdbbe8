import os
import re

import pytest

from dfer_ros.core.model.folder import read_yaml


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "file.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def bomb(levels, tag=""):
    """Return lines each of which repeats the one before nine times."""
    lines = [f"l0: &l0 {tag}[1, 1, 1]"]
    for level in range(1, levels + 1):
        lines.append(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]")
    return "\n".join(lines)


def test_plain_values_are_read(write):
    text = "a: 1\nb: [x, 2.5, true, null]\nc: {d: 2024-01-02, e: 'é'}\n"
    assert str(read_yaml(write(text))["c"]["d"]) == "2024-01-02"
    assert read_yaml(write(text))["b"] == ["x", 2.5, True, None]
    assert read_yaml(write("")) is None


def test_a_few_aliases_are_fine(write):
    assert read_yaml(write("a: &a [1, 2]\nb: [*a, *a]\nc: {<<: {x: 1}, y: 2}\n"))["b"] == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.mkdir [{folder}]",
        "a: !!python/object/apply:subprocess.check_output [[touch, {folder}]]",
        "a: !!python/object/new:os.mkdir [{folder}]",
        "a: !!python/name:os.system",
        "a: !!python/module:antigravity",
        "!own {{a: 1}}",
    ],
)
def test_no_tag_runs_code(write, tmp_path, text):
    with pytest.raises(ValueError, match="could not determine a constructor for the tag"):
        read_yaml(write(text.format(folder=tmp_path / "made")))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("levels", [5, 9, 100])
def test_aliases_of_aliases_that_stand_for_too_much_are_an_error(write, levels):
    with pytest.raises(ValueError, match="it stands for more than 20000 values"):
        read_yaml(write(bomb(levels)))


def test_merged_mappings_that_stand_for_too_much_are_an_error(write):
    lines = ["l0: &l0 {a: 1, b: 2}"]
    lines += [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    with pytest.raises(ValueError, match="it stands for more than 20000 values"):
        read_yaml(write("\n".join(lines)))


def test_an_alias_within_itself_is_an_error(write):
    with pytest.raises(ValueError, match="an alias stands within what it stands for"):
        read_yaml(write("a: &a [1, *a]"))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_what_is_nested_too_deeply_is_an_error(write, opening):
    with pytest.raises(ValueError, match="it is nested too deeply"):
        read_yaml(write(opening * 20_000))


def test_a_file_that_is_too_large_is_an_error(write):
    with pytest.raises(ValueError, match="it is larger than 256 KiB"):
        read_yaml(write("# " + "x" * 300_000))


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe",
        "a: [1",
        "\t- a",
        "a: 2024-13-45",
        "a: !!int ''",
        "a: !!bool maybe",
        "a: !!timestamp soon",
        "a: !!float x",
        f"a: {'9' * 5000}",
        "a: b: c",
        "--- 1\n--- 2",
        "[1]: 2\n{}: 3",
    ],
)
def test_what_cannot_be_read_is_an_error_in_one_line(write, text):
    with pytest.raises(ValueError, match=re.compile(r".+")) as error:
        read_yaml(write(text))
    assert "\n" not in str(error.value)


def test_a_missing_file_and_one_that_is_no_file_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent", "pipe", "."):
        with pytest.raises(FileNotFoundError):
            read_yaml(tmp_path / name)
