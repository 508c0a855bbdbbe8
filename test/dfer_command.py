"""`dfer` in the process of the test."""

import pytest

from dfer_ros.cli.main import main


def dfer(*arguments):
    """Return the exit code of `dfer ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code
