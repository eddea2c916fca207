"""The pages of P3.M2 and P4.M2: the statistical protocol, the plan of benchmarks, and the templates of reports.

All are made from schema, rules, exhibits and what carries benchmarks out.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from golden_core.benchmarking import records, sampling
from golden_core.benchmarking.measurement import BATCHES, PRECISIONS, SCENARIOS, SECONDS
from golden_core.benchmarking.sampling import TAILS, full_size, least_size
from golden_core.checks.universes import GATE
from golden_core.evaluation.calibrated import Calibrated, filed_calibration
from golden_core.evaluation.strata import STRATA
from golden_core.milestones.designs import TEXTS
from golden_core.milestones.evidence import Result, all_held, render
from golden_core.placebo.filed import Filed, Name, filed_count
from golden_core.preparation.catalogue import load_study
from golden_core.reporting.exhibits import declared
from golden_core.reporting.grids import STRATA_SKILL
from golden_core.reporting.pictures import PICTURES, as_svg, calibration_figure
from golden_core.statistics import rules
from golden_core.store.lake import Home
from golden_core.store.markdown import markdown_table
from golden_core.store.schema import BENCHMARKS
from golden_core.study import ProtocolSection

KINDS = {
    "more_accurate": (
        "Is its loss smaller than the random walk's?",
        "mean loss difference and its direction, one-sided",
    ),
    "predicts": (
        "Does it know something that the random walk does not?",
        "mean of 2 (y − b)(f − b) and its direction, one-sided",
    ),
    "equivalent": ("Is its loss the random walk's, but for the margin?", "two one-sided tests against the margin"),
    "covers": ("Does its interval cover these bars at its level, nearly?", "two one-sided tests against the margin"),
    "profitable": ("Do its trades earn more than they cost?", "mean net return per bar and its direction, one-sided"),
}
REFUSED = (
    ("all", f"fewer than {rules.LEAST_COEFFICIENTS} cosine coefficients: min(0.4 n^⅔, n / 2h)"),
    ("those of skill", f"fewer than {rules.LEAST_FITTED} cosine coefficients, or n / 2h below {rules.LEAST_APART}"),
    ("of many forecasters at once", f"n / 2h below {rules.LEAST_BLOCKS}"),
    ("of the best of many", f"fewer than {rules.LEAST_HALVED} halved cosine coefficients"),
    ("`covers`", f"fewer than {rules.LEAST_MISSES} independent misses expected at the margin"),
)
PLACEBO = "placebo"  # the shipped study whose universes are shown
ENGINE = "long-run variance by equally weighted cosines (Lazarus, Lewis, Stock & Watson 2018)"


def protocol_pages(home: Home) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P3.M2, with what was measured in this home, and what is found for its criteria."""
    filed = filed_calibration(home)
    counted: dict[Name, Filed | None] = {name: filed_count(home, load_study(PLACEBO), name, GATE) for name in _COUNTED}
    facts = {
        "kinds": markdown_table(
            ("claim", "question", "test", "engine"),
            ((f"`{kind}`", question, test, ENGINE) for kind, (question, test) in KINDS.items()),
        ),
        "settings": markdown_table(
            ("setting", "what it says"),
            ((f"`{name}`", field.description or "") for name, field in ProtocolSection.model_fields.items()),
        ),
        "rules": markdown_table(("tests", "are refused with"), REFUSED),
        "calibration": _calibration(filed),
        **{str(name): _count(name, found) for name, found in counted.items()},
        "strata": ", ".join(name for name in STRATA if name != "all"),
    }
    pages = {"statistical_protocol.md": render(TEXTS / "statistical_protocol.md.jinja", facts)}
    pages |= {f"templates/{name}.md": template(name, said) for name, said in declared().items()}
    pages["templates/strata.md"] = template("strata", {"caption": "Skill among the cutoffs of a stratum.",
                                                        "query": STRATA_SKILL, "columns": []})  # fmt: skip
    if filed is not None:
        pages["calibration.csv"] = filed.table.write_csv()
        pages["calibration.svg"] = as_svg(calibration_figure(filed.table), "calibration")
    for name, found in counted.items():
        if found is not None:
            shown = as_svg(PICTURES[name](found.table), "placebo")
            pages |= {f"{name}.csv": found.table.write_csv(), f"{name}.svg": shown}
    templates = "\n".join(page for name, page in pages.items() if name.startswith("templates/"))
    return pages, (all_held("templates_cover_averages", AVERAGES, [templates]),)


