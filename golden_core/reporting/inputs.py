"""What the forecasts were made from: bars, missing days, folds and recorded facts. No result belongs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from golden_core.reporting.exhibits import Column, Exhibit, Row, ask, field
from golden_core.reporting.formats import ABSENT, count, plain
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# Bars are the rows that stay, as they came or repaired; the range is what the folds use, labels included.
DATA = """
WITH account AS (
    SELECT pair, CAST(sum(rows) FILTER (action <> 'quarantined') AS BIGINT) AS bars,
           CAST(sum(rows) FILTER (action = 'repaired') AS BIGINT) AS repaired,
           CAST(sum(rows) FILTER (action = 'quarantined') AS BIGINT) AS quarantined
    FROM cleaning WHERE study = $1 GROUP BY pair
), days AS (
    SELECT pair, count(*) AS closed, count(explanation) AS explained FROM calendar WHERE study = $1 GROUP BY pair
), used AS (
    SELECT pair, CAST(min(first_timestamp) AT TIME ZONE 'UTC' AS DATE) AS first_day,
           CAST(max(label_end) AT TIME ZONE 'UTC' AS DATE) AS last_day
    FROM folds WHERE study = $1 GROUP BY pair
)
SELECT pair, bars, first_day, last_day, repaired, quarantined,
       coalesce(closed, 0) AS closed, coalesce(explained, 0) AS explained,
       coalesce(closed - explained, 0) AS unexplained
FROM account LEFT JOIN days USING (pair) LEFT JOIN used USING (pair)
ORDER BY pair
"""

CLEANING = """
SELECT rule, action, CAST(sum(rows) AS BIGINT) AS bars, count(*) FILTER (rows > 0) AS pairs, detail
FROM cleaning WHERE study = $1
GROUP BY rule, action, detail ORDER BY action, rule
"""

CLOSURES = """
SELECT explanation, count(*) AS days, count(DISTINCT pair) AS pairs, min(date) AS first_day, max(date) AS last_day
FROM calendar WHERE study = $1
GROUP BY explanation ORDER BY explanation NULLS FIRST
"""

FOLDS = """
SELECT pair || '_h' || horizon AS series, fold,
       CAST(sum(rows) FILTER (part = 'train') AS BIGINT) AS train_rows,
       CAST(min(first_cutoff) FILTER (part = 'train') AT TIME ZONE 'UTC' AS DATE) AS train_first,
       CAST(max(last_cutoff) FILTER (part = 'train') AT TIME ZONE 'UTC' AS DATE) AS train_last,
       CAST(sum(rows) FILTER (part = 'validation') AS BIGINT) AS validation_rows,
       CAST(min(first_cutoff) FILTER (part = 'validation') AT TIME ZONE 'UTC' AS DATE) AS validation_first,
       CAST(max(last_cutoff) FILTER (part = 'validation') AT TIME ZONE 'UTC' AS DATE) AS validation_last,
       CAST(sum(rows) FILTER (part = 'test') AS BIGINT) AS test_rows,
       CAST(min(first_cutoff) FILTER (part = 'test') AT TIME ZONE 'UTC' AS DATE) AS test_first,
       CAST(max(last_cutoff) FILTER (part = 'test') AT TIME ZONE 'UTC' AS DATE) AS test_last,
       CAST(sum(purged_rows) AS BIGINT) AS purged, CAST(sum(embargoed_rows) AS BIGINT) AS embargoed,
       CAST(sum(closure_rows) AS BIGINT) AS crossing, CAST(sum(closure_dropped_rows) AS BIGINT) AS dropped
FROM folds WHERE study = $1
GROUP BY pair, horizon, fold ORDER BY pair, horizon, fold
"""


def data_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return bars, range and missing weekdays of every pair."""
    return Exhibit(
        "data",
        f"Bars of {study.data.bar} by pair from source “{study.data.source}”, asked for from {study.data.start} to "
        f"{study.data.end}. From and to: days that the folds use, labels included. Repaired bars are among the bars; "
        "quarantined ones are not. Closed days: weekdays of the range without a bar.",
        (
            field("Pair", "pair", plain, kind="heading"),
            field("Bars", "bars", count),
            field("From", "first_day", plain, kind="text"),
            field("To", "last_day", plain, kind="text"),
            field("Repaired", "repaired", count),
            field("Quarantined", "quarantined", count),
            field("Closed days", "closed", count),
            field("Holidays", "explained", count),
            _unexplained("Unexplained", lambda row: count(row["unexplained"]), lambda row: row["unexplained"] > 0),
        ),
        ask(warehouse, DATA, study.name),
    )


def cleaning_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return how many bars each rule of cleaning applied to."""
    return Exhibit(
        "cleaning",
        "The account of cleaning: every raw row once, under the rule that decided about it, summed over pairs, and the "
        "pairs concerned. Nothing is filled in.",
        (
            field("Rule", "rule", plain, kind="heading"),
            field("Action", "action", plain, kind="text"),
            field("Bars", "bars", count),
            field("Pairs", "pairs", count),
            field("What it does", "detail", plain, kind="prose"),
        ),
        ask(warehouse, CLEANING, study.name),
    )


def closures_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return the explanations of weekdays without a bar."""
    return Exhibit(
        "closures",
        "Weekdays without a bar by explanation; days are summed over pairs.",
        (
            Column("Explanation", lambda row: row["explanation"] or "unexplained", kind="heading"),
            _unexplained("Days", lambda row: count(row["days"]), lambda row: row["explanation"] is None),
            field("Pairs", "pairs", count),
            field("First", "first_day", plain, kind="text"),
            field("Last", "last_day", plain, kind="text"),
        ),
        ask(warehouse, CLOSURES, study.name),
    )


def folds_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return the dates of the parts of every fold."""
    parts = [
        column
        for part in ("train", "validation", "test")
        for column in (
            Column(part.capitalize(), partial(_dates, part), kind="text"),
            field("Rows", f"{part}_rows", count),
        )
    ]
    return Exhibit(
        "folds",
        "Folds: the days of the first and last cutoff of each part (UTC), and the rows dropped from training and "
        "validation because their labels would touch a held-out part (purged) or as an extra gap (embargoed). Crossing "
        "closures: rows of all parts whose window or label reaches across a weekend, a holiday or a gap. Dropped: "
        "those of them that the study drops.",
        (
            field("Series", "series", plain, kind="heading"),
            field("Fold", "fold", count),
            *parts,
            field("Purged rows", "purged", count),
            field("Embargoed rows", "embargoed", count),
            field("Crossing closures", "crossing", count),
            field("Dropped", "dropped", count),
        ),
        ask(warehouse, FOLDS, study.name),
    )


def flatten(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted name and text of every fact in nested mappings, in the order given."""
    for name, value in facts.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        elif isinstance(value, list | tuple):
            yield from flatten({str(place): item for place, item in enumerate(value)}, f"{path}.")
        else:
            yield path, ("yes" if value else "no") if isinstance(value, bool) else plain(value)


def _unexplained(label: str, text: Callable[[Row], str], unexplained: Callable[[Row], bool]) -> Column:
    """Return a count that stands out where it counts days that nothing explains."""
    return Column(label, text, tone=lambda row: "worse" if unexplained(row) else "")


def _dates(part: str, row: Row) -> str:
    first, last = row[f"{part}_first"], row[f"{part}_last"]
    return ABSENT if first is None else f"{first} – {last}"
