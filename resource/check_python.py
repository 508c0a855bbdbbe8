"""Says which Debian or Ubuntu package to install where this Python cannot build the message package."""

import os
import platform
import shutil
import sys
import sysconfig


def main() -> None:
    """Exit with one sentence for each thing that is missing."""
    missing = []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not (3, 10) <= sys.version_info[:2] <= (3, 14):
        missing.append(f"Python {version} is not one of 3.10 to 3.14: choose another with PYTHON=python3.12 make ...")
    if platform.machine() != "x86_64":
        missing.append(f"The ROS 2 wheels are for x86_64, not {platform.machine()}: use ROS 2 from apt (README).")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        missing.append(f"Virtual environments are missing: sudo apt install python{version}-venv")
    if not (shutil.which("cc") and shutil.which("c++")):
        missing.append("There is no C and C++ compiler: sudo apt install build-essential")
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        missing.append(f"Python.h is missing: sudo apt install python{version}-dev")
    if missing:
        sys.exit("\n".join(missing))


if __name__ == "__main__":
    main()
