"""What a protocol asks of trials that failed or are missing: nothing is claimed there, and no test leaves its family.

How a claim is decided belongs to claims/decisions.py, which sees forecasts alone.
"""

from __future__ import annotations

import polars as pl

from golden_core.claims.decisions import ALL_PAIRS
from golden_core.store.schema import CLAIMS, FORECASTS

_PLACE = ("forecaster", "pair", "horizon")
_PRESENT = ("done", "shared")


def lacking(trials: pl.DataFrame) -> pl.DataFrame:
    """Return forecaster, pair and horizon of which trials (``schema.TRIALS``) failed or are missing, and the reason.

    ``present`` of ``asked`` trials are there. Runs that are left of a few may be the lucky ones, so that nothing is
    said of them.
    """
    counts = trials.group_by(_PLACE).agg(present=pl.col("status").is_in(_PRESENT).sum(), asked=pl.len())
    few = counts.filter(pl.col("present") < pl.col("asked")).sort(_PLACE)
    return few.with_columns(reason=pl.format("{} of {} trials are present", "present", "asked"))


def stood_in(forecasts: pl.DataFrame, few: pl.DataFrame) -> pl.DataFrame:
    """Return forecasts in which one cutoff stands for all of what is :func:`lacking`.

    A forecaster without the random walk's cutoffs is asked about and has no test: p = 1, which keeps the family as
    large as the protocol made it, and a claim about all pairs from being one about those that are left.
    """
    whole = forecasts.join(few, on=_PLACE, how="anti", maintain_order="left")
    firsts = forecasts.unique(["pair", "horizon"], keep="first", maintain_order=True).drop("forecaster", "seed")
    places = few.select(_PLACE).with_columns(seed=pl.lit(0, pl.Int32))
    own = places.join(firsts, on=["pair", "horizon"])
    elsewhere = places.join(firsts, on=["pair", "horizon"], how="anti")  # where nothing at all was forecast
    others = elsewhere.join(firsts.head(1).drop("pair", "horizon"), how="cross")
    return FORECASTS.conform(pl.concat([whole, own, others], how="diagonal").select(whole.columns)).sort(FORECASTS.key)


def explained(claims: pl.DataFrame, few: pl.DataFrame) -> pl.DataFrame:
    """Return claims (``schema.CLAIMS``) that say why there is no test of what is :func:`lacking`, or of its pool."""
    pooled = few.group_by("forecaster", "horizon", maintain_order=True).agg(
        pair=pl.lit(ALL_PAIRS),
        present=pl.col("present").min(),
        reason=pl.format("{}: {}", pl.col("pair").first(), pl.col("reason").first()),
    )
    told = pl.concat([few.select(pooled.columns), pooled]).rename({"present": "left", "reason": "told"})
    joined = claims.join(told, on=_PLACE, how="left", maintain_order="left")
    named = joined.with_columns(
        reason=pl.coalesce("told", "reason"), seeds=pl.coalesce(pl.col("left").cast(pl.Int64), "seeds")
    )
    return CLAIMS.conform(named.drop("told", "left"))
