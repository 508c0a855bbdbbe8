"""All data sets by name."""

from __future__ import annotations

from dfer_ros.training.data.affectnet import AFFECTNET
from dfer_ros.training.data.aligned_packs import AFFECTNET7, CK48, FERPLUS, LFW_EXPR
from dfer_ros.training.data.aligned_rafdb import RAFDB
from dfer_ros.training.data.ck_plus import CK_PLUS
from dfer_ros.training.data.dfew import DFEW
from dfer_ros.training.data.dynamic_clips import DYNAMIC_CLIPS, DYNAMIC_CLIPS_2
from dfer_ros.training.data.fer2013 import FER2013
from dfer_ros.training.data.ferv39k import FERV39K
from dfer_ros.training.data.kdef import KDEF
from dfer_ros.training.data.mafw import MAFW
from dfer_ros.training.data.raf_db import RAF_DB

DATASETS = {
    data_set.name: data_set
    for data_set in (
        FERV39K,
        DFEW,
        MAFW,
        CK_PLUS,
        AFFECTNET,
        FER2013,
        RAF_DB,
        KDEF,
        AFFECTNET7,
        FERPLUS,
        LFW_EXPR,
        CK48,
        RAFDB,
        DYNAMIC_CLIPS,
        DYNAMIC_CLIPS_2,
    )
}
