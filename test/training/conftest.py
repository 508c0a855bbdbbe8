"""What the tests of training share: made data sets in their published layouts, and the `dfer data` command."""

import made_data_sets
import pytest

from dfer_ros.cli import main


@pytest.fixture(scope="session")
def pictures(portrait, clip):
    """What the made data sets are made of."""
    return made_data_sets.Pictures(portrait, clip[-made_data_sets.CLIP_FRAMES :])


@pytest.fixture
def made(pictures, tmp_path):
    """A function that makes a data set by its name and returns its root and what is to be found there."""

    def make(name, **options):
        root = tmp_path / "root" / name
        root.mkdir(parents=True)
        return root, made_data_sets.MADE[name](root, pictures, **options)

    return make


@pytest.fixture
def dfer_data(monkeypatch, capsys):
    """A function that runs `dfer data ARGUMENTS` and returns the exit code and what it said."""
    monkeypatch.setitem(main.COMMANDS, "data", "prepare data sets")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main(["data", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        return ended.value.code, captured.out + captured.err

    return run
