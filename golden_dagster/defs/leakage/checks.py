"""Claims about the scorecard: what the plan of the project promises of its leakage probes."""

import dagster as dg

from golden_core.leakage.filed import filed_scorecard
from golden_core.store.lake import Home
from golden_dagster.defs.leakage.assets import SCORECARD
from golden_dagster.lib.checks import verdict


def _judged(kind: str) -> dg.AssetCheckResult:
    filed = filed_scorecard(Home.from_environment())
    # What nobody has measured yet is no failure, and no success either.
    if filed is None:
        return verdict(
            ["no scorecard was measured yet: run `golden leakage scorecard`, or materialise leakage/scorecard"],
            examined=0,
            unit="pipelines",
            severity=dg.AssetCheckSeverity.WARN,
        )
    found = filed.faults(kind)
    unmeasured = [] if filed.current else ["the scorecard was measured on other probes or leaks: measure it again"]
    unmeasured += [] if filed.scale == "full" else ["only a quick scorecard was measured, which carries no claim"]
    severity = dg.AssetCheckSeverity.ERROR if found else dg.AssetCheckSeverity.WARN
    return verdict(
        [*found, *unmeasured], examined=filed.rows.filter(kind=kind).height, unit="pipelines", severity=severity
    )


@dg.asset_check(
    asset=SCORECARD,
    description=(
        "Every planted leak of a deterministic kind is caught, 90 % in the right place, without a false alarm on 300 "
        "honest pipelines."
    ),
)
def deterministic_leaks_caught() -> dg.AssetCheckResult:
    """Judge the scorecard that is filed."""
    return _judged("deterministic")


@dg.asset_check(
    asset=SCORECARD,
    description=(
        "At least 95 % of statistical leaks are caught, 90 % in the right place, with at most 1 % false alarms on "
        "1,000 honest pipelines."
    ),
)
def statistical_leaks_caught() -> dg.AssetCheckResult:
    """Judge the scorecard that is filed."""
    return _judged("statistical")
