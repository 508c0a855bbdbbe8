"""What an output was made of: a small file beside it, written last, by which the next run knows what is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dfer_ros.core.model.folder import file_sha256

RECEIPT_SUFFIX = ".receipt.json"


@dataclass(frozen=True)
class Receipt:
    """source: see source_identity(). analysis: see RecordingAnalyzer.identity. sha256: of the output, hex digits.

    frames: processed. faces: lines of the output. seconds: from the first processed frame to the last.
    read, expected: frames that could be read, of how many, where not all could; 0 where nothing is missing.
    unreadable: images that could not be read and were left out. late, repeated, jumps: see StampOrder.
    remarks: of the source, a sentence each.
    """

    source: dict[str, Any]
    analysis: dict[str, Any]
    sha256: str
    frames: int
    faces: int
    seconds: float
    read: int
    expected: int
    unreadable: int
    late: int
    repeated: int
    jumps: int
    remarks: list[str]


def receipt_path(output: Path) -> Path:
    """Return where the receipt of an output lies."""
    return output.with_name(output.stem + RECEIPT_SUFFIX)


def source_identity(path: Path) -> dict[str, Any]:
    """Return what tells a recording from another one, or from itself before it was changed; JSON can hold it.

    That are its path, its size and, over all its files, the name, size and time of the last change: to read hours of
    video for a checksum would take longer than is won. Raises OSError where it cannot be read.
    """
    path.stat()  # a file that is gone is none of those below
    digest, size = hashlib.sha256(), 0
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            status = file.stat()
            size += status.st_size
            digest.update(repr((str(file.relative_to(path)), status.st_size, status.st_mtime_ns)).encode())
    return {"path": str(path), "bytes": size, "files_sha256": digest.hexdigest()}


def receipt_text(receipt: Receipt) -> str:
    """Return the content of the receipt's file."""
    return json.dumps(asdict(receipt), indent=2) + "\n"


def finished_receipt(output: Path, source: dict[str, Any], analysis: dict[str, Any]) -> Receipt | None:
    """Return the receipt of an output that is whole and was made of this source in this way, else None."""
    try:
        receipt = Receipt(**json.loads(receipt_path(output).read_text(encoding="utf-8")))
        same = (receipt.source, receipt.analysis) == (source, analysis) and receipt.sha256 == file_sha256(output)
    except (OSError, TypeError, ValueError, RecursionError):
        return None
    return receipt if same else None


def image_remarks(unreadable: int, late: int, repeated: int, jumps: int) -> Iterator[str]:
    """Yield a sentence for each count that is not 0; see StampOrder for the last three."""
    if unreadable:
        yield f"Images left out, as they cannot be read: {unreadable}."
    if late:
        yield f"Images left out, as images with later stamps came before them: {late}."
    if repeated:
        yield f"Images left out, as they have the stamp of the one before: {repeated}."
    if jumps:
        yield f"Times that the clock of the images went back, so that everybody counts as new: {jumps}."
