"""CK+: 593 posed sequences of 123 people, from neutral to apex, 327 with an emotion (Lucey et al., CVPRW 2010).

Layout, as unpacked from the published archives:

    cohn-kanade-images/S005/001/S005_001_00000011.png          every frame of a sequence
    Emotion/S005/001/S005_001_00000011_emotion.txt             the label of its last frame; or in Emotion_labels/

Split: ten folds without a person in two of them: the people in the order of their numbers, every tenth is in the test
of a fold, those after them in its validation (Liu et al., CVPR 2014).
Labels: 1 anger, 3 disgust, 4 fear, 5 happy, 6 sadness, 7 surprise; 2 contempt is left out, and so are sequences without
an emotion. 0, neutral, is not used by the published files. Source: the ReadMe that comes with the data.
"""

from __future__ import annotations

from pathlib import Path

from dfer_ros.core.errors import DataError
from dfer_ros.training.data.data_set import Clip, DataSet, LayoutError
from dfer_ros.training.data.loading import LabelMap, find, target_of

LABEL_MAP: LabelMap = {
    "0": "neutral",
    "1": "angry",
    "2": None,
    "3": "disgust",
    "4": "fear",
    "5": "happy",
    "6": "sad",
    "7": "surprise",
}
FOLDS = 10
_FRAMES_PER_SECOND = 30.0
_LABEL_FILES = "S*/*/*_emotion.txt"


def load(root: Path, fold: int) -> list[Clip]:
    """Return the sequences with one of the seven labels, for a fold of 1 to 10."""
    images = find(root, "cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")
    labels = find(root, "Emotion", "Emotion_labels/Emotion", "Emotion_labels")
    files = sorted(labels.glob(_LABEL_FILES))
    if not files:
        raise LayoutError(f"{labels / _LABEL_FILES} is missing")
    people = sorted({file.parts[-3] for file in files})
    splits = {person: _split(place, fold) for place, person in enumerate(people)}
    clips = []
    for file in files:
        person, sequence = file.parts[-3:-1]
        target = target_of(LABEL_MAP, _label(file), str(file))
        if target is not None:
            place = images / person / sequence
            clips.append(Clip(f"{person}_{sequence}", splits[person], person, target, place, _FRAMES_PER_SECOND))
    return clips


def _split(place: int, fold: int) -> str:
    return {fold - 1: "test", fold % FOLDS: "validation"}.get(place % FOLDS, "train")


def _label(file: Path) -> str:
    """Return the label in a file that holds a number such as 3.0000000e+00."""
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return f"{float(text):g}"
    except ValueError as error:
        raise DataError(f"{file} does not hold a number, but '{text[:40]}'.") from error


CK_PLUS = DataSet(
    "ck_plus",
    "CK+",
    "clips",
    "327 posed sequences from neutral to apex, 118 people",
    "https://www.jeffcohn.net/Resources/",
    load,
    FOLDS,
)
