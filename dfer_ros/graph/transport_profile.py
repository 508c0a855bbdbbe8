"""Which Fast DDS profile the processes get that this package starts; a node itself sets none."""

from __future__ import annotations

import os

from dfer_ros.core.installed_files import share_directory

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""The names of Fast DDS 3 and, second, of Fast DDS 2; version 3 warns about the second."""
_FAST_DDS_2_DISTRIBUTIONS = ("humble", "jazzy")


def transport_environment() -> dict[str, str]:
    """Return the variables that give a process config/fastdds_shm.xml; none where the user has set a profile."""
    if any(variable in os.environ for variable in PROFILE_VARIABLES):
        return {}
    profile = str(share_directory() / "config" / "fastdds_shm.xml")
    needs_both = os.environ.get("ROS_DISTRO") in _FAST_DDS_2_DISTRIBUTIONS
    return dict.fromkeys(PROFILE_VARIABLES if needs_both else PROFILE_VARIABLES[:1], profile)
