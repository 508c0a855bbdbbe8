"""The public face of the package: what `import dfer_ros` offers, and that its examples run."""

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest
from made_videos import cut, write_video

import dfer_ros
from dfer_ros.core.errors import ImageError, SourceError
from dfer_ros.recordings.application import IncompleteRecordingWarning
from dfer_ros.recordings.video_output import VideoOutput

FPS = 30.0


@pytest.fixture
def talk(clip, tmp_path, monkeypatch):
    """The clip as talk.mp4 in the working folder, as the examples name it."""
    monkeypatch.chdir(tmp_path)
    with VideoOutput(tmp_path / "talk.mp4", FPS) as video:
        for image in clip:
            video.write(image)


@pytest.mark.parametrize("module", ["dfer_ros", "dfer_ros.recordings.application"])
def test_the_examples_of_the_docstrings_run(talk, module):
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_all_that_is_offered_is_there():
    assert {getattr(dfer_ros, name).__name__ for name in dfer_ros.__all__} == set(dfer_ros.__all__)
    with pytest.raises(AttributeError, match="dfer_ros offers no recognise: it offers AnalysisConfig, "):
        _ = dfer_ros.recognise


def test_the_import_alone_loads_neither_opencv_nor_onnx_runtime():
    code = "import sys, dfer_ros; sys.exit(any(name in sys.modules for name in ('cv2', 'onnxruntime', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_frames_and_a_stream_are_answered_as_a_recording(clip):
    config = dfer_ros.AnalysisConfig(head_pose=True)
    frames = list(dfer_ros.analyze_frames(np.stack(clip[:20]), FPS, config))
    analyzer = dfer_ros.StreamAnalyzer(config)
    stream = [analyzer.process(image, index / FPS) for index, image in enumerate(clip[:20])]
    assert [list(one.lines()) for one in frames] == [list(one.lines()) for one in stream]
    assert frames[-1].emotions
    assert len(frames[-1].head_poses) == 1


def test_an_image_that_comes_late_or_too_soon_is_not_answered(clip):
    analyzer = dfer_ros.StreamAnalyzer(dfer_ros.AnalysisConfig(frame_rate=10.0))
    answered = [analyzer.process(clip[0], stamp) is not None for stamp in (1.0, 1.03, 1.1, 0.9, 1.2)]
    assert answered == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("image", "given"),
    [
        (np.zeros((48, 64), np.uint8), r"uint8 \[48, 64\]"),
        (np.zeros((48, 64, 3), np.float32), "float32"),
        ("face.png", "str"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(image, given):
    with pytest.raises(ImageError, match=f"Frame 0 is no image: give an array .* BGR, not {given}"):
        list(dfer_ros.analyze_frames([image]))
    with pytest.raises(ImageError, match="Frame 0 is no image"):
        dfer_ros.StreamAnalyzer().process(image, 0.0)


def test_frames_without_a_rate_are_refused(clip):
    with pytest.raises(SourceError, match="must be above 0, not 0"):
        dfer_ros.analyze_frames(clip[:1], 0)


def test_a_video_that_lost_its_end_gives_a_warning(tmp_path, clip):
    path = cut(write_video(tmp_path / "talk.mkv", pictures=clip), 0.7)
    with pytest.warns(IncompleteRecordingWarning, match=rf"{path}: only \d+ of {len(clip)} frames could be read"):
        analyzed = list(dfer_ros.analyze_recording(path))
    assert 0 < len(analyzed) < len(clip)
