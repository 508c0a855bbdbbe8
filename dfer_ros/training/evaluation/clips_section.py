"""The part of the report about clips: answers by source, calibration, use of time, and every clip."""

from __future__ import annotations

from pathlib import Path

from dfer_ros.core.labels import LABELS
from dfer_ros.text.tables import markdown_table, table_of
from dfer_ros.text.wording import in_percent, two_in_percent
from dfer_ros.training.data.manifest import ALL_VIDEOS, is_sequence
from dfer_ros.training.evaluation.clips import GroupResult, LeftOutCalibration
from dfer_ros.training.evaluation.evaluate_model import ClipsResults, EvaluationResults
from dfer_ros.training.evaluation.metrics import Interval
from dfer_ros.training.evaluation.plots import plot_confusion, plot_reliability, plot_selective_risk, plot_time_use
from dfer_ros.training.evaluation.stills_section import metrics_table
from dfer_ros.training.evaluation.time_use import DECAY_SECONDS, NEWEST_FRAME, RECORDED, WEIGHTED_MEAN, TimeUse

LEFT_OUT = "source left out"
"""The answers of encoders and heads that never saw the source of a clip."""


def clips_section(results: EvaluationResults, clips: ClipsResults, folder: Path) -> str:
    """Return the section on clips and draw its pictures."""
    first = results.precisions[0]
    groups = clips.by_precision[first]
    wholes = [name for name in groups if name == ALL_VIDEOS or is_sequence(name)]
    text = f"""## Clips through the core pipeline, {len(clips.rows)} clips

Crops of prepared sets, encoder, window and head as on the robot. A video is answered by the
mean of its probabilities, a sequence from neutral to the apex (CK+) by the answer that stands at its end. Few clips
move by points for each clip: the brackets are 95 % intervals from resampling the clips.

{_source_table(clips)}
"""
    for name in wholes:
        plot_confusion(folder / f"clips_{name}_confusion.png", groups[name].metrics, f"{_title(name)}, {first}")
        by_name = {precision: of_groups[name].metrics for precision, of_groups in clips.by_precision.items()}
        if name in clips.source_left_out:
            by_name = {LEFT_OUT: clips.source_left_out[name].metrics} | by_name
            title = f"{_title(name)}, {LEFT_OUT}"
            plot_confusion(folder / f"clips_{name}_left_out.png", clips.source_left_out[name].metrics, title)
            text += f"![Confusion matrix of {title}](clips_{name}_left_out.png)\n\n"
        by_name |= {peer: of_groups[name].metrics for peer, of_groups in clips.by_peer.items() if name in of_groups}
        text += f"### {_title(name)[0].upper()}{_title(name)[1:]}\n\n{metrics_table(by_name)}\n"
        text += f"![Confusion matrix of {_title(name)}](clips_{name}_confusion.png)\n\n"
        text += "Rows are labels, columns are answers; the numbers count clips.\n\n"
    if clips.left_out is not None:
        text += _calibration(clips.left_out, first, folder)
    plot_time_use(folder / "time_use.png", clips.time_use, wholes)
    return text + _time_use(clips.time_use, wholes, first) + _every_clip(clips, first)


def _title(group: str) -> str:
    return "all videos" if group == ALL_VIDEOS else f"sequences of {group}"


def _source(group: str) -> str:
    return _title(group) if group == ALL_VIDEOS else group


def _source_table(clips: ClipsResults) -> str:
    columns = clips.by_precision | clips.by_peer
    if clips.source_left_out:
        columns = {LEFT_OUT: clips.source_left_out} | columns
    groups = next(iter(clips.by_precision.values()))
    rows = [
        [
            _source(name),
            str(groups[name].metrics.count),
            *(_cell(column[name]) if name in column else "" for column in columns.values()),
        ]
        for name in groups
    ]
    return markdown_table(table_of(["WAR / UAR, %", "clips", *columns], rows))


def _cell(result: GroupResult) -> str:
    intervals = result.intervals
    return (
        f"{in_percent(result.metrics.accuracy)} {_bounds(intervals.accuracy)} / "
        f"{in_percent(result.metrics.uar)} {_bounds(intervals.uar)}"
    )


