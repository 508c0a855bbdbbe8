"""MAFW: 10,045 clips of films, series and short videos, 9,172 of them with a single label (Liu et al., ACM MM 2022).

Layout, as unpacked from the published archives:

    Train & Test Set/single/no_caption/set_<fold>/train.txt, test.txt    lines such as `00151.mp4 anger`
    data/clips/<clip>.mp4                                                videos, or clips/<clip>.mp4
    data/frames/<clip>/*.jpg                                             else frames, or frames/<clip>/*.jpg

Split: the five published folds of the single labels. The people are not named.
Labels: by name; contempt, anxiety, helplessness and disappointment are left out.
Source: github.com/MAFW-database/MAFW, and the lists themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dfer_ros.recordings.frame_source import DEFAULT_FPS
from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.loading import LabelMap, clip_path, find, read_list, target_of

LABEL_MAP: LabelMap = {
    "neutral": "neutral",
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "surprise": "surprise",
    "fear": "fear",
    "disgust": "disgust",
    "contempt": None,
    "anxiety": None,
    "helplessness": None,
    "disappointment": None,
}


def load(root: Path, fold: int) -> list[Clip]:
    """Return the clips of a fold, 1 to 5."""
    lists = find(root, "Train & Test Set/single/no_caption", "Train_Test_Set/single/no_caption") / f"set_{fold}"
    clips = find(root, "data/clips", "clips", "data/frames", "frames")
    return [clip for split in ("train", "test") for clip in _listed(find(lists, f"{split}.txt"), split, clips)]


def _listed(path: Path, split: str, clips: Path) -> Iterator[Clip]:
    for name, label, where in read_list(path):
        target = target_of(LABEL_MAP, label, where)
        if target is not None:
            stem = PurePosixPath(name).stem
            yield Clip(stem, split, "", target, clip_path(clips, stem), DEFAULT_FPS)


MAFW = DataSet(
    "mafw", "MAFW", "clips", "9,172 clips with a single label", "https://mafw-database.github.io/MAFW", load, 5
)