def _calibration(filed: Calibrated | None) -> str:
    if filed is None or not filed.current:
        return "Unmeasured for this code: `golden statistics calibrate` measures it."
    shown = filed.table.select("test", "world", "n", "horizon", "measure", pl.col("rate").round(4), "verdict")
    return f"{filed.simulations} simulations of every cell, by `golden statistics calibrate`.\n\n{_told(shown)}"


def _told(table: pl.DataFrame) -> str:
    rows = (["" if cell is None else str(cell) for cell in row] for row in table.iter_rows())
    return markdown_table(table.columns, rows)


_COUNTED: dict[Name, list[str]] = {
    "placebo": ["arm", "claims", "adjustment", "universes", "stopped", "found", "allowed", "verdict", "seconds"],
    "power": ["kind", "forecaster", "r2", "universes", "found", "low", "high", "share", "promised", "seconds"],
}


def _count(name: Name, found: Filed | None) -> str:
    """Return what was counted in universes, or that it was not."""
    if found is None:
        return f"Unmeasured here: `golden {name} {PLACEBO}` measures it."
    shown = found.table.select(_COUNTED[name]).with_columns(pl.col(pl.Float64).round_sig_figs(3))
    told = "" if found.current else f" Counted at commit {found.commit}; the code has changed since, and is unmeasured."
    return f"By `golden {name} {PLACEBO}`; seconds are of processor time, per universe.{told}\n\n{_told(shown)}"


def template(name: str, said: dict[str, Any]) -> str:
    """Return the page of a table of a report: its caption, columns and query."""
    rows = ((column["label"], column.get("unit", ""), f"`{column['show']}`") for column in said["columns"])
    columns = markdown_table(("column", "unit", "shown"), rows) if said["columns"] else ""
    query = f"```sql\n{said['query'].strip()}\n```" if "query" in said else "Its rows are handed in by the page."
    return "\n\n".join(part for part in (f"# {name}", said["caption"].strip(), columns, query) if part) + "\n"


AVERAGES = {"over series": "'macro'", "over rows": "'micro'", "by stratum": "stratum_kind"}  # asked of the warehouse
WANTED = {
    "50th percentile": "p50_ms",
    "90th": "p90_ms",
    "99th": "p99_ms",
    "mean": "mean_ms",
    "standard deviation": "sd_ms",
    "energy": "energy_j",
}


def benchmark_pages() -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P4.M2, and whether the form has what is asked of it."""
    heads = ("scenario", "of", "a call is", "unit", "calls at least", "block of the warm-up")
    rows = ((s.name, s.task, s.says, s.unit, f"{s.fewest:,}", str(s.block)) for s in SCENARIOS.values())
    sizes = [(f"{100 * p:.0f}th", f"{full_size(p):,}", f"{least_size(p):,}") for p in TAILS]
    half = least_size(0.5)
    facts = {
        "scenarios": markdown_table(heads, rows),
        "batches": ", ".join(map(str, BATCHES)),
        "precisions": ", ".join(PRECISIONS),
        "steady": f"{sampling.STEADY:.0%}",
        "blocks": sampling.MOST_BLOCKS,
        "seconds": f"{SECONDS:g}",
        "sizes": markdown_table(("percentile", "given from", "bounded from"), [("50th", str(half), "—"), *sizes]),
        "pairs": sampling.PAIRS,
        "alpha": f"{sampling.ALPHA:.0%}",
        "slower": records.SLOWER,
        "form": markdown_table(
            ("column", "what it says", "unit"), ((f"`{c.name}`", c.description, c.unit) for c in BENCHMARKS.columns)
        ),
    }
    pages = {"benchmark_plan.md": render(TEXTS / "benchmark_plan.md.jinja", facts)}
    shown = declared()
    pages |= {f"templates/{name}.md": template(name, shown[name]) for name in ("benchmarks", "machines")}
    form = pages["templates/benchmarks.md"]
    return pages, (all_held("template_complete", WANTED, [BENCHMARKS.dtypes, form]),)
