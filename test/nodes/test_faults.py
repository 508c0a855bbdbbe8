"""`dfer bench faults` in short: every scenario on the real graph. What is about speed is left to the bench itself."""

import json
import os
import subprocess
import sys

import pytest
from ros_domain import claim_domain

from dfer_ros.bench.faults.scenarios import SCENARIOS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GROUPS = (("malformed_images", "lifecycle", "camera"), ("kills", "crowd", "long_run"))
"""Scenarios that run at the same time as the others, in a domain of their own: much of their time is waiting."""
LONG_RUN_HOURS = 0.0015


@pytest.fixture(scope="module")
def results(tmp_path_factory, yunet_model):
    """The result of every scenario by name, and what each run of the command printed."""
    folder = tmp_path_factory.mktemp("faults")
    runs = []
    for index, group in enumerate(GROUPS):
        command = [sys.executable, "-m", "dfer_ros.cli.main", "bench", "faults", "--only", *group]
        command += ["--scale", "0", "--hours", str(LONG_RUN_HOURS), "--yunet-model", yunet_model]
        command += ["--output", str(folder / f"{index}.json")]
        environment = {**os.environ, "ROS_DOMAIN_ID": str(claim_domain())}
        runs.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    printed = [run.communicate()[0] for run in runs]
    found = {}
    for index, text in enumerate(printed):
        assert (folder / f"{index}.json").is_file(), text
        content = json.loads((folder / f"{index}.json").read_text())
        found.update({result["scenario"]: result["checks"] for result in content["results"]})
    return found, printed, [run.returncode for run in runs]


def test_every_scenario_is_run(results):
    assert sorted(results[0]) == sorted(SCENARIOS)
    assert sorted(name for group in GROUPS for name in group) == sorted(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_graph_survives(results, scenario):
    checks = [check for check in results[0][scenario] if not check["timed"]]
    assert checks
    assert [check for check in checks if not check["passed"]] == []


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_the_exit_code_and_the_table_tell_of_every_check_that_failed(results, group):
    failed = sum(not check["passed"] for name in GROUPS[group] for check in results[0][name])
    assert results[2][group] == (1 if failed else 0)
    assert results[1][group].count("FAIL") == failed


def test_a_scenario_that_does_not_exist_is_named():
    command = [sys.executable, "-m", "dfer_ros.cli.main", "bench", "faults", "--only", "earthquake"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "There is no scenario earthquake: use malformed_images, " in run.stderr
