"""KDEF: 70 amateur actors, seven expressions, five angles, twice: 4,900 posed stills (Lundqvist et al. 1998).

Layout: images such as AF01ANS.JPG anywhere under the root, as in KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG:
session A or B, gender F or M, number of the person 01 to 35, expression (AF, AN, DI, HA, NE, SA, SU), and angle: full
left FL, half left HL, straight S, half right HR, full right FR. A face in full profile is rarely found: it is skipped.

Split: without a person in two parts, women and men alike: 01 to 25 train, 26 to 30 validation, 31 to 35 test.
Labels: AF afraid, AN angry, DI disgusted, HA happy, NE neutral, SA sad, SU surprised. The few published files without
an angle in their name, as AF31V.JPG, are left out, and so are the averages of AKDEF. Source: www.kdef.se.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from dfer_ros.training.data.data_set import DataSet, LayoutError, Still
from dfer_ros.training.data.loading import LabelMap, images_in, read_image, target_of

LABEL_MAP: LabelMap = {
    "NE": "neutral",
    "HA": "happy",
    "SA": "sad",
    "AN": "angry",
    "SU": "surprise",
    "AF": "fear",
    "DI": "disgust",
}
_NAME = re.compile(r"[AB]([FM]\d\d)([A-Z]{2})(?:FL|HL|S|HR|FR)")
_LAST_OF_TRAINING, _LAST_OF_VALIDATION = 25, 30


def load(root: Path, _fold: int) -> list[Still]:
    """Return the stills with a name of KDEF."""
    stills = []
    for path in images_in(root):
        match = _NAME.fullmatch(path.stem.upper())
        if match is None:
            continue
        person, expression = match.groups()
        target = target_of(LABEL_MAP, expression, str(path))
        if target is not None:
            name = f"{person}/{path.stem.upper()}"
            stills.append(Still(name, _split(person), person, target, path, partial(read_image, path)))
    if not stills:
        raise LayoutError(f"there is no image named like AF01ANS.JPG in {root}")
    return stills


def _split(person: str) -> str:
    number = int(person[1:])
    return "train" if number <= _LAST_OF_TRAINING else "validation" if number <= _LAST_OF_VALIDATION else "test"


KDEF = DataSet("kdef", "KDEF", "stills", "4,900 posed stills of 70 people, five angles", "https://www.kdef.se/", load)
