"""The pages of P4.M2: the plan of benchmarks and the forms of their results, made from what carries them out."""

from __future__ import annotations

from golden_core.benchmarking import records, sampling
from golden_core.benchmarking.measurement import BATCHES, PRECISIONS, SCENARIOS, SECONDS
from golden_core.benchmarking.sampling import TAILS, full_size, least_size
from golden_core.milestones.designs import TEXTS
from golden_core.milestones.documents import render
from golden_core.milestones.evidence import Result
from golden_core.milestones.protocols import template
from golden_core.reporting.exhibits import declared
from golden_core.store.markdown import markdown_table
from golden_core.store.schema import BENCHMARKS

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
    return pages, (_complete(pages["templates/benchmarks.md"]),)


def _complete(form: str) -> Result:
    """Report which of the wanted values the table has and the form shows."""
    found = [name for name, column in WANTED.items() if column in BENCHMARKS.dtypes and column in form]
    return Result("template_complete", ", ".join(found), ", ".join(WANTED), len(found) == len(WANTED))
