"""One universe: a study on bars whose truth is known, from its source through the gate to claims, in a home of its own.

Every step is what a campaign runs; only what would be kept of it, weights and provenance of trials, is not written.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from golden_core.claims.decisions import claims_table
from golden_core.claims.questions import BENCHMARK
from golden_core.economics.strategies import Strategy, strategies
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.store.lake import Home, read_table, temporary_home
from golden_core.store.randomness import Stream
from golden_core.store.schema import CLAIMS, FORECASTS, QUANTILES
from golden_core.study import ProtocolSection, Study
from golden_core.study.values import freeze
from golden_core.trials import all_series, series_inputs
from golden_core.trials.identity import distinct_trials
from golden_core.trials.registration import Standing
from golden_core.trials.run import TrialError, run_folds

SKILL = ("more_accurate", "predicts", "profitable")  # kinds of claim that are false of a martingale
PLANTED = "planted"  # forecaster of a world with skill that knows its one parameter
EFFECTS = {"more_accurate": 1, "predicts": 2}  # what that one is worth in units of R², by kind of claim

_KEPT = ("forecaster", "kind", "scope", "pair", "horizon", "effect", "smallest_effect", "p_value", "p_holm", "claimed",
         "family", "df", "n", "reason")  # fmt: skip
ROWS = {
    "universe": pl.Int32,
    **{name: CLAIMS.dtypes[name] for name in _KEPT},
    "seconds": pl.Float64,  # of processor time, of the universe as a whole
    "fault": pl.String,  # what the gate, or a trial that failed, stopped it for; it then has this one row and no claim
}


class PlaceboError(ValueError):
    """A study cannot be put to this test; the message says what it lacks."""


@dataclass(frozen=True)
class Arm:
    """Universes of one kind, and who forecasts in them."""

    name: str
    forecasters: tuple[str, ...]
    universes: int
    r2: float | None = None  # what of the next bar can be forecast; None in a martingale


@dataclass(frozen=True)
class Gate:
    """What stands between bars and forecasts, and between forecasts and claims: each returns what speaks against them.

    ``inputs`` is told whether to look at what depends on code rather than on chance, too. ``module`` names the code.
    """

    inputs: Callable[[Home, Study, bool], list[str]]
    forecasts: Callable[[Home, Study, pl.DataFrame], list[str]]
    module: str


def universe(study: Study, arm: Arm, number: int) -> Study:
    """Return the study of one universe: bars and networks of its own stream, and the forecasters of its arm."""
    root = Stream(study.seeds.root).child("universe", arm.name, number).integer()
    names = (BENCHMARK, *arm.forecasters)
    changed: dict[str, Any] = {
        "seeds": study.seeds.model_copy(update={"root": root}),
        "forecasters": freeze({name: study.forecasters[name] for name in names}),
        "placebo": None,
    }
    return study.model_copy(update=changed | (_planted(study, arm.r2) if arm.r2 is not None else {}))


def _planted(study: Study, r2: float) -> dict[str, Any]:
    """Return what a world with skill changes: its process, one series, and the foresight that it is known to allow."""
    told = study.data.settings
    if study.data.source == "synthetic":  # whose process with skill is another one
        told = {"process": "ar", **{name: told[name] for name in ("initial_price", "volatility")}}
    foresight = study.checks.max_foresight + math.sqrt(r2)
    protocol = study.protocol and study.protocol.model_copy(
        update={"kinds": tuple(kind for kind in study.protocol.kinds if kind in EFFECTS), "scopes": ("series",)}
    )
    return {
        "data": study.data.model_copy(update={"settings": freeze({**told, "r2": r2}), "pairs": study.data.pairs[:1]}),
        "horizons": (1,),
        "checks": study.checks.model_copy(update={"max_foresight": foresight}),
        "protocol": protocol,
    }


def universe_rows(study: Study, arm: Arm, number: int, gate: Gate, *, thorough: bool) -> pl.DataFrame:
    """Return every claim asked about in one universe, or what the gate stopped it for (``ROWS``).

    ``thorough`` asks the gate for the probes of code, too. A forecaster that fails stops its universe and no other.
    """
    own, started = universe(study, arm, number), time.process_time()
    with temporary_home() as home, threadpool_limits(1):
        try:
            faults, claims = _decided(home, own, arm, gate, thorough)
        except TrialError as error:
            faults, claims = [str(error)], CLAIMS.empty()
    found = claims.select(_KEPT) if not faults else pl.DataFrame({"fault": ["; ".join(faults)]})
    seconds = time.process_time() - started
    told = found.with_columns(universe=pl.lit(number), seconds=pl.lit(seconds))
    absent = {name: pl.lit(None) for name in ROWS if name not in told.columns}
    return told.with_columns(**absent).select(pl.col(name).cast(dtype) for name, dtype in ROWS.items())


def _decided(home: Home, study: Study, arm: Arm, gate: Gate, thorough: bool) -> tuple[list[str], pl.DataFrame]:
    prepare_raw(home, study)
    for pair in study.data.pairs:
        prepare_pair(home, study, pair)
    for series in all_series(study):
        prepare_series(home, study, *series)
    if faults := gate.inputs(home, study, thorough):
        return faults, CLAIMS.empty()
    forecasts, quantiles = _forecasts(home, study)
    if faults := gate.forecasts(home, study, forecasts):
        return faults, CLAIMS.empty()
    if arm.r2 is None:
        return [], _claims(home, study, forecasts, quantiles)
    # Each forecaster is asked about by itself, so that a curve of power is that of one test.
    forecasts = pl.concat([forecasts, _knowing(home, study, forecasts, arm.r2)])
    asked = [forecasts.filter(pl.col("forecaster").is_in([BENCHMARK, name])) for name in (*arm.forecasters, PLANTED)]
    return [], pl.concat([_claims(home, study, part, QUANTILES.empty()) for part in asked])


def _forecasts(home: Home, study: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return forecasts and quantiles of every trial."""
    inputs = {series: series_inputs(home, study, *series) for series in all_series(study)}
    trials = [run_folds(study, t, inputs[t.pair, t.horizon])[0] for t in distinct_trials(study)]
    quantiles = [tables[QUANTILES.name] for tables in trials if QUANTILES.name in tables]
    return pl.concat([tables[FORECASTS.name] for tables in trials]), pl.concat([QUANTILES.empty(), *quantiles])


