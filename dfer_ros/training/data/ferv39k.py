"""FERV39k: 38,935 clips of 22 scenes, cut out of films, series and talks (Wang et al., CVPR 2022).

Layout, as unpacked from the published archives:

    4_setups/All_scenes/train_All.csv, test_All.csv      lines such as `Action/Sad/0010 Sad`
    2_ClipsforFaceCrop/<scene>/<label>/<clip>/*.jpg      frames, or <clip>.mp4 as a video

Split: the published lists of all scenes. The people are not named.
Labels: by name. Source: github.com/wangyanckxx/FERV39k, and the lists themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dfer_ros.training.data.data_set import Clip, DataSet
from dfer_ros.training.data.loading import LabelMap, clip_path, find, read_list, target_of

LABEL_MAP: LabelMap = {
    "Neutral": "neutral",
    "Happy": "happy",
    "Sad": "sad",
    "Angry": "angry",
    "Surprise": "surprise",
    "Fear": "fear",
    "Disgust": "disgust",
}
_FRAMES_PER_SECOND = 25.0
"""The rate of the frames is not published; that of most European and Chinese broadcasts is taken."""


def load(root: Path, _fold: int) -> list[Clip]:
    """Return the clips of both lists."""
    lists = find(root, "4_setups/All_scenes")
    clips = find(root, "2_ClipsforFaceCrop", "2_ClipsForFaceCrop")
    return [clip for split in ("train", "test") for clip in _listed(find(lists, f"{split}_All.csv"), split, clips)]


def _listed(path: Path, split: str, clips: Path) -> Iterator[Clip]:
    for name, label, where in read_list(path):
        target = target_of(LABEL_MAP, label, where)
        if target is not None:
            yield Clip(name, split, "", target, clip_path(clips, name), _FRAMES_PER_SECOND)


FERV39K = DataSet(
    "ferv39k", "FERV39k", "clips", "38,935 clips of 22 scenes", "https://github.com/wangyanckxx/FERV39k", load
)
