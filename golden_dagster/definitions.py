"""The code location: everything under defs/, for one study. `definitions_for` gives the same for any study."""

from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components import load_from_defs_folder

from golden_core.study import Study
from golden_dagster.defs.automation.definitions import automation_definitions
from golden_dagster.defs.data.definitions import data_definitions
from golden_dagster.defs.leakage.definitions import leakage_definitions
from golden_dagster.defs.legacy.definitions import legacy_definitions
from golden_dagster.defs.metrics.definitions import metrics_definitions
from golden_dagster.defs.milestones.definitions import milestone_definitions
from golden_dagster.defs.models.definitions import model_definitions
from golden_dagster.defs.reports.definitions import report_definitions
from golden_dagster.lib.published import ParquetTables
from golden_dagster.resources import LegacyResource, StudyResource, Watcher, WorkersResource

DOMAINS = (
    data_definitions,
    model_definitions,
    metrics_definitions,
    report_definitions,
    automation_definitions,
    leakage_definitions,
    legacy_definitions,
    milestone_definitions,
)


def resources(
    study: StudyResource | None = None, workers: WorkersResource | None = None, watcher: Watcher | None = None
) -> dict[str, Any]:
    """Return the resources every asset needs; by default those of the environment."""
    return {
        "study": study or StudyResource(),
        "workers": workers or WorkersResource(),
        "watcher": watcher or Watcher(),
        "legacy": LegacyResource(),
        "io_manager": ParquetTables(),
    }


def definitions_for(
    study: Study,
    resource: StudyResource,
    *,
    workers: WorkersResource | None = None,
    watcher: Watcher | None = None,
) -> dg.Definitions:
    """Return the definitions of a given study, bound to its resource."""
    # One process for all steps: trials run side by side inside a step, and loky's workers serve every step.
    bound = dg.Definitions(resources=resources(resource, workers, watcher), executor=dg.in_process_executor)
    return dg.Definitions.merge(*(domain(study) for domain in DOMAINS), bound)


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the study that GOLDEN_STUDY names, as the web UI and the daemon load them."""
    found = load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(resources=resources(), executor=dg.in_process_executor))
