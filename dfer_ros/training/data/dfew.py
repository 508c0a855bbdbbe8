"""DFEW: 16,372 clips of more than 1,500 films, 12,059 of them with one clear label (Jiang et al., ACM MM 2020).

Layout, as unpacked from the published archives:

    EmoLabel_DataSplit/train(single-labeled)/set_<fold>.csv, test(single-labeled)/...   columns video_name, label
    Clip/original/<clip>.mp4             videos as cut; taken first, for they are what a camera gives
    Clip/clip_224x224/<clip>/*.jpg       else frames of the face
    Clip/clip_224x224_16f/<clip>/*.jpg   else 16 frames, interpolated: their true times are lost

Split: the five published folds. The people are not named.
Labels: 1 happy, 2 sad, 3 neutral, 4 angry, 5 surprise, 6 disgust, 7 fear; 0 is no single label and is left out.
Source: the README that comes with the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.recordings.frame_source import DEFAULT_FPS
from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.loading import LabelMap, clip_path, find, read_table, target_of

LABEL_MAP: LabelMap = {
    "0": None,
    "1": "happy",
    "2": "sad",
    "3": "neutral",
    "4": "angry",
    "5": "surprise",
    "6": "disgust",
    "7": "fear",
}
_PLACES = ("Clip/original", "Clip/clip_224x224", "Clip/clip_224x224_16f")
_INTERPOLATED_FPS = 8.0
"""Sixteen frames of a clip that is two seconds long, as most are."""


def load(root: Path, fold: int) -> list[Clip]:
    """Return the clips of a fold, 1 to 5."""
    lists = find(root, "EmoLabel_DataSplit")
    clips = find(root, *_PLACES)
    fps = _INTERPOLATED_FPS if clips.name.endswith("16f") else DEFAULT_FPS
    found = []
    for split in ("train", "test"):
        folder = find(lists, f"{split}(single-labeled)", f"{split}(single_labeled)")
        found += list(_listed(find(folder, f"set_{fold}.csv"), split, clips, fps))
    return found


def _listed(path: Path, split: str, clips: Path, fps: float) -> Iterator[Clip]:
    for row, where in read_table(path, ("video_name", "label")):
        target = target_of(LABEL_MAP, row["label"].strip(), where)
        if target is None:
            continue
        number = row["video_name"].strip().removesuffix(".mp4")
        if not number.isdecimal():
            raise DataError(f"{where} has the clip '{number}', which is not a number.")
        # Lists give plain numbers; folders have five digits, the videos sometimes.
        places = [clip_path(clips, name) for name in (f"{int(number):05d}", str(int(number)))]
        place = next((place for place in places if place.exists()), places[0])
        yield Clip(f"{int(number):05d}", split, "", target, place, fps)


DFEW = DataSet(
    "dfew", "DFEW", "clips", "12,059 clips of films with one clear label", "https://dfew-dataset.github.io/", load, 5
)
