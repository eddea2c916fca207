"""The benchmarks domain: one asset per kind of measurement, and the table of all; none belongs to a campaign."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.benchmarks.assets import KINDS, benchmark, benchmarks_table


def definitions(_study: Study) -> dg.Definitions:
    """Return the measurements and their table."""
    return dg.Definitions(assets=[*(benchmark(name, says) for name, says in KINDS.items()), benchmarks_table])
