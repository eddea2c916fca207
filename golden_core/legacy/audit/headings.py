"""What the heading of a column says: which metric, in which unit, of which part. The cells are not looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal, get_args

from golden_core.legacy.audit.printed import WORDS, plain

Metric = Literal["mae", "mse", "rmse", "r2", "mape"]
METRICS: tuple[Metric, ...] = ("mae", "mse", "rmse", "r2", "mape")
ERRORS: tuple[Metric, ...] = ("mae", "mse", "rmse")  # in the unit of the target, or its square

NAMES: dict[Metric, str] = {"mae": "MAE", "mse": "MSE", "rmse": "RMSE", "r2": "R²", "mape": "MAPE"}

Role = Literal["label", "test_set", "run"]

_METRIC_WORDS: dict[str, Metric] = WORDS["metrics"]
_ROLE_WORDS: dict[Role, frozenset[str]] = {role: frozenset(WORDS[role]) for role in get_args(Role)}
_WORDS = {name: frozenset(listed) for name, listed in WORDS.items() if isinstance(listed, list)}
_SAMPLES: dict[str, str] = WORDS["samples"]
_FOLDS = frozenset({"cv", "loocv", "fold", "folds"})  # of what is a mean over them, where it is no part of the data
_LONGEST = 120  # characters of a heading; what is longer is prose
_SCALE = re.compile(
    r"(?:[x*·]_?|(?<![a-z0-9.]))(?:10\^([+-]?[12]?\d)|(?:1e|e(?=[+-]))([+-]?[12]?\d))(?![\d.])"
    r"|[x*·]_?(?:10([+-][12]?\d)|1(00|[0,]{0,20}000))(?![\d.])|(?<![\d.])1(00|[0,]{0,20}000)_?[x*·]",
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
    described: bool = False  # the metric stands in brackets, behind its name in words of any language


@lru_cache(maxsize=1024)
def read_heading(text: str) -> Heading | None:
    """Return what a heading says about a metric; None where it names none, or a quantity made from one."""
    if len(text) > _LONGEST:
        return None
    scale, bare, brackets = _scale_and_brackets(text)
    rest, metric = _metric(bare)
    described = metric is None
    # "Genauigkeit (RMSE)" is told by its brackets, "Mean Absolute Error (MAE)" twice.
    for bracket in brackets if metric is None else ():
        inner, metric = _metric(bracket)
        if metric is not None:
            rest = [*inner, *rest]
            break
    if metric is None or "Δ" in text or "\u0304" in text or re.search(r"\b1_?[-−–]_?r\W*2", bare, re.IGNORECASE):
        return None
    told = [bracket for bracket in brackets if _metric(bracket)[1] is None]
    said = {word for bracket in told for word in _words(bracket)}
    derived = _WORDS["derived"] - ({"var"} if re.search(r"\bVAR\b", text) else set())  # vector autoregression
    samples = [_SAMPLES[word] for word in (*rest, *_words(" ".join(told))) if word in _SAMPLES]
    if len(set(samples)) > 1 or derived.intersection(rest) or (derived - _WORDS["spreads"]).intersection(said):
        return None  # "train − test" is the difference of two columns
    silent = _WORDS["units"] | _WORDS["averages"] | _WORDS["fillers"] | {"%"}
    return Heading(
        text=text,
        metric=metric,
        part=" ".join(word for word in rest if word not in silent),
        sample=samples[0] if samples else "",
        unit=" ".join(told) or " ".join(word for word in rest if word in _WORDS["units"]),
        percent=not {"%", "percent", "pct", "‰"}.isdisjoint((*rest, *said)),
        scale=scale,
        average="±" in text or not (_WORDS["averages"] | _FOLDS).isdisjoint((*rest, *said)),
        described=described,
    )


def heading_for(text: str, metric: Metric) -> Heading:
    """Return the heading of a column that the caller says holds a metric, with the unit, scale and means it tells."""
    scale, _, brackets = _scale_and_brackets(text)
    average = (found := read_heading(text)) is not None and found.average
    return Heading(text, metric, "", "", " ".join(brackets), percent="%" in text, scale=scale, average=average)


def read_role(text: str) -> Role | None:
    """Return what a column without a metric is for; None where its heading does not say."""
    words = _words_of(text)
    found = [role for role, names in _ROLE_WORDS.items() if words & names]
    if len(found) > 1 and not names_models(text):  # "Stock name" is that of a stock
        found.remove("label")
    return found[0] if found else None


def names_models(text: str) -> bool:
    """Whether a heading says that the names below it are of models, and not of anything."""
    return bool(_words_of(text) & _ROLE_WORDS["label"] - {"name"})


def _words_of(text: str) -> set[str]:
    return {text.strip().casefold(), *re.findall(r"[a-z0-9]+", _spaced(text))}


def names_sample(text: str) -> bool:
    """Whether a cell names a part of the data and nothing else: "Train", "test set"."""
    words = set(_words(text)) - {"set", "data", "split", "part"}
    return bool(words) and words <= _SAMPLES.keys()


def is_derived(label: str) -> bool:
    """Whether the name of a row says that its numbers are made from other rows: a spread, a change, a count."""
    if label.lstrip().startswith("Δ") or re.fullmatch(r"\d{1,2}\s?%", label.strip()):
        return True
    words = [word for word in _words(label) if word not in _WORDS["averages"] | _WORDS["fillers_of_rows"]]
    first, second = (*words, "", "")[:2]
    return (
        first in _WORDS["derived_rows"]
        or f"{first} {second}" in ("standard deviation", "standard error", "p value")
        or (
            first in _WORDS["short_derived_rows"] and second in _WORDS["beside"] and label.isascii()
        )  # λmax is a target
    )


def _metric(text: str) -> tuple[list[str], Metric | None]:
    """Return the words of a text beside the first name of a metric, and that metric."""
    words = _words(re.sub(r"([a-zA-Z])\^?2\b", r"\g<1>2", text))
    for phrase, metric in _METRIC_WORDS.items():
        count = len(phrase.split())
        for start in range(len(words)):
            if " ".join(words[start : start + count]) == phrase:
                return words[:start] + words[start + count :], metric
    return words, None


def _words(text: str) -> list[str]:
    return [WORDS["spellings"].get(word, word) for word in re.findall(r"[a-z0-9%‰]+", _spaced(text))]


def _scale_and_brackets(text: str) -> tuple[Fraction, str, list[str]]:
    """Return the power of ten that a heading tells, the heading without it and brackets, and what these hold."""
    folded = plain(re.sub(r"\s+", "_", text.strip()))
    scale = _SCALE.search(folded)
    power = 0
    if scale is not None:
        told = scale[1] or scale[2] or scale[3]
        power = int(told) if told else -(scale[4] or scale[5]).count("0")
    spoken = folded.replace(scale[0], "") if scale else folded
    # What follows ± stands behind the numbers; what follows a comma or "in" could stand in brackets.
    bare, *units = re.split(r",_?(?!\d)|_in_", re.sub(r"[(\[][^)\]]*[)\]]|_?(±|\+/?-).*", "", spoken))
    parts = [part.replace("_", " ").strip() for part in (*re.findall(r"[(\[]([^)\]]*)[)\]]", spoken), *units)]
    return Fraction(10) ** power, bare, [part for part in parts if part.strip("·*x/")]


def _spaced(text: str) -> str:
    """Return a heading in small letters, with spaces where words meet: ``testRMSE``, ``test_rmse``, ``R-squared``."""
    signs = plain(re.sub(r"\s+", "_", text)).replace("√", "sqrt ").replace("σ", " sd ")
    apart = re.sub(r"(?<=[a-z]{2})(?=[A-Z][A-Z])", " ", signs)
    # "15 min" is no minimum, "95 % CI" no percentage.
    return re.sub(r"(?<=\d) (min\b|%(?= ci\b))", r"\1", re.sub(r"[^a-z0-9%‰^]+", " ", apart.casefold()))
