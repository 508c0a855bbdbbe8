"""What nodes that share a process are told of each other's parameters."""

import pytest
import yaml

from dfer_ros.core.errors import DferError
from dfer_ros.graph import processes
from dfer_ros.graph.processes import own_parameters


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The file of dfer_node in a folder of shared files."""
    monkeypatch.setattr(processes, "share_directory", lambda: tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "dfer_node.yaml"


def test_what_is_said_of_every_node_is_taken_as_said_of_its_own(config):
    sections = {"/**": {"frame_rate": 9.0, "threads": 2}, "/**/dfer_node": {"threads": 3}, "/other": {"threads": 4}}
    config.write_text(yaml.safe_dump({name: {"ros__parameters": values} for name, values in sections.items()}))
    own = {"frame_rate": 9.0, "threads": 3}
    assert own_parameters("dfer_node") == {
        "/**/dfer_node": {"ros__parameters": own},
        "/other": {"ros__parameters": {"threads": 4}},
    }


@pytest.mark.parametrize("text", ["", "frame_rate: 9.0", "/**: {frame_rate: 9.0}", "/**: [", "/**:"])
def test_what_is_no_file_of_parameters_is_named_in_a_sentence(config, text):
    config.write_text(text)
    with pytest.raises(DferError, match=r"dfer_node\.yaml is no file of parameters \(.+\): correct it\."):
        own_parameters("dfer_node")