def _claims(home: Home, study: Study, forecasts: pl.DataFrame, quantiles: pl.DataFrame) -> pl.DataFrame:
    # The protocol stood before the universe was made, and nothing else was tried on its bars.
    known = Standing(registered=True, tried=forecasts["forecaster"].n_unique())
    traded: list[Strategy] = []
    if study.economics is not None:
        bars = pl.concat([read_table(home.study(study.name).table("bars", pair)) for pair in study.data.pairs])
        traded = list(strategies(forecasts, bars, study.economics))
    protocol, confidence = required_protocol(study), study.evaluation.confidence
    return claims_table(study.name, forecasts, protocol, confidence, known, quantiles=quantiles, traded=traded)


def required_protocol(study: Study) -> ProtocolSection:
    """Return the protocol of a study.

    Raises
    ------
    PlaceboError
        If it has none.
    """
    if study.protocol is None:
        raise PlaceboError(f"study {study.name!r} has no section `protocol`, so nothing is claimed of it")
    return study.protocol


def _knowing(home: Home, study: Study, forecasts: pl.DataFrame, r2: float) -> pl.DataFrame:
    """Return the forecasts of who knows the slope √R² of the next return on the last, at the walk's cutoffs."""
    bars = read_table(home.study(study.name).table("bars", study.data.pairs[0]))
    last = bars.select(cutoff="available_at", last=pl.col("close").log().diff())
    walk = forecasts.filter(forecaster=BENCHMARK).join(last, on="cutoff", how="left", maintain_order="left")
    y_pred = math.sqrt(r2) * walk["last"].to_numpy()
    known = walk.with_columns(
        forecaster=pl.lit(PLANTED), y_pred=y_pred, pred_close=walk["last_close"].to_numpy() * np.exp(y_pred)
    )
    return FORECASTS.conform(known.drop("last"))
