"""Checks on what people read: every test a second time, and the report as the warehouse gives it."""

import dagster as dg

from golden_core.evaluation import verification
from golden_core.reporting import report_differences
from golden_core.store.warehouse import Warehouse
from golden_dagster.lib.checks import verdict
from golden_dagster.resources import StudyResource


def report_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks on ``comparisons`` and ``report``."""
    return [_statsmodels(), _rewritten()]


def _statsmodels() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="comparisons",
        name="comparisons_equal_statsmodels",
        description="Every test of the warehouse equals, to 1e-6, a regression of the loss differences by statsmodels and "
        "its adjustment after Holm.",
    )
    def comparisons_equal_statsmodels(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        found, examined = verification.comparisons_unlike_statsmodels(warehouse, loaded.name)
        return verdict(found, examined=examined, unit="tests")

    return comparisons_equal_statsmodels


def _rewritten() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="report",
        name="report_follows_from_warehouse",
        description="Written again from the warehouse, every file of the report is the same to the byte: nothing was "
        "changed by hand, and nothing is out of date.",
    )
    def report_follows_from_warehouse(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        found, examined = report_differences(warehouse, loaded, study.home.report(loaded.name))
        return verdict(found, examined=examined, unit="files")

    return report_follows_from_warehouse
