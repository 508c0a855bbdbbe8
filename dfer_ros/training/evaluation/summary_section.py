"""The head of the report: what was evaluated, and one table that says it all."""

from __future__ import annotations

from dfer_ros.text.tables import markdown_table, table_of
from dfer_ros.text.wording import in_percent, two_in_percent
from dfer_ros.training.data.manifest import ALL_VIDEOS, is_sequence
from dfer_ros.training.evaluation.evaluate_model import ClipsResults, EvaluationResults
from dfer_ros.training.evaluation.metrics import ClassificationMetrics, Interval
from dfer_ros.training.evaluation.stills import StillResults

_NOTHING = ""


def summary_section(results: EvaluationResults) -> str:
    """Return the title and the summary table: a column for each precision and peer."""
    columns = [*results.precisions, *results.peers]
    rows = [row for stills in results.stills for row in _still_rows(results, stills)]
    if results.clips is not None:
        rows += _clip_rows(results, results.clips)
    rows += _cost_rows(results)
    text = f"# Evaluation of {results.model}\n\n"
    text += f"Encoder at {results.input_size} pixels, temperature {results.temperature:g}, seed {results.seed}. "
    text += "WAR is the weighted average recall (accuracy), UAR the unweighted one, both in percent.\n\n## Summary\n\n"
    text += markdown_table(table_of(["", *columns], rows))
    text += _verdicts(results)
    for name, origin in results.peers.items():
        text += f"\n{name}: {origin}. Peers see the same aligned crops, scaled to their input.\n"
    return text


def _verdicts(results: EvaluationResults) -> str:
    """Return whether the model is better than every other one of the run, and how far chance would account for it."""
    verdicts = [verdict for stills in results.stills for verdict in stills.verdicts]
    left_out = results.clips is not None and bool(results.clips.source_left_out)
    if results.clips is not None:
        verdicts += results.clips.verdicts
    if not verdicts:
        return ""
    rows = []
    for one in verdicts:
        on = f"{one.on}, source left out" if one.on == ALL_VIDEOS and left_out else one.on
        war, uar = _gain(one.war, one.war_interval), _gain(one.uar, one.uar_interval)
        rows.append([on, one.other, str(one.count), war, uar, one.word])
    headings = ["on", "over", "count", "WAR gained, points (95 %)", "UAR gained, points (95 %)", "verdict"]
    text = markdown_table(table_of(headings, rows))
    return f"\n### Verdict\n\n{text}\nBetter or worse is said where the interval excludes zero.\n"


def _gain(gain: float, interval: Interval) -> str:
    return f"{100 * gain:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"


def _still_rows(results: EvaluationResults, stills: StillResults) -> list[list[str]]:
    size = results.input_size
    of_precision = [stills.by_precision[precision] for precision in results.precisions]
    metrics: list[ClassificationMetrics] = [one.by_size[size] for one in of_precision]
    metrics += [stills.peers[peer] for peer in results.peers]
    name = f"{stills.name} {stills.split} ({stills.count} stills)"
    losses = []
    for one in of_precision:
        accuracies = [by_size.accuracy for by_size in one.by_size.values()]
        losses.append(in_percent(max(accuracies) - min(accuracies)))
    sizes = list(of_precision[0].by_size)
    no_peers = [_NOTHING] * len(results.peers)
    return [
        [f"{name}: WAR / UAR", *(two_in_percent(one.accuracy, one.uar) for one in metrics)],
        [f"{name}: WAR lost between the best and the worst of {sizes[0]} to {sizes[-1]} pixels", *losses, *no_peers],
        [f"{name}: ECE", *(f"{one.calibration.ece:.3f}" for one in of_precision), *no_peers],
    ]


def _clip_rows(results: EvaluationResults, clips: ClipsResults) -> list[list[str]]:
    of_columns = [clips.by_precision[precision] for precision in results.precisions]
    of_columns += [clips.by_peer[peer] for peer in results.peers]
    rows = []
    for group in [group for group in of_columns[0] if group == ALL_VIDEOS or group in sequence_sources(clips)]:
        rows.append(
            [
                f"{_title(group)} ({of_columns[0][group].metrics.count} clips): WAR / UAR",
                *(two_in_percent(column[group].metrics.accuracy, column[group].metrics.uar) for column in of_columns),
            ]
        )
    rest = [_NOTHING] * (len(of_columns) - 1)
    if clips.left_out is not None:
        rows.append(["ECE over frames of videos, source left out", f"{clips.left_out.frames.ece:.3f}", *rest])
        floor = clips.left_out.frames_floor
        bounds = f"{floor.mean:.3f} ({floor.lower:.3f} to {floor.upper:.3f})"
        rows.append(["the same of answers calibrated exactly (95 %)", bounds, *rest])
        errors = two_in_percent(clips.left_out.frames.error, clips.left_out.frames.error_at_80)
        rows.append(["the same: errors at 100 / 80 % coverage, %", errors, *rest])
    return rows


def _cost_rows(results: EvaluationResults) -> list[list[str]]:
    cost, columns = results.cost, [*results.precisions, *results.peers]
    head = cost.milliseconds["head"][1]
    times = [cost.milliseconds[name][1] + (head if name in results.precisions else 0.0) for name in columns]
    return [
        ["ms for a face and frame, one thread (with head)", *(f"{time:.2f}" for time in times)],
        ["million multiply-adds per face", *(f"{cost.networks[name].multiply_adds / 1e6:.1f}" for name in columns)],
        ["file, MB", *(f"{cost.networks[name].file_bytes / 1e6:.1f}" for name in columns)],
    ]


def sequence_sources(clips: ClipsResults) -> list[str]:
    """Return the sources whose answer is the one at the end of the clip."""
    return [name for name in next(iter(clips.by_precision.values())) if is_sequence(name)]


def _title(group: str) -> str:
    return "all videos" if group == ALL_VIDEOS else f"{group}, answer at the end"
