"""What the heading of a column says: which metric, in which unit, of which part. The cells are not looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from golden_core.legacy.audit.printed import plain

Metric = Literal["mae", "mse", "rmse", "r2", "mape"]
METRICS: tuple[Metric, ...] = ("mae", "mse", "rmse", "r2", "mape")
ERRORS: tuple[Metric, ...] = ("mae", "mse", "rmse")  # in the unit of the target, or its square

NAMES: dict[Metric, str] = {"mae": "MAE", "mse": "MSE", "rmse": "RMSE", "r2": "R²", "mape": "MAPE"}

Role = Literal["label", "test_set", "run"]

# The longer name first: "root mean squared error" holds "mean squared error".
_METRIC_WORDS: tuple[tuple[str, Metric], ...] = (
    ("mean absolute percentage error", "mape"),
    ("root mean squared error", "rmse"),
    ("root mean square error", "rmse"),
    ("root mean squared deviation", "rmse"),
    ("root mean square deviation", "rmse"),
    ("coefficient of determination", "r2"),
    ("mean squared error", "mse"),
    ("mean square error", "mse"),
    ("mean absolute error", "mae"),
    ("mean absolute deviation", "mae"),
    ("r squared", "r2"),
    ("r square", "r2"),
    ("r 2", "r2"),
    ("rsquared", "r2"),
    ("r2score", "r2"),
    ("r2", "r2"),
    ("rmse", "rmse"),
    ("rmsd", "rmse"),
    ("mape", "mape"),
    ("mse", "mse"),
    ("mae", "mae"),
)
# fmt: off
_ROLE_WORDS: dict[Role, frozenset[str]] = {
    "label": frozenset({
        "variant", "model", "method", "forecaster", "algorithm", "architecture", "name", "approach", "estimator",
        "network", "system", "version",
    }),
    "test_set": frozenset({
        "dataset", "data", "series", "pair", "symbol", "ticker", "currency", "horizon", "h", "steps", "lead", "fold",
        "split", "set", "subset", "part", "partition", "period", "window", "target", "task", "station", "site",
        "region", "country", "stock", "asset", "frequency", "year",
    }),
    "run": frozenset({
        "seed", "run", "trial", "repetition",
    }),
}
# With one of these words the column is something else, made from the metric: its spread, a rank, a change.
_DERIVED = frozenset({
    "std", "sd", "se", "sem", "stdev", "deviation", "variance", "var", "ci", "low", "high", "lower", "upper", "rank",
    "ranking", "improvement", "reduction", "gain", "delta", "change", "diff", "difference", "vs", "versus", "ratio",
    "relative", "skill", "p", "pvalue", "normalised", "normalized", "scaled", "log", "adjusted", "adj",
    "significance", "symmetric", "median", "min", "max", "best", "worst",
})
_UNIT_WORDS = frozenset({
    "pips", "pip", "bp", "bps", "points", "usd", "eur", "gbp", "jpy", "price", "dollars", "percent", "pct",
})
# fmt: on
_AVERAGE_WORDS = frozenset(("mean", "avg", "average", "averaged"))
_FILLERS = frozenset(("score", "value", "values", "error", "of", "the", "in", "overall", "total"))
_SCALE = re.compile(
    r"(?:[x*·]|(?<![a-z0-9.]))(?:10\^\{?([+-]?\d{1,2})\}?|(?:1e|e(?=[+-]))([+-]?\d{1,2}))(?![\d.])", re.IGNORECASE
)


@dataclass(frozen=True)
class Heading:
    """A column with a metric: the metric, the part it is about, and how its numbers are to be read."""

    text: str
    metric: Metric
    part: str  # what else the heading says, such as "test" or "eurusd"
    unit: str
    percent: bool
    scale: Fraction  # the printed number times this is the value
    average: bool  # it says that its numbers are means


def read_heading(text: str) -> Heading | None:
    """Return what a heading says about a metric; None where it names none, or a quantity made from one."""
    unit, scale, bare = _unit_and_scale(text)
    words = re.findall(r"[a-z0-9%]+", re.sub(r"([a-z])(\^?)2\b", r"\g<1>2", _spaced(bare)))
    found = next(((phrase, metric) for phrase, metric in _METRIC_WORDS if _contains(words, phrase.split())), None)
    if found is None:
        return None
    rest = _without(words, found[0].split())
    if _DERIVED.intersection(rest) or "Δ" in text:
        return None
    units = [word for word in rest if word in _UNIT_WORDS]
    silent = _UNIT_WORDS | _AVERAGE_WORDS | _FILLERS | {"%"}
    return Heading(
        text=text,
        metric=found[1],
        part=" ".join(word for word in rest if word not in silent),
        unit=unit or " ".join(units),
        percent="%" in text or "percent" in words or "pct" in words,
        scale=scale,
        average=not _AVERAGE_WORDS.isdisjoint(rest),
    )


def heading_for(text: str, metric: Metric) -> Heading:
    """Return the heading of a column that the caller says holds a metric, with the unit and scale it tells."""
    unit, scale, _ = _unit_and_scale(text)
    return Heading(text, metric, part="", unit=unit, percent="%" in text, scale=scale, average=False)


def read_role(text: str) -> Role | None:
    """Return what a column without a metric is for; None where its heading does not say."""
    words = set(re.findall(r"[a-z0-9]+", _spaced(text)))
    return next((role for role, names in _ROLE_WORDS.items() if words & names), None)


def _unit_and_scale(text: str) -> tuple[str, Fraction, str]:
    """Return the unit in brackets, the power of ten, and the heading without both."""
    folded = plain(re.sub(r"\s+", "_", text))
    scale = _SCALE.search(folded)
    power = int(scale[1] or scale[2]) if scale else 0
    spoken = folded.replace(scale[0], "") if scale else folded
    brackets = re.findall(r"[(\[]([^)\]]*)[)\]]", spoken)
    told = (part.replace("_", " ").strip() for part in brackets)
    unit = " ".join(part for part in told if part.casefold() not in METRICS)
    return unit, Fraction(10) ** power, re.sub(r"[(\[][^)\]]*[)\]]", "", spoken)


def _spaced(text: str) -> str:
    """Return a heading in small letters, with spaces where words meet: ``testRMSE``, ``test_rmse``, ``R-squared``."""
    apart = re.sub(r"(?<=[a-z]{2})(?=[A-Z][A-Z])", " ", plain(re.sub(r"\s+", "_", text)))
    return re.sub(r"[^a-z0-9%^]+", " ", apart.casefold())


def _contains(words: list[str], phrase: list[str]) -> bool:
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words)))


def _without(words: list[str], phrase: list[str]) -> list[str]:
    start = next(start for start in range(len(words)) if words[start : start + len(phrase)] == phrase)
    return words[:start] + words[start + len(phrase) :]
