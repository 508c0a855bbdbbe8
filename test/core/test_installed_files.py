import shutil

import pytest

from dfer_ros.core import installed_files
from dfer_ros.core.errors import DferError


@pytest.fixture
def found_from(monkeypatch):
    """Return the share directory that a package installed in a folder finds."""

    def find(folder):
        monkeypatch.setattr(installed_files, "__file__", str(folder / "dfer_ros" / "core" / "installed_files.py"))
        return installed_files.share_directory.__wrapped__()

    return find


def test_the_yaml_of_a_node_counts_once_somebody_changed_it(tmp_path, monkeypatch):
    shutil.copytree(installed_files.share_directory() / "config", tmp_path / "config")
    monkeypatch.setattr(installed_files, "share_directory", lambda: tmp_path)
    file = tmp_path / "config" / "dfer_node.yaml"
    assert installed_files.changed_parameters("dfer_node") == []
    file.write_text(file.read_text().replace("frame_rate: 30.0", "frame_rate: 10.0"))
    assert installed_files.changed_parameters("dfer_node") == [str(file)]
    assert installed_files.changed_parameters("face_detector_node") == []


def test_the_shipped_models_are_there():
    assert (installed_files.share_directory() / "models" / "mobilenet_v1" / "model.yaml").is_file()


def test_a_checkout_is_its_own_share_directory(found_from, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "package.xml").touch()
    assert found_from(tmp_path) == tmp_path


@pytest.mark.parametrize("place", ["lib/python3.12/site-packages", "local/lib/python3.12/dist-packages"])
def test_an_installed_package_finds_the_share_of_its_prefix(found_from, tmp_path, place):
    expected = tmp_path / "share" / "dfer_ros"
    expected.mkdir(parents=True)
    assert found_from(tmp_path / place) == expected


def test_a_package_without_its_files_is_an_error_that_says_how_to_install_it(found_from, tmp_path):
    with pytest.raises(DferError, match="install it with pip or colcon"):
        found_from(tmp_path)
