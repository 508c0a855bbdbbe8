"""Does a measure change over the sessions of one person, and does it differ between two conditions?

A trend is found in two steps (summary measures, Matthews et al. 1990): each session gets one number, the mean of what
was shown in it after the level of each kind of expression was taken off, and a straight line over time goes through
these. What is shown within a session is a repeated measure of one day, so that sessions are what the test counts: t
with two degrees of freedom less than there are sessions. With as many expressions in each session this is what a mixed
model with a random intercept finds, whose fit is not to be trusted where sessions hardly differ. p-values of
all measures of one expression are corrected together (Holm 1979).

Two conditions are compared by the means of their sessions (Welch's t test), with Hedges' g as the size of the effect.
It is a description, no diagnosis.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from dfer_ros.core.errors import DataError, DferError
from dfer_ros.recordings.emotion_track import Floats
from dfer_ros.studies.measures import Measure, SessionValues

LEAST_SESSIONS = 4
"""Sessions from which on a slope and its error can be told."""


@dataclass(frozen=True)
class Trend:
    """How a measure changes over the sessions.

    sessions, values: how many there are. change, low, high: from the first session to the last, and its 95 % interval;
    a share of the first where the measure goes by factors (-0.2: a fifth less), else in its unit. p: of no change.
    p_corrected: for all measures of the same expression.
    """

    expression: str
    measure: Measure
    sessions: int
    values: int
    change: float
    low: float
    high: float
    p: float
    p_corrected: float

    @property
    def found(self) -> bool:
        """Whether a change is unlikely to be chance, at 5 %, with all measures in view."""
        return self.p_corrected < 0.05


@dataclass(frozen=True)
class Difference:
    """How a measure differs between two conditions, first less second. Means are of their sessions.

    effect: Hedges' g. p, p_corrected: as in Trend.
    """

    expression: str
    measure: Measure
    first: str
    second: str
    sessions: tuple[int, int]
    means: tuple[float, float]
    effect: float
    p: float
    p_corrected: float


def find_trends(values: Sequence[SessionValues]) -> list[Trend]:
    """Return the trends of all measures that enough sessions have. Raises DferError where statsmodels is missing."""
    trends = []
    for _, group in groupby(values, key=lambda one: (one.measure.name, one.expression)):
        sessions = _comparable([one for one in group if len(one.values)])
        if len(sessions) >= LEAST_SESSIONS and np.ptp([one.days for one in sessions]) > 0:
            trends.append(_trend(sessions))
    corrected: list[Trend] = []
    for expression in dict.fromkeys(trend.expression for trend in trends):
        family = [trend for trend in trends if trend.expression == expression]
        corrected += [replace(one, p_corrected=p) for one, p in zip(family, holm([one.p for one in family]))]
    return corrected


def compare_conditions(values: Sequence[SessionValues], conditions: Mapping[str, str]) -> list[Difference]:
    """Return how all measures differ between two conditions. conditions: by name of the session.

    Raises DataError where there are not two conditions with at least two sessions each.
    """
    names = list(dict.fromkeys(conditions.values()))
    if len(names) != 2:
        raise DataError(f"Two conditions are compared, not {len(names)} ({', '.join(names) or 'none'}).")
    differences = []
    for _, group in groupby(values, key=lambda one: (one.measure.name, one.expression)):
        of = {name: [] for name in names}  # type: dict[str, list[SessionValues]]
        for one in group:
            if len(one.values) and one.session in conditions:
                of[conditions[one.session]].append(one)
        if min(len(sessions) for sessions in of.values()) >= 2:
            differences.append(_difference(names[0], names[1], of))
    if not differences:
        raise DataError("A comparison needs at least two sessions of each condition in which something was shown.")
    corrected: list[Difference] = []
    for expression in dict.fromkeys(one.expression for one in differences):
        family = [one for one in differences if one.expression == expression]
        corrected += [replace(one, p_corrected=p) for one, p in zip(family, holm([one.p for one in family]))]
    return corrected


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for each other (Holm 1979)."""
    corrected: list[float] = _library("statsmodels.stats.multitest").multipletests(p_values, method="holm")[1].tolist()
    return corrected


def _trend(sessions: Sequence[SessionValues]) -> Trend:
    measure = sessions[0].measure
    levels = _session_levels(sessions)
    days = np.array([one.days for one in sessions])
    api = _library("statsmodels.api")
    fit = api.OLS(levels, api.add_constant((days - days.min()) / np.ptp(days))).fit()
    # The same value in every session is no change, and no error either.
    p = float(fit.pvalues[1]) if np.ptp(levels) > 1e-12 else 1.0
    numbers = (float(fit.params[1]), *(float(end) for end in fit.conf_int(0.05)[1]))
    change, low, high = (float(np.expm1(min(one, 50.0))) if measure.logarithm else one for one in numbers)
    values = sum(len(one.values) for one in sessions)
    return Trend(sessions[0].expression, measure, len(sessions), values, change, low, high, p, p)


def _comparable(sessions: Sequence[SessionValues]) -> list[SessionValues]:
    """Return the most sessions that share kinds of expressions, each with another one of them.

    Where some show only one kind and others only another, nothing tells their difference from that of the kinds.
    """
    groups: list[tuple[set[str], list[int]]] = []
    for index, session in enumerate(sessions):
        kinds, numbers = set(session.expressions), [index]
        for group in [one for one in groups if one[0] & kinds]:
            groups.remove(group)
            kinds, numbers = kinds | group[0], numbers + group[1]
        groups.append((kinds, numbers))
    largest = max((numbers for _, numbers in groups), key=len, default=[])
    return [sessions[index] for index in sorted(largest)]


def _session_levels(sessions: Sequence[SessionValues]) -> Floats:
    """Return one number for each of S sessions, the kinds of expression in it taken off."""
    measure = sessions[0].measure
    raw = np.concatenate([one.values for one in sessions])
    measured = np.log(np.maximum(raw, 1e-6)) if measure.logarithm else raw
    names = np.array([name for one in sessions for name in one.expressions])
    numbers = np.repeat(np.arange(len(sessions)), [len(one.values) for one in sessions])
    kinds = np.unique(names)[1:]
    design = np.hstack([numbers[:, None] == np.arange(len(sessions)), names[:, None] == kinds]).astype(np.float64)
    levels, *_ = np.linalg.lstsq(design, measured, rcond=None)
    result: Floats = levels[: len(sessions)]
    return result


def _difference(first: str, second: str, of: Mapping[str, Sequence[SessionValues]]) -> Difference:
    measure = of[first][0].measure
    means = [np.array([one.mean for one in of[name]]) for name in (first, second)]
    judged = [np.log(np.maximum(one, 1e-6)) if measure.logarithm else one for one in means]
    constant = max(float(np.ptp(one)) for one in judged) < 1e-12
    p = 1.0 if constant else float(_library("scipy.stats").ttest_ind(*judged, equal_var=False).pvalue)
    sizes = [number for one in judged for number in (one.mean(), one.std(ddof=1), len(one))]
    effect = 0.0 if constant else float(_library("statsmodels.stats.meta_analysis").effectsize_smd(*sizes)[0])
    return Difference(
        of[first][0].expression,
        measure,
        first,
        second,
        (len(means[0]), len(means[1])),
        (float(means[0].mean()), float(means[1].mean())),
        effect,
        p,
        p,
    )


def _library(name: str) -> Any:
    """Return a library of statistics. Raises DferError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DferError(
            f"Statistics need {error.name}: install them with \"pip install 'dfer_ros[studies]'\"."
        ) from error
