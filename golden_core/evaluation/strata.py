"""Strata: the kinds of subsets of cutoffs in which metrics are also reported. What is measured belongs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from golden_core.evaluation.inputs import SERIES
from golden_core.market.clock import SESSIONS, sessions


@dataclass(frozen=True, eq=False)
class Stratum:
    """A kind of stratum: the expression that names a forecast's stratum, and the names in the order to show them.

    ``labels`` is empty where the names sort as text, as years do.
    """

    description: str
    value: pl.Expr
    labels: tuple[str, ...] = ()


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TERCILES = ("low", "middle", "high")


def _named(index: pl.Expr, labels: tuple[str, ...]) -> pl.Expr:
    return index.replace_strict(dict(enumerate(labels)), return_dtype=pl.String)


def _at_work() -> pl.Expr:
    """Name the centres that are at work, in the order in which a trading day meets them."""
    open_ = sessions(pl.col("cutoff"))
    names = pl.concat_list(pl.when(open_.struct.field(name)).then(pl.lit(name)) for name in SESSIONS)
    joined = names.list.drop_nulls().list.join(" + ")
    return pl.when(joined == "").then(pl.lit("none")).otherwise(joined)


STRATA: dict[str, Stratum] = {
    "all": Stratum("every forecast", pl.lit("all")),
    "year": Stratum("calendar year of the cutoff, UTC", pl.col("cutoff").dt.year().cast(pl.String)),
    "volatility_tercile": Stratum(
        "third of the series' cutoffs by trailing volatility; of equal ones the earlier is lower",
        _named(pl.col("volatility_rank") * 3 // pl.col("cutoffs"), _TERCILES),
        _TERCILES,
    ),
    "session": Stratum("centres at work at the cutoff, on their own clocks", _at_work()),
    "weekday": Stratum("day of the cutoff, UTC", _named(pl.col("cutoff").dt.weekday() - 1, _WEEKDAYS), _WEEKDAYS),
}


def with_strata(forecasts: pl.DataFrame, kinds: Iterable[str]) -> pl.DataFrame:
    """Add one text column per kind of stratum.

    The terciles are those of the cutoffs of the series, so every forecaster is judged on the same subsets.

    Raises
    ------
    ValueError
        If two forecasts of a series disagree about the volatility at one cutoff.
    """
    cutoffs = forecasts.select(*SERIES, "cutoff", "volatility").unique().sort(*SERIES, "volatility", "cutoff")
    clash = cutoffs.filter(pl.struct(*SERIES, "cutoff").is_duplicated())
    if len(clash):
        raise ValueError(f"forecasts disagree about the volatility of one cutoff, the first at {clash.row(0)}")
    ranked = cutoffs.with_columns(
        volatility_rank=pl.int_range(pl.len()).over(SERIES), cutoffs=pl.len().over(SERIES).cast(pl.Int64)
    )
    named = ranked.select(*SERIES, "cutoff", **{kind: STRATA[kind].value for kind in kinds})
    return forecasts.join(named, on=[*SERIES, "cutoff"], how="left", maintain_order="left")
