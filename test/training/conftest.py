"""What the tests of training share: made data sets in their published layouts, and the `dfer data` command."""

from functools import partial

import made_data_sets
import pytest
from dfer_command import dfer

from dfer_ros.cli import main
from dfer_ros.training.compression import measurement
from dfer_ros.training.evaluation import model_cost


@pytest.fixture(autouse=True)
def quick_timing(monkeypatch):
    """Two rounds for ten wherever a report tells times: no test of a report asks how exact they are."""
    for module in (model_cost, measurement):
        monkeypatch.setattr(module, "BLOCKS", range(2))


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
def run_dfer(monkeypatch, capsys):
    """A function that runs `dfer ARGUMENTS` and returns the exit code and what it said."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(command, *arguments):
        monkeypatch.setitem(main.COMMANDS, command, "is there whether or not torch is")
        capsys.readouterr()
        code = dfer(command, *arguments)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


@pytest.fixture
def dfer_data(run_dfer):
    """A function that runs `dfer data ARGUMENTS` and returns the exit code and what it said."""
    return partial(run_dfer, "data")


@pytest.fixture
def detector_arguments(detector, request):
    """What makes the command take the detector of the tests."""
    there = ("--detector", detector.name)
    return there if detector.name == "mediapipe" else (*there, "--yunet-model", request.getfixturevalue("yunet_model"))


@pytest.fixture
def prepare_set(dfer_data, detector_arguments, tmp_path):
    """A function that prepares a data set into a folder and returns that, the exit code and what was said."""

    def run(name, root, *options, output=None):
        output = output or tmp_path / "prepared"
        code, said = dfer_data("prepare", name, "--root", root, "--output", output, *detector_arguments, *options)
        assert "Traceback" not in said
        return output, code, said

    return run
