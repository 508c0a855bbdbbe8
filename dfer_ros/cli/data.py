"""`dfer data`: data sets for training into aligned crops, what is in them, and where to ask for them."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dfer_ros.cli.recognition_options import add_detector_options
from dfer_ros.cli.terminal import count_shown, say, show_table, warn
from dfer_ros.core.detection import DetectorConfig, create_detector
from dfer_ros.core.errors import DataError
from dfer_ros.core.labels import LABELS
from dfer_ros.core.model.folder import file_sha256
from dfer_ros.text.tables import Column, Row, Table, table_of
from dfer_ros.training.data.preparation import (
    NO_FACE,
    SKIPPED_FILE,
    Preparation,
    missing_files,
    prepare,
    without_training,
)
from dfer_ros.training.data.prepared_set import PreparedSet, check_names, open_prepared_set
from dfer_ros.training.data.registry import DATASETS
from dfer_ros.training.data.statistics import source_statistics, split_statistics

# FFmpeg's own remarks on damaged videos tell nobody which one; it reads this when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dfer data`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="WHAT")
    preparing = actions.add_parser("prepare", help="a data set into aligned crops and an index")
    preparing.add_argument("name", choices=DATASETS, metavar="NAME", help=f"one of {', '.join(DATASETS)}")
    preparing.add_argument("--root", type=Path, required=True, help="where the data set lies: a folder, or a zip file")
    preparing.add_argument("--output", type=Path, required=True, help="folder of the prepared set")
    preparing.add_argument("--fold", type=int, help="fold of the published cross-validation, from 1 (1)")
    preparing.add_argument("--skip-missing", action="store_true", help="leave out what is listed but not there")
    preparing.add_argument(
        "--without", type=Path, help="CSV file of near duplicates: training stills it names stay out"
    )
    add_detector_options(preparing)
    framing = actions.add_parser("frames", help="frames of prepared clips as stills for the frame encoder")
    framing.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="prepared sets of clips")
    framing.add_argument("--encoder", type=Path, required=True, help="run of an encoder that never saw these clips")
    framing.add_argument("--input-size", type=int, default=112, help="pixels at which it sees them (%(default)s)")
    framing.add_argument("--output", type=Path, required=True, help="folder of the prepared set")
    counting = actions.add_parser("stats", help="what is in prepared sets, as a table and a picture")
    counting.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="prepared sets")
    counting.add_argument("--output", type=Path, help="PNG to draw: counts and sample crops of each class")
    listing = actions.add_parser("list", help="the data sets that can be prepared, and where to ask for them")
    listing.add_argument("--root", type=Path, help="say of each whether this folder looks like it")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    if arguments.action == "prepare":
        return _prepare(arguments)
    if arguments.action == "frames":
        return _write_frames(arguments)
    if arguments.action == "stats":
        return _print_statistics(arguments.folders, arguments.output)
    return _print_list(arguments.root)


def _prepare(arguments: argparse.Namespace) -> int:
    data_set = DATASETS[arguments.name]
    fold = 1 if arguments.fold is None and data_set.folds else arguments.fold
    root, output = arguments.root, arguments.output
    recordings = data_set.recordings(root, fold)
    if arguments.without is not None:
        recordings = without_training(recordings, arguments.without.expanduser())
    missing = [] if arguments.skip_missing else missing_files(recordings)
    if missing:
        raise DataError(
            f"{len(missing)} of {len(recordings)} recordings of {data_set.title} are not there, the first is "
            f"{missing[0].path}: unpack the whole data set, or leave them out with --skip-missing."
        )
    config = DetectorConfig(arguments.detector, yunet_model=arguments.yunet_model)
    settings: dict[str, object] = {
        "data set": data_set.name,
        "fold": fold,
        "detector": config.detector,
        "root": str(root.resolve()),
        "skip missing": arguments.skip_missing,
    }
    if arguments.without is not None:
        settings["without"] = file_sha256(arguments.without.expanduser())
    with count_shown(data_set.name, len(recordings)) as show:
        try:
            outcome = prepare(recordings, output, settings, lambda: create_detector(config), show)
        except KeyboardInterrupt:
            warn("Stopped: what is done is kept, and the same command goes on from there.")
            raise
    _say_outcome(outcome, len(recordings), output)
    return 0


def _write_frames(arguments: argparse.Namespace) -> int:
    from dfer_ros.core.atomic_file import whole_folder
    from dfer_ros.training.clips.frames import FramesConfig, write_clip_frames
    from dfer_ros.training.clips.sources import check_clip_paths
    from dfer_ros.training.encoder.export import exported_encoder
    from dfer_ros.training.encoder.trained_encoder import load_trained_encoder

    check_clip_paths(arguments.folders, open_prepared_set)
    sets = [open_prepared_set(folder) for folder in arguments.folders]
    encoder = exported_encoder(load_trained_encoder(arguments.encoder, arguments.input_size))
    clips = sum(len({sample.clip for sample in prepared.samples}) for prepared in sets)
    with whole_folder(arguments.output) as folder, count_shown("frames of clips", clips) as show:
        samples = write_clip_frames(sets, encoder, FramesConfig(), folder, show)
    say(f"{len(samples)} frames of {clips} clips -> {arguments.output}")
    return 0


def _say_outcome(outcome: Preparation, recordings: int, output: Path) -> None:
    before = ", as prepared before" if outcome.already else ""
    say(f"{outcome.samples} crops of {recordings} recordings -> {output}{before}")
    if outcome.skipped:
        reasons = Counter(NO_FACE if reason == NO_FACE else "could not be read" for reason in outcome.skipped.values())
        counts = ", ".join(f"{count}: {reason}" for reason, count in reasons.most_common())
        warn(f"{len(outcome.skipped)} recordings were left out ({counts}): see {output / SKIPPED_FILE}.")
    if outcome.unread_frames:
        warn(
            f"Of {len(outcome.unread_frames)} clips single frames could not be read and were left out: see "
            f"{output / SKIPPED_FILE}."
        )


def _print_statistics(folders: list[Path], output: Path | None) -> int:
    sets = [open_prepared_set(folder) for folder in dict.fromkeys(folders)]
    check_names(sets)
    if output is not None and output.suffix.lower() != ".png":
        raise DataError(f"The picture {output} is no .png file: give --output a name that ends so.")
    headings = ("set", "split", *LABELS, "sum", "clips", "crops", "subjects", "quality", "vote bits")
    rows = [row for prepared in sets for row in (*_split_rows(prepared), None)]
    show_table(table_of(headings, rows, words=2, title="prepared sets: stills, or clips, by majority class"))
    for prepared in sets:
        of_sources = source_statistics(prepared)
        if of_sources:
            show_table(_source_table(prepared.name, of_sources))
    if output is not None:
        try:
            from dfer_ros.training.data.statistics_plot import plot_statistics
        except ImportError as error:
            raise DataError(f"The picture needs {error.name}: 'pip install matplotlib'.") from error
        plot_statistics(sets, output)
        say(f"-> {output}")
    return 0


def _source_table(name: str, of_sources: dict[str, tuple[int, ...]]) -> Table:
    rows = [
        (source, *(f"{count:,}" if count else "-" for count in classes), f"{sum(classes):,}")
        for source, classes in sorted(of_sources.items())
    ]
    title = f"{name}: stills, or clips, by source and majority class"
    return table_of(("source, and kind", *LABELS, "sum"), rows, title=title)


def _split_rows(prepared: PreparedSet) -> Iterator[Row]:
    for index, one in enumerate(split_statistics(prepared)):
        counts = [f"{count:,}" for count in (*one.classes, sum(one.classes))]
        people = [
            f"{one.clips:,}" if one.clips else "-",
            f"{one.crops:,}",
            f"{one.subjects:,}" if one.subjects else "-",
        ]
        entropy = f"{one.vote_entropy:.2f}" if one.vote_entropy else "-"
        yield "" if index else prepared.name, one.split, *counts, *people, f"{one.quality:.2f}", entropy


def _print_list(root: Path | None) -> int:
    if root is not None and not root.exists():
        raise DataError(f"There is no {root}: give a folder that is there with --root.")
    headings = ("name", "kind", "what", "folds", "where to ask", *(("at --root",) if root else ()))
    rows = []
    for data_set in DATASETS.values():
        row = [data_set.name, data_set.kind, data_set.what, str(data_set.folds or "-"), data_set.ask]
        if root is not None:
            try:
                row.append(f"yes: {len(data_set.recordings(root)):,}")
            except DataError:
                row.append("no")
        rows.append(row)
    columns = [Column(heading, fold=True) for heading in headings]
    show_table(Table(columns, rows, "data sets for 'dfer data prepare'"))
    return 0
