"""RAF-DB, the basic emotions: 15,339 stills from the web, each labelled by about 40 people (Li et al., CVPR 2017).

Layout of the folder basic/, or of the folder that holds it:

    EmoLabel/list_patition_label.txt             lines such as `train_00001.jpg 5`; the name is spelled like that
    Image/aligned/train_00001_aligned.jpg        the labelled face, 100x100
    Image/original/train_00001.jpg               else the whole image, whose largest face is taken

Split: published, by the first word of the name. The people are not named.
Labels: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.
Source: whdeng.cn/RAF/model1.html and the readme that comes with the data.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.training.data.data_set import DataSet, Still
from dfer_ros.training.data.loading import LabelMap, find, read_image, read_list, target_of

LABEL_MAP: LabelMap = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happy",
    "5": "sad",
    "6": "angry",
    "7": "neutral",
}


def load(root: Path, _fold: int) -> list[Still]:
    """Return the stills of the list."""
    root = root / "basic" if (root / "basic").is_dir() else root
    names = find(root, "EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt")
    images = find(root, "Image/aligned", "Image/original")
    ending = "_aligned.jpg" if images.name == "aligned" else ".jpg"
    stills = []
    for name, label, where in read_list(names):
        stem, split = Path(name).stem, name.split("_")[0]
        if split not in ("train", "test"):
            raise DataError(f"{where} has the name '{name}', which begins with neither train_ nor test_.")
        target, path = target_of(LABEL_MAP, label, where), images / f"{stem}{ending}"
        if target is not None:
            stills.append(Still(stem, split, "", target, path, partial(read_image, path)))
    return stills


RAF_DB = DataSet(
    "raf_db", "RAF-DB", "stills", "15,339 stills from the web", "http://www.whdeng.cn/RAF/model1.html", load
)
