"""The kinds of `dfer bench` that ask how right answers are, on labelled data; torch is imported when they run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from dfer_ros.cli.recognition_options import add_model_option
from dfer_ros.core.model.emotion_model import EmotionModel, EmotionModelConfig
from dfer_ros.core.model.folder import HEAD_FILE, encoder_file
from dfer_ros.core.recognizer import Recognizer
from dfer_ros.text.tables import Column, Table

_Results = tuple[str, Sequence[Any]]
"""The title of a table, and dataclasses, a row each."""


def configure_accuracy(kind: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one of these kinds."""
    add_model_option(parser)
    if kind == "blends":
        parser.add_argument("--stills", type=Path, required=True, help="the pack of FER+: ferplus_aligned.zip")
    else:
        parser.add_argument("--clips", type=Path, nargs="+", required=True, help="prepared sets of labelled clips")


def measure_accuracy(arguments: argparse.Namespace) -> _Results:
    """Return what was measured, as a table has it."""
    measures = {"transitions": _transitions, "blends": _blends, "micro": _micro, "descriptors": _descriptors}
    return measures[arguments.kind](arguments)


def figures_table(title: str, results: Sequence[Any]) -> Table:
    """Return a table with a row for each of some dataclasses of one kind and a column for each field."""
    columns = [Column(field.name.replace("_", " "), number=field.type != "str") for field in fields(results[0])]
    return Table(columns, [[_cell(value) for value in astuple(result)] for result in results], title)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else str(value)


def _transitions(arguments: argparse.Namespace) -> _Results:
    from dfer_ros.training.clips.sources import labelled_faces
    from dfer_ros.training.evaluation.transitions import tell_joined, tell_plain, transition_figures

    clips = labelled_faces(arguments.clips)
    recognizer = Recognizer(EmotionModel(EmotionModelConfig(arguments.model)))
    joined, plain = tell_joined(clips, recognizer), tell_plain(clips, recognizer)
    neutral = [one for one in plain if one.new == "neutral"]
    groups = {
        "joined, all": joined,
        "joined, both recognised alone": [one for one in joined if one.recognised],
        "as recorded, neutral only": neutral,
        "as recorded, others": [one for one in plain if one.new != "neutral"],
    }
    return (
        f"transitions of expression, {arguments.model}",
        [transition_figures(name, group) for name, group in groups.items() if group],
    )


def _blends(arguments: argparse.Namespace) -> _Results:
    from dfer_ros.training.evaluation.compound_expressions import (
        answer_stills,
        common_pairs,
        compound_figures,
        open_voted_stills,
    )

    stills = open_voted_stills(arguments.stills)
    model = EmotionModel(EmotionModelConfig(arguments.model))
    answers = answer_stills(stills, Recognizer(model))
    threshold = model.folder.description.unknown_threshold
    figures = [row for votes in (2, 3) for row in compound_figures(answers, stills.votes, threshold, votes)]
    pairs = ", ".join(f"{name} {count}" for name, count in list(common_pairs(stills.votes, 3).items())[:6])
    return f"compound expressions, {arguments.model}, {len(answers)} stills; at least 3 votes each: {pairs}", figures


def _micro(arguments: argparse.Namespace) -> _Results:
    from dfer_ros.training.clips.sources import labelled_faces
    from dfer_ros.training.data.prepared_set import open_prepared_set
    from dfer_ros.training.evaluation.micro_expressions import micro_figures

    # All of a set: those who train leave micro-expressions out.
    clips = labelled_faces(arguments.clips, open_prepared_set)
    recognizer = Recognizer(EmotionModel(EmotionModelConfig(arguments.model)))
    return f"micro-expressions, {arguments.model}", micro_figures(clips, recognizer)


def _descriptors(arguments: argparse.Namespace) -> _Results:
    from dfer_ros.training.clips.sources import labelled_faces
    from dfer_ros.training.data.prepared_set import open_prepared_set
    from dfer_ros.training.experiments.handcrafted import handcrafted_figures

    clips = labelled_faces(arguments.clips, open_prepared_set)
    model = EmotionModel(EmotionModelConfig(arguments.model))
    files = (HEAD_FILE, encoder_file(model.encoder.precision))
    size = sum((model.folder.path / name).stat().st_size for name in files)
    figures = handcrafted_figures(clips, Recognizer(model), size)
    return f"handcrafted descriptors with a linear classifier, {arguments.model}", figures
