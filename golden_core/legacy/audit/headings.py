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

# The longer name first: "root mean squared error" holds "mean squared error". _SPELLINGS has been applied to both.
_METRIC_WORDS: tuple[tuple[str, Metric], ...] = (
    ("mean absolute percentage error", "mape"),
    ("root mean squared error", "rmse"),
    ("root mean squared deviation", "rmse"),
    ("coefficient of determination", "r2"),
    ("mean squared error", "mse"),
    ("mean absolute error", "mae"),
    ("mean absolute deviation", "mae"),
    ("rms error", "rmse"),
    ("root mse", "rmse"),
    ("sqrt mse", "rmse"),
    ("r squared", "r2"),
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
_SPELLINGS = {"sq": "squared", "square": "squared", "abs": "absolute", "err": "error", "errors": "error"}
# fmt: off
_ROLE_WORDS: dict[Role, frozenset[str]] = {
    "label": frozenset({
        "variant", "model", "method", "forecaster", "algorithm", "architecture", "name", "approach", "estimator",
        "network", "system", "version",
    }),
    "test_set": frozenset({
        "dataset", "data", "series", "pair", "symbol", "ticker", "currency", "horizon", "h", "steps", "lead", "fold",
        "split", "set", "subset", "part", "partition", "period", "window", "target", "task", "station", "site",
        "region", "country", "stock", "asset", "frequency", "year", "market", "company", "commodity", "phase", "ahead",
        "len", "index", "firm", "crop", "plant", "sensor",
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
    "significance", "symmetric", "median", "min", "max", "best", "worst", "weighted", "geometric", "count", "cv",
    "norm", "rel", "imp", "impr", "improv", "improved", "decrease", "increase", "drop", "lift", "tstat", "stat",
    "statistic", "dm",
})
# In brackets these say what stands in the cells behind a number.
_SPREADS = frozenset({"std", "sd", "se", "sem", "stdev", "ci", "p"})
# Parts of the data that no two columns share, whatever else their headings say.
_SAMPLES = {
    "train": "train", "training": "train", "fit": "train", "insample": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test", "oos": "test",
}
_UNIT_WORDS = frozenset({
    "pips", "pip", "bp", "bps", "points", "usd", "eur", "gbp", "jpy", "price", "dollars", "percent", "pct",
})
# A row under such a name is made from other rows; the short words only where they are the whole name.
_DERIVED_ROWS = frozenset({
    "std", "stdev", "improvement", "improvements", "improv", "reduction", "diff", "difference", "rank", "ranking",
    "median", "count", "significance", "percentile", "pvalue", "wins",
})
_SHORT_DERIVED_ROWS = frozenset({"sd", "se", "sem", "ci", "min", "max", "minimum", "maximum", "gain", "gains", "delta"})
# fmt: on
_LONGEST = 120  # characters of a heading; what is longer is prose
_AVERAGE_WORDS = frozenset(("mean", "avg", "average", "averaged"))
_FILLERS = frozenset(("score", "value", "values", "error", "loss", "of", "the", "in", "overall", "total"))
_SCALE = re.compile(
    r"(?:[x*·]_?|(?<![a-z0-9.]))(?:10\^([+-]?\d{1,2})|(?:1e|e(?=[+-]))([+-]?\d{1,2}))(?![\d.])"
    r"|[x*·]_?(?:10([+-]\d{1,2})|1(00|[0,]*000))(?![\d.])|(?<![\d.])1(00|[0,]*000)_?[x*·]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heading:
    """A column with a metric: the metric, the part it is about, and how its numbers are to be read."""

    text: str
    metric: Metric
    part: str  # what else the heading says, such as "test" or "eurusd"
    sample: str  # train, validation or test, where it says so
    unit: str
    percent: bool
    scale: Fraction  # the printed number times this is the value
    average: bool  # it says that its numbers are means


def read_heading(text: str) -> Heading | None:
    """Return what a heading says about a metric; None where it names none, or a quantity made from one."""
    if len(text) > _LONGEST:
        return None
    scale, bare, brackets = _scale_and_brackets(text)
    words, found = _metric(bare)
    # "Genauigkeit (RMSE)" is told by its brackets, "Mean Absolute Error (MAE)" twice.
    for bracket in brackets if found is None else ():
        inner, found = _metric(bracket)
        if found is not None:
            words = [*inner, *words]
            break
    if found is None or "Δ" in text or re.search(r"\b1_?[-−–]_?r\W*2", bare, re.IGNORECASE):
        return None
    rest = _without(words, found[0].split())
    told = [bracket for bracket in brackets if _metric(bracket)[1] is None]
    said = {word for bracket in told for word in _words(bracket)}
    derived = _DERIVED - {"var"} if re.search(r"\bVAR\b", text) else _DERIVED  # vector autoregression
    if derived.intersection(rest) or (derived - _SPREADS).intersection(said):
        return None
    samples = [_SAMPLES[word] for word in (*rest, *_words(" ".join(told))) if word in _SAMPLES]
    silent = _UNIT_WORDS | _AVERAGE_WORDS | _FILLERS | {"%"}
    return Heading(
        text=text,
        metric=found[1],
        part=" ".join(word for word in rest if word not in silent),
        sample=samples[0] if samples else "",
        unit=" ".join(told) or " ".join(word for word in rest if word in _UNIT_WORDS),
        percent=not {"%", "percent", "pct", "‰"}.isdisjoint((*words, *said)),
        scale=scale,
        average=not _AVERAGE_WORDS.isdisjoint((*rest, *said)),
    )


def heading_for(text: str, metric: Metric) -> Heading:
    """Return the heading of a column that the caller says holds a metric, with the unit and scale it tells."""
    scale, _, brackets = _scale_and_brackets(text)
    return Heading(text, metric, "", "", " ".join(brackets), percent="%" in text, scale=scale, average=False)


def read_role(text: str) -> Role | None:
    """Return what a column without a metric is for; None where its heading does not say."""
    words = set(re.findall(r"[a-z0-9]+", _spaced(text)))
    return next((role for role, names in _ROLE_WORDS.items() if words & names), None)


def is_derived(label: str) -> bool:
    """Whether the name of a row says that its numbers are made from other rows: a spread, a change, a count."""
    if label.lstrip().startswith("Δ") or re.fullmatch(r"\d{1,2}\s?%", label.strip()):
        return True
    words = [word for word in _words(label) if word not in _AVERAGE_WORDS | {"%", "relative", "our", "1st", "of"}]
    pairs = ("standard deviation", "standard error", "p value")
    return bool(words) and (
        words[0] in _DERIVED_ROWS
        or " ".join(words[:2]) in pairs
        or (len(words) == 1 and words[0] in _SHORT_DERIVED_ROWS)
    )


def _metric(text: str) -> tuple[list[str], tuple[str, Metric] | None]:
    words = _words(re.sub(r"([a-zA-Z])\^?2\b", r"\g<1>2", text))
    return words, next(((phrase, metric) for phrase, metric in _METRIC_WORDS if _contains(words, phrase.split())), None)


def _words(text: str) -> list[str]:
    return [_SPELLINGS.get(word, word) for word in re.findall(r"[a-z0-9%‰]+", _spaced(text))]


def _scale_and_brackets(text: str) -> tuple[Fraction, str, list[str]]:
    """Return the power of ten that a heading tells, the heading without it and brackets, and what these hold."""
    folded = plain(re.sub(r"\s+", "_", text.strip()))
    scale = _SCALE.search(folded)
    power = 0
    if scale is not None:
        told = scale[1] or scale[2] or scale[3]
        power = int(told) if told else -(scale[4] or scale[5]).count("0")
    spoken = folded.replace(scale[0], "") if scale else folded
    brackets = [part.replace("_", " ").strip() for part in re.findall(r"[(\[]([^)\]]*)[)\]]", spoken)]
    bare = re.sub(r"[(\[][^)\]]*[)\]]", "", spoken)
    return Fraction(10) ** power, bare, [part for part in brackets if part.strip("·*x/")]


def _spaced(text: str) -> str:
    """Return a heading in small letters, with spaces where words meet: ``testRMSE``, ``test_rmse``, ``R-squared``."""
    apart = re.sub(r"(?<=[a-z]{2})(?=[A-Z][A-Z])", " ", plain(re.sub(r"\s+", "_", text)).replace("√", "sqrt "))
    return re.sub(r"[^a-z0-9%‰^]+", " ", apart.casefold())


def _contains(words: list[str], phrase: list[str]) -> bool:
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words)))


def _without(words: list[str], phrase: list[str]) -> list[str]:
    start = next(start for start in range(len(words)) if words[start : start + len(phrase)] == phrase)
    return words[:start] + words[start + len(phrase) :]
