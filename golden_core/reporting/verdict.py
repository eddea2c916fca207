"""The verdict in words, computed from the tables on the page. It claims what the tests carry and nothing more."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.coverage import Coverage
from golden_core.reporting.formats import level
from golden_core.study import ProtocolSection, Study

NO_CLAIM = "This is a smoke study: it exercises the plumbing, and its numbers carry no claim."

NO_PRICE = "The closes of this study are means over its bars, as it declares, and no prices: nothing trades at them."


@dataclass(frozen=True)
class Verdict:
    """One sentence to quote, and the sentences that belong with it."""

    headline: str
    further: tuple[str, ...]


def verdict(series: pl.DataFrame, study: Study, covered: Coverage) -> Verdict:
    """Say who differs significantly from the random walk, by :func:`golden_core.reporting.tables.series_table`.

    A smoke study's headline starts with the disclaimer, an incomplete one's with the coverage.
    """
    others = series.filter(pl.col("forecaster") != BENCHMARK)
    number = series.select("pair", "horizon").n_unique()
    places = f"on {number} series" if number != 1 else "on one series"
    alpha = f"at the {level(study.evaluation.significance)} level after Holm adjustment"
    warnings = [NO_CLAIM] if study.is_smoke else []
    if study.data.price == "mean":
        warnings.append(NO_PRICE)
    if not covered.complete:
        warnings.append(f"Only {covered.present} of {covered.asked} trials are present.")
    better = _named(others.filter(pl.col("verdict") == "better"))
    if not len(others):
        finding = f"{places.capitalize()} nothing was compared with the random walk."
    elif better:
        beat = "beats" if len(better) == 1 else "beat"
        compared = others["forecaster"].n_unique()
        finding = (
            f"{places.capitalize()}, {len(better)} of {compared} forecasters {beat} the random walk {alpha}: "
            f"{'; '.join(better)}."
        )
    else:
        finding = f"{places.capitalize()} no forecaster beats the random walk {alpha}."
    return Verdict(" ".join([*warnings, finding]), _further(others, alpha))


def decided(protocol: ProtocolSection) -> str:
    """Return by which level and margins a protocol decides: a claim says little to whom they are not told."""
    over = "all claims" if protocol.family == "study" else "the claims of a kind"
    margins = []
    if "equivalent" in protocol.kinds:
        margins.append(f"equivalent: within {level(protocol.margin)} of the random walk’s loss")
    if "covers" in protocol.kinds and protocol.coverage is not None:
        points = f"{100 * protocol.coverage.margin:g} points"
        margins.append(f"covers: {level(protocol.coverage.level)} of the outcomes, but for {points} either side")
    return "; ".join([f"at {level(protocol.alpha)} over {over} ({protocol.loss} loss)", *margins])


def _further(others: pl.DataFrame, alpha: str) -> tuple[str, ...]:
    worse = _named(others.filter(pl.col("verdict") == "worse"))
    untested = others["verdict"].null_count()
    sentences = [f"Significantly worse: {'; '.join(worse)}." if worse else f"None is significantly worse {alpha}."]
    if untested:
        sentences.append(
            f"For {untested} of {len(others)} combinations of forecaster and series there is no test: "
            "forecasts are the random walk’s own, too few, or missing."
        )
    return tuple(sentences) if len(others) else ()


def _named(rows: pl.DataFrame) -> list[str]:
    """Say where: ``ar on EURUSD_h1``, or only the count where there are many series."""
    grouped = rows.group_by("forecaster", maintain_order=True).agg("series")
    return [
        f"{name} on {', '.join(series)}" if len(series) <= 3 else f"{name} on {len(series)} series"
        for name, series in grouped.iter_rows()
    ]
