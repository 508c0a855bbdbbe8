"""A recording whose course is known, and a headless browser to look at pages with."""

import os
import shutil
from pathlib import Path

import pytest
from known_courses import recording_of

from dfer_ros.report.person import describe_people

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def recording():
    """Two people over twelve seconds: one all the time and blending for a while, one who goes and comes back."""
    first = [("neutral", 2), ("happy", 2), ("neutral", 1), ("surprised", 1), ("unknown", 1), ("sad", 3), ("neutral", 2)]
    second = [(None, 3), ("angry", 2), ("neutral", 1), (None, 2), ("scared", 0.1), ("neutral", 1)]
    return recording_of({"face1": first, "face2": second}, "two people")


@pytest.fixture(scope="session")
def people(recording):
    """The people of the recording, face1 first."""
    return describe_people(recording)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium: of the system, or the one that playwright has fetched."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path
        found = next(filter(None, map(shutil.which, BROWSERS)), own if Path(own).is_file() else None)
        if found is None:
            pytest.skip("there is no browser: apt-get install chromium-headless-shell, or playwright install chromium")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        with driver.chromium.launch(executable_path=found, args=sandbox) as chromium:
            yield chromium