def _bounds(interval: Interval) -> str:
    return f"({100 * interval.low:.0f} to {100 * interval.high:.0f})"


def _calibration(left_out: LeftOutCalibration, precision: str, folder: Path) -> str:
    plot_reliability(
        folder / "clips_reliability.png", left_out.frames, f"frames of videos, {precision}, source left out"
    )
    curves = {"frames of videos": left_out.frames, "whole clips": left_out.clips}
    plot_selective_risk(folder / "clips_selective_risk.png", curves, f"clips, {precision}, source left out")
    rows = []
    for name, one in curves.items():
        scores = [f"{value:.3f}" for value in (one.ece_before, one.ece, one.brier_before, one.brier)]
        rows.append([name, *scores, in_percent(one.error), in_percent(one.error_at_80)])
    headings = ["", "ECE before", "ECE", "Brier before", "Brier", "errors at 100 %", "errors at 80 % coverage"]
    floor = left_out.frames_floor
    temperatures = [[source, f"{value:.3f}"] for source, value in left_out.temperatures.items()]
    return f"""### Calibration on sources left out

Each source has a temperature that was fitted on the frames of the videos of all other sources, every clip weighing
the same. "Before" is without any temperature.

{markdown_table(table_of(headings, rows))}
With so few clips, answers that are calibrated exactly would show an ECE over frames of {floor.mean:.3f} on average, and
in 95 % of draws one from {floor.lower:.3f} to {floor.upper:.3f}.

{markdown_table(table_of(["source left out", "temperature"], temperatures))}
![Reliability on clips](clips_reliability.png)

Bars on the dashed line are honest; below it the model is too sure, above it too modest. The upper panel counts frames.

![Errors on clips over coverage](clips_selective_risk.png)

Errors among the surest answers; the dotted line is 80 % coverage.

"""


def _time_use(time_use: TimeUse, wholes: list[str], precision: str) -> str:
    heads = list(time_use.recalls)
    rows = [
        [f"{_title(group)}, {order}", *(_recalls(time_use, head, order, group) for head in heads)]
        for group in wholes
        for order in time_use.recalls[heads[0]]
    ]
    by_source = [
        [_source(group), *(_recalls(time_use, head, RECORDED, group) for head in heads)]
        for group in time_use.recalls[heads[0]][RECORDED]
    ]
    temperatures = ", ".join(f"{head} {value:.2f}" for head, value in time_use.temperatures.items())
    return f"""### Is time used?

The embeddings of every frame ({precision}), kept once and replayed through the windows of the robot: as recorded, in
random order (mean of five shuffles ± standard deviation of UAR), backwards, and with the middle frame in place of all.
"{WEIGHTED_MEAN}" is the mean of the frames' logits, weighted by quality and exp(-age / {DECAY_SECONDS} s);
"{NEWEST_FRAME}" has no memory. As a video is answered by the mean of its probabilities, each has a temperature of its
own ({temperatures}): the head that of the model, the two without training one that is fitted in the same way, on the
frames of the videos.

{markdown_table(table_of(["WAR / UAR, %", *heads], rows))}
![UAR by order of the frames](time_use.png)

A head that uses time is better than the weighted mean as recorded, and loses that when the frames are shuffled.

{markdown_table(table_of(["WAR / UAR as recorded, %", *heads], by_source))}
"""


def _recalls(time_use: TimeUse, head: str, order: str, group: str) -> str:
    one = time_use.recalls[head][order][group]
    text = two_in_percent(one.accuracy, one.uar)
    return f"{text} ± {in_percent(one.uar_deviation)}" if one.uar_deviation else text


def _every_clip(clips: ClipsResults, precision: str) -> str:
    rows = [
        [
            row.name,
            _label_name(row.label),
            _label_name(row.predicted) if row.predicted == row.label else f"**{_label_name(row.predicted)}**",
            f"{row.confidence:.2f}",
            str(row.frames),
        ]
        for row in clips.rows
    ]
    return f"""### Every clip, {precision}

Wrong answers are bold.

{markdown_table(table_of(["clip", "label", "answer", "confidence", "frames"], rows))}
"""


def _label_name(label: int) -> str:
    """Return the name of a label; that of -1 is for a clip without a face."""
    return LABELS[label] if label >= 0 else "no face"
