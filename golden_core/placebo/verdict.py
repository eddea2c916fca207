"""What universes come to: false claims counted by rule, planted skill found against what was promised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import nctdtr, nctdtrinc

from golden_core.claims.decisions import holm_within
from golden_core.placebo.universe import EFFECTS, PLANTED, SKILL
from golden_core.study import ProtocolSection

RATE = 0.05  # of universes in which a skill may be claimed where there is none
SHOWN, TOO_MANY, OPEN = "at most 5 %", "more than 5 %", "open"


def allowed(universes: int) -> int:
    """Return how many of so many universes may claim for a rate above 5 % to be refuted at 5 %: 16 of 500.

    Below 59 universes none is few enough, and −1 is returned.
    """
    counts = np.arange(universes + 1)
    return int(np.searchsorted(stats.binom.cdf(counts, universes, RATE), RATE, side="right")) - 1


def verdict(claims: int, universes: int) -> str:
    """Return what a count of universes with a claim shows of the rate: ``SHOWN``, ``TOO_MANY`` or ``OPEN``."""
    if claims <= allowed(universes):
        return SHOWN
    return TOO_MANY if stats.binom.sf(claims - 1, universes, RATE) <= RATE else OPEN


def false_claims(rows: pl.DataFrame, protocol: ProtocolSection) -> pl.DataFrame:
    """Count the universes with a claim, by arm, in rows from :func:`golden_core.placebo.blocks.block_rows`.

    Per arm: the universes with any claim of skill under the protocol, which the verdict is about; those with a claim of
    each kind; and those that would have any if the adjustment were another one, from the same p-values. A universe that
    the gate, or a trial that failed, stopped claims nothing; where in more than a few no skill was tested at all, few
    claims show nothing and the verdict is open. ``seconds`` are of processor time, per universe.
    """
    return pl.DataFrame(
        [row for arm in rows.partition_by("arm", maintain_order=True) for row in _of_arm(arm, protocol)]
    )


def _of_arm(arm: pl.DataFrame, protocol: ProtocolSection) -> Iterator[dict[str, Any]]:
    each = arm.unique("universe")
    facts = {"arm": arm["arm"][0], "universes": each.height, "stopped": each["fault"].count()}
    means = {"seconds": each["seconds"].mean()}
    skill = pl.col("kind").is_in(SKILL)

    def counted(claims: str, adjustment: str, claimed: pl.Expr) -> dict[str, Any]:
        found = arm.filter(claimed)["universe"].n_unique()
        return {**facts, "claims": claims, "adjustment": adjustment, "found": found,
                "share": found / each.height, **means}  # fmt: skip

    chosen = f"Holm by {protocol.family}"
    rows = [counted("any skill", chosen, skill & pl.col("claimed"))]
    kinds = arm["kind"].drop_nulls().unique().sort()
    rows += [counted(kind, chosen, (pl.col("kind") == kind) & pl.col("claimed")) for kind in kinds]
    by_kind, by_study = holm_within("universe", "kind"), holm_within("universe")
    others = {"Holm by kind": by_kind, "Holm by study": by_study, "none": pl.col("p_value")}
    for name, adjusted in others.items():
        if name != chosen:
            rows.append(counted("any skill", name, skill & (adjusted <= protocol.alpha)))
    tested = arm.filter(skill & pl.col("p_value").is_not_null())["universe"].n_unique()
    said = verdict(rows[0]["found"], each.height)
    said = OPEN if said == SHOWN and tested < (1 - RATE) * each.height else said
    deciding = {"allowed": allowed(each.height), "verdict": said}
    yield {**rows[0], **deciding}
    yield from ({**row, "allowed": None, "verdict": "reported"} for row in rows[1:])


def found_skill(rows: pl.DataFrame, r2: dict[str, float], protocol: ProtocolSection) -> pl.DataFrame:
    """Return the curve of power: how often a planted skill was claimed, and how often that was to be expected.

    Of rows as above, and the ``r2`` planted in each arm. Per R², forecaster and kind: ``universes``, ``stopped``,
    ``found``, ``share`` with its 95 % interval, the mean ``effect`` measured, ``smallest_effect`` (the root of the mean
    square over universes), and ``promised``: the power at which that smallest effect puts the true one. True is R² of
    who knows the slope, 2 R² of its moment 2·y·f; of anybody else, who has to learn it, the mean effect.
    """
    told = [
        _point(group, r2[str(arm)], protocol)
        for (arm, _, _), group in rows.drop_nulls("kind").group_by("arm", "forecaster", "kind", maintain_order=True)
    ]
    stopped = rows.group_by("arm").agg(stopped=pl.col("fault").count())
    table = pl.DataFrame(told).join(stopped, on="arm", how="left", maintain_order="left").drop("arm")
    return table.sort("kind", "forecaster", "r2", descending=[False, True, False])


def _point(group: pl.DataFrame, r2: float, protocol: ProtocolSection) -> dict[str, Any]:
    arm, forecaster, kind = group.select("arm", "forecaster", "kind").row(0)
    found, count = int(group["claimed"].sum()), group.height
    interval = stats.binomtest(found, count).proportion_ci(method="exact")
    # Unbiased is the variance, not its root: the mean of squares says what is detectable.
    smallest = float(np.sqrt(np.square(group["smallest_effect"].drop_nulls().to_numpy()).mean()))
    effect = float(group["effect"].drop_nulls().to_numpy().mean())
    true = EFFECTS[kind] * r2 if forecaster == PLANTED else effect
    df, alpha = int(group["df"][0]), protocol.alpha / int(group["family"][0])
    return {
        "arm": arm, "r2": r2, "forecaster": forecaster, "kind": kind, "universes": count, "found": found,
        "share": found / count, "low": interval.low, "high": interval.high, "effect": effect,
        "smallest_effect": smallest, "promised": promised(true, smallest, df, alpha, protocol.power),
        "seconds": group["seconds"].mean(),
    }  # fmt: skip


def promised(effect: float, smallest: float, df: int, alpha: float, power: float) -> float:
    """Return the chance that a test at ``alpha`` finds an effect, if it finds ``smallest`` with chance ``power``.

    The statistic of an effect has the noncentral t distribution with ``df`` degrees of freedom, whose noncentrality is
    proportional to it.
    """
    critical = stats.t.ppf(1 - alpha, df)
    return float(1 - nctdtr(df, nctdtrinc(df, 1 - power, critical) * effect / smallest, critical))


def faults(table: pl.DataFrame, universes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Return what speaks against a table of false claims, and what is still open.

    The first arm of ``universes`` has to show the rate once it has as many as its study asks for; a smaller one must
    not refute it.
    """
    deciding = table.drop_nulls("allowed")
    done = dict(deciding.select("arm", "universes").iter_rows())
    wanting = {arm: n for arm, n in universes.items() if done.get(arm, 0) < n}
    open_ = [f"{done.get(arm, 0)} of {n} universes of arm {arm} are done" for arm, n in wanting.items()]
    found = []
    for row in deciding.iter_rows(named=True):
        shows = row["arm"] == next(iter(universes)) and row["arm"] not in wanting and row["allowed"] >= 0
        if row["verdict"] == TOO_MANY or (shows and row["verdict"] == OPEN):
            few = row["found"] <= row["allowed"]
            found.append(
                f"arm {row['arm']}: {row['found']} of {row['universes']} universes claim a skill where there is none, "
                + ("but in too many no skill was tested" if few else f"at most {row['allowed']} may")
            )
    return found, open_
