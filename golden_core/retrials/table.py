"""Retrials: published claims as data, and their table: a row per claim, per claim decided and per leak shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy
from pydantic import Field, TypeAdapter
from ruamel.yaml import YAML

from golden_core.preparation.catalogue import load_study, run_command
from golden_core.retrials.leaks import demonstrate
from golden_core.store.lake import Home, read_table, shipped
from golden_core.store.markdown import markdown_table
from golden_core.store.warehouse import Warehouse
from golden_core.study import Section
from golden_core.trials.stored import require_whole

PUBLISHED = shipped("retrials.yaml")
COLUMNS = {
    "retrial": pl.String,
    "row": pl.String,  # claimed, court or shown
    "study": pl.String,
    "closes": pl.String,  # last or mean
    "forecaster": pl.String,
    "claim": pl.String,
    "series": pl.String,
    "n": pl.Int64,  # forecasts
    "rmse_ratio": pl.Float64,  # forecaster over random walk
    "statistic": pl.Float64,  # Diebold–Mariano, positive for the forecaster
    "p_value": pl.Float64,  # of the court one-sided and Holm-adjusted, else two-sided
    "holds": pl.Boolean,
    "note": pl.String,
}
OF_LOSSES = ("more_accurate", "equivalent")  # one effect, which the second has where a test of skill is refused
DECIMALS = 4  # more differ between machines
_CLAIMS = "SELECT * FROM claims WHERE study = ? ORDER BY kind, scope, pair, horizon, forecaster"


class Leak(Section):
    """The regression that a leak is shown on."""

    lags: int = Field(ge=1)
    means: tuple[int, ...] = Field(min_length=1)


class Retrial(Section):
    """A published claim, and the studies by which it is retried."""

    name: str
    title: str
    source: str
    claimed: str
    statistic: float | None = Field(description="Diebold–Mariano, as published")
    p_value: float | None = Field(description="two-sided, as published")
    mape: float | None = Field(description="percent, as published")
    months: int | None = Field(description="length of the series, as published")
    studies: tuple[str, ...] = Field(min_length=1)
    forecasters: tuple[str, ...] = Field(description="any of these would bear the claim out; none: it is not retried")
    claim: str = Field(description="kind of claim of the studies' protocol that it comes to")
    leak: Leak | None


def retrials() -> tuple[Retrial, ...]:
    """Return the claims that are retried, in the order of the file."""
    entries = YAML(typ="safe", pure=True).load(PUBLISHED)
    return TypeAdapter(tuple[Retrial, ...]).validate_python(entries, strict=False)


def implied_forecasts(statistic: float, p_value: float, most: int) -> list[int]:
    """Return how many forecasts a published statistic and its two-sided p-value, to four decimals, can rest on.

    By Student's t with one degree of freedom fewer than forecasts (Harvey, Leybourne & Newbold 1997).
    """
    found = {n: 2 * float(scipy.stats.t.sf(abs(statistic), df=n - 1)) for n in range(2, most + 1)}
    return [n for n, p in found.items() if abs(p - p_value) <= 0.5e-4]


def retrials_table(home: Home, asked: Sequence[Retrial]) -> pl.DataFrame:
    """Return what was claimed, what the court decided of it, and what a leak would give, from the studies' tables.

    IncompleteError if a study has not been run as it stands, or not all of it, or was evaluated by other code.
    """
    rows = [row for retrial in asked for row in _rows(home, retrial)]
    table = pl.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows], schema=COLUMNS)
    return table.with_columns(pl.col(pl.Float64).round(DECIMALS))


def _rows(home: Home, retrial: Retrial) -> Iterator[dict[str, Any]]:
    court = [row for study in retrial.studies for row in _court(home, study)]
    tested = [r for r in court if r["claim"] == retrial.claim and r["p_value"] is not None]  # who is refused is open
    borne_out = [r["holds"] for r in tested if r["forecaster"] in retrial.forecasters]
    implied = _implied(retrial)
    yield {
        "retrial": retrial.name,
        "row": "claimed",
        "claim": retrial.claim,
        "n": implied,
        "statistic": retrial.statistic,
        "p_value": retrial.p_value,
        "holds": any(borne_out) if borne_out else None,
        "note": f"{retrial.source}: {retrial.claimed}",
    }
    yield from ({"retrial": retrial.name, "row": "court", **row} for row in court)
    if retrial.leak and implied:
        for study in retrial.studies:
            shown = _shown(home, study, retrial.leak, implied)
            yield from ({"retrial": retrial.name, "row": "shown", **row} for row in shown)


def _implied(retrial: Retrial) -> int | None:
    """Return the number of forecasts that the published numbers imply, if they imply one."""
    if retrial.statistic is None or retrial.p_value is None or retrial.months is None:
        return None
    found = implied_forecasts(retrial.statistic, retrial.p_value, retrial.months)
    return found[0] if len(found) == 1 else None


def _court(home: Home, name: str) -> Iterator[dict[str, Any]]:
    study = load_study(name)
    require_whole(home, study, run_command(name))
    claims = Warehouse(home.warehouse).query(_CLAIMS, [name])
    for row in claims.iter_rows(named=True):
        losses = row["kind"] in OF_LOSSES and row["effect"] is not None
        yield {
            "study": name,
            "closes": study.data.price,
            "forecaster": row["forecaster"],
            "claim": row["kind"],
            "series": "all pairs" if row["scope"] == "pooled" else f"{row['pair']}_h{row['horizon']}",
            "n": row["n"],
            "rmse_ratio": float(np.sqrt(1 - row["effect"])) if losses else None,
            "p_value": row["p_holm"],
            "holds": row["claimed"],
            "note": row["reason"] or "",
        }


def _shown(home: Home, name: str, leak: Leak, tested: int) -> Iterator[dict[str, Any]]:
    """Yield the regression on as many months as published: without rolling means, with sound ones, with leaky ones."""
    study = load_study(name)
    variants: dict[str, tuple[tuple[int, ...], bool]] = {
        "lags alone": ((), False),
        "means up to the month before": (leak.means, False),
        "means that include the target": (leak.means, True),
    }
    for pair, (said, (means, leaky)) in itertools.product(study.data.pairs, variants.items()):
        prices = read_table(home.study(name).table("bars", pair))["close"].to_numpy()
        found = demonstrate(prices, lags=leak.lags, means=means, tested=tested, includes_target=leaky)
        raw = "undefined" if found.uncorrected is None else f"{found.uncorrected:.2f}"
        percent = f"MAPE {found.mape:.2f} %, random walk {found.random_walk_mape:.2f} %"
        yield {
            "study": name,
            "closes": study.data.price,
            "forecaster": said,
            "claim": "equal squared errors of prices",
            "series": f"{pair}_h1",
            "n": found.n,
            "rmse_ratio": found.rmse_ratio,
            "statistic": found.statistic,
            "p_value": found.p_value,
            "note": f"{raw} without small-sample correction; {percent}",
        }


def retrials_page(table: pl.DataFrame) -> str:
    """Return the table as Markdown: what was claimed, how many claims of each kind hold, and what was shown."""
    court = table.filter(row="court").group_by("study", "closes", "claim", maintain_order=True)
    decided = court.agg(
        asked=pl.len(),
        tested=pl.col("p_value").count(),
        hold=pl.col("holds").sum(),
        lowest_rmse_ratio=pl.col("rmse_ratio").min(),
        highest_rmse_ratio=pl.col("rmse_ratio").max(),
        smallest_p_value=pl.col("p_value").min(),
    )
    claimed = table.filter(row="claimed").select("retrial", "n", "statistic", "p_value", "holds", "note")
    shown = table.filter(row="shown").drop("retrial", "row", "study", "claim", "holds")
    parts = {"What was claimed": claimed, "What the court decided": decided, "What a leak would do": shown}
    cells = {head: [[_cell(value) for value in row] for row in part.iter_rows()] for head, part in parts.items()}
    return "\n\n".join(f"### {h}\n\n{markdown_table(part.columns, cells[h])}" for h, part in parts.items()) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "") else f"{value:.4f}" if isinstance(value, float) else str(value)
