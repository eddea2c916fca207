"""What a study asks that its source, or its days, cannot give: as far as the study alone shows it, before any run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from golden_core.forecasters import forecaster_facts
from golden_core.inputs.features import FEATURES
from golden_core.market.clock import most_bars
from golden_core.market.plausible import plausible_pairs
from golden_core.sources import SourceError
from golden_core.sources.base import bar_fault, price_fault, zone_fault
from golden_core.sources.ecb import currency_fault
from golden_core.sources.ecb_history import find_history, read_rates
from golden_core.splits.folds import usable_rows
from golden_core.store.lake import Home
from golden_core.study import Rule
from golden_core.study.values import LATEST

_FIXINGS = {"ecb", "synthetic"}  # one price a day, of weekdays
FIRST_FIXING = datetime.date(1999, 1, 4)  # of the euro


def _pairs(pairs: Sequence[str], source: str, settings: Mapping[str, Any]) -> str | None:
    if source != "ecb":
        return None
    try:
        file = find_history(settings["path"], Home.from_environment().root)
        return currency_fault(pairs, read_rates(file)["currency"].unique(), Path(file.name).name)
    except SourceError:
        return None  # of the file, which whoever reads it will tell


def _past(end: str, source: str) -> str | None:
    today = datetime.datetime.now(datetime.UTC).date()
    if source == "synthetic":
        return None if end != LATEST else f"must be a day: source {source} makes its bars, and has no {LATEST} one"
    if _day(end) <= today:
        return None
    return f"must not be after today ({today}): no price is known of later days, got {end}"


def _columns(features: Sequence[str], source: str, settings: Mapping[str, Any]) -> str | None:
    named = settings.get("columns") if source == "files" else None
    if source not in _FIXINGS and named is None:
        return None  # the file has them, or not
    given = {"close"} if named is None else {name for name, column in named.items() if column}
    for name in features:
        if lacking := sorted({*FEATURES[name].needs} - given):
            known = ", ".join(sorted(other for other in FEATURES if given >= {*FEATURES[other].needs}))
            return f"{name!r} needs {lacking[0]!r}, which the bars of this study do not have; they give {known}"
    return None


def _fold(
    train: int, validation: int, test: int, start: str, end: str, bar: str, source: str,
    features: Sequence[str], context_length: int, horizons: Sequence[int], window: int,
) -> str | None:  # fmt: skip
    """Say that not one fold fits, where even a bar at every time that there could be one is too few."""
    first, last = _day(start), _day(end)
    if source == "ecb":
        first, last = max(first, FIRST_FIXING), min(last, datetime.datetime.now(datetime.UTC).date())
    most = most_bars(source, first, last, bar, fixings=source in _FIXINGS)
    warm_up = _warm_up(features, window)
    usable = len(usable_rows(most, warm_up=warm_up, context_length=context_length, horizon=max(horizons)))
    needed = train + validation + test
    if usable >= needed:
        return None
    return (
        f"one fold needs {needed} rows (train {train} + validation {validation} + test {test}), and from {first} to "
        f"{last} there are at most {most} bars, of which {usable} can be rows at horizon {max(horizons)}: shorten the "
        "parts in splits, or take more days"
    )


def _warm_up(features: Sequence[str], window: int) -> int:
    return max(window, *(FEATURES[name].warm_up for name in features))


def _order(
    order: int, train: int, embargo: int, closures: str, features: Sequence[str], context_length: int,
    horizons: Sequence[int], window: int,
) -> str | None:  # fmt: skip
    """Say that an autoregression would have to look back beyond the first bar, or has fewer rows than weights."""
    behind, rows = _warm_up(features, window) + context_length, train - max(horizons) - embargo
    if closures == "flag" and order >= behind:  # where no first rows are dropped for a closure
        return f"needs {order + 1} closes up to the first training row, there are {behind}: lower max_order"
    if rows < order + 3:
        return f"needs {order + 3} training rows, of {train} the purge leaves {rows} at most: lower max_order"
    return None


# Training and validation rows without which a forecaster refuses to fit; its module, which says why, loads libraries.
LEAST = {
    "random_walk_garch": (101, 0), "random_walk_gjr_t": (101, 0),
    "ets": (10, 0), "theta": (10, 0), "lightgbm": (20, 20),
}  # fmt: skip


def _rows(name: str) -> Rule:
    def check(_settings: object, train: int, validation: int, horizons: Sequence[int], embargo: int) -> str | None:
        for part, rows, least in zip(("training", "validation"), (train, validation), LEAST[name], strict=True):
            if (left := rows - max(horizons) - embargo) < least:
                return f"needs {least} {part} rows, of {rows} the purge leaves {left} at most: widen splits, or drop it"
        return None

    parts = ("splits.train", "splits.validation", "horizons", "splits.embargo")
    return Rule((f"forecasters.{name}", *parts), check, keys_only=True)


def _pips(costs: Mapping[str, Any]) -> str | None:
    unknown = [pair for pair in costs if pair not in plausible_pairs()]
    return f"data/pairs.yaml knows no pip of {', '.join(unknown)}: add it there" if unknown else None


def _day(text: str) -> datetime.date:
    """Return a day; what is no date stands for the newest day that there is."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return datetime.datetime.now(datetime.UTC).date()


def _networks(asked: Sequence[str], forecasters: Mapping[str, Any]) -> str | None:
    try:
        others = [name for name in asked if name in forecasters and not forecaster_facts(name).trained]
    except LookupError:
        return None  # an unknown forecaster, which is told where it is named
    return f"names {', '.join(others)}: no network, with no weights that could be looked into" if others else None


RULES = (
    Rule(("explanations.forecasters", "forecasters"), _networks, keys_only=True),
    Rule(("data.bar", "data.source"), bar_fault),
    Rule(("data.price", "data.bar", "data.source"), price_fault),
    Rule(
        ("data.time_zone", "data.source"), lambda zone, source: zone_fault(zone, source) if source in _FIXINGS else None
    ),
    Rule(("data.pairs", "data.source", "data.settings"), _pairs),
    Rule(("data.end", "data.source"), _past),
    Rule(("features", "data.source", "data.settings"), _columns),
    Rule(("economics.half_spread.pips",), _pips),
    *map(_rows, LEAST),
    Rule(
        (
            "forecasters.ar.max_order", "splits.train", "splits.embargo", "splits.closures", "features",
            "context_length", "horizons", "evaluation.volatility_window",
        ),
        _order,
    ),
    Rule(
        (
            "splits.train", "splits.validation", "splits.test", "data.start", "data.end", "data.bar", "data.source",
            "features", "context_length", "horizons", "evaluation.volatility_window",
        ),
        _fold,
    ),
)  # fmt: skip
