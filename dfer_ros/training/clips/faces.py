"""The face of a labelled clip, frame by frame, as a prepared set has it (`data.crops` has followed it there)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from dfer_ros.core.errors import DataError
from dfer_ros.core.faces import FloatArray, Image
from dfer_ros.training.data.ck_plus import CK_PLUS
from dfer_ros.training.data.manifest import CK_PLUS_SOURCE, check_source
from dfer_ros.training.data.prepared_set import INDEX_FILE, PreparedSet


@dataclass(frozen=True)
class ClipFaces:
    """A person over the frames of a clip, oldest first; F may be 0.

    label: index into LABELS. crops: F aligned crops [128, 128, 3] uint8 BGR.
    stamps: [F] float64, seconds, rising. quality: [F] 0..1. kind: see data.manifest, empty where nobody knows.
    """

    name: str
    label: int
    source: str
    subject: str
    crops: Sequence[Image]
    stamps: npt.NDArray[np.float64]
    quality: FloatArray
    kind: str = ""


def prepared_clips(prepared: PreparedSet) -> Iterator[ClipFaces]:
    """Yield the clips of a prepared set, whose crops are read when they are asked for; stills are passed over.

    The source of a clip is what stands before the slash where it is named `source/name`; that of all others is the set,
    by the name of its folder, but CK+ is called as in other packs of clips.
    Raises DataError where a source cannot be, or the frames of a clip are not in the order of their time.
    """
    rows = [(index, sample) for index, sample in enumerate(prepared.samples) if sample.clip]
    for name, group in itertools.groupby(rows, key=lambda row: row[1].clip):
        frames = list(group)
        first = frames[0][1]
        stamps = np.array([sample.seconds for _, sample in frames], dtype=np.float64)
        quality = np.array([sample.quality for _, sample in frames], dtype=np.float32)
        if (np.diff(stamps) < 0).any():
            raise DataError(
                f"The frames of the clip {name} in {prepared.folder / INDEX_FILE} are not in the order of their time: "
                "prepare the set again."
            )
        crops = _Crops(prepared, [index for index, _ in frames])
        source, kind = source_of(prepared, name), first.tags[0] if first.tags else ""
        yield ClipFaces(name, first.label, source, first.subject, crops, stamps, quality, kind)


class _Crops(Sequence[Image]):
    """The crops of some samples of a prepared set."""

    def __init__(self, prepared: PreparedSet, indices: list[int]) -> None:
        self._prepared, self._indices = prepared, indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | list[Image]:
        if isinstance(index, slice):
            return [self._prepared.crop(one) for one in self._indices[index]]
        return self._prepared.crop(self._indices[index])


def source_of(prepared: PreparedSet, clip: str) -> str:
    """Return the source of a clip of a prepared set (rule of prepared_clips). Raises DataError where it cannot be."""
    source, slash, name = clip.partition("/")
    if not slash or "/" in name:
        source = CK_PLUS_SOURCE if prepared.data_set == CK_PLUS.name else prepared.name
    try:
        check_source(source)
    except ValueError as error:
        raise DataError(f"The clip {clip} of the prepared set {prepared.folder} has no source: {error}.") from error
    return source
