"""The code location: every module of defs/, for one study. Nothing is computed or read when it is imported."""

import functools
import importlib
import os
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_shared.record import replace

import golden_dagster.defs
from golden_core.preparation.catalogue import load_study
from golden_core.store import kernels
from golden_core.store.lake import PROJECT_ROOT
from golden_core.store.provenance import git_page, git_state
from golden_core.study import Study
from golden_dagster.lib.published import ParquetTables
from golden_dagster.resources import LegacyResource, StudyResource, Watcher, WorkersResource, study_from_environment


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
    resource: StudyResource | None = None,
    *,
    workers: WorkersResource | None = None,
    watcher: Watcher | None = None,
) -> dg.Definitions:
    """Return the definitions of a study, bound to its resource: what ``definitions`` of each domain of defs/ makes."""
    names = [domain.name for domain in pkgutil.iter_modules(golden_dagster.defs.__path__)]
    domains = [importlib.import_module(f"{golden_dagster.defs.__name__}.{name}") for name in names]
    # One process for all steps: trials run side by side inside a step, and loky's workers serve every step.
    bound = dg.Definitions(resources=resources(resource, workers, watcher), executor=dg.in_process_executor)
    return dg.Definitions.merge(*(domain.definitions(study) for domain in domains), bound)


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the study that GOLDEN_STUDY names, as the web UI and the daemon load them."""
    named = study_from_environment()
    return _loaded(named, load_study(named).model_dump_json())


@functools.lru_cache(maxsize=1)  # Dagster asks for them anew at every step of the way: six times for one command
def _loaded(named: str, _settings: str) -> dg.Definitions:
    study = load_study(named)
    if study.training.kernels == "portable":
        os.environ.update(kernels.variables())  # of the processes that this one starts for runs: its own is late
    found = definitions_for(study)
    return replace(found, assets=referenced(found.assets or (), git_page(), git_state()))


def referenced(assets: Iterable[Any], page: str | None, state: Mapping[str, Any]) -> Sequence[Any]:
    """Return assets that lead to their source: to its web page where exactly this code is there, else to the file."""
    local = dg.with_source_code_references(list(assets))
    if page is None or state["dirty"] or not state["commit"]:
        return local
    anchor = Path(__file__)
    inside = dg.AnchorBasedFilePathMapping(anchor, str(anchor.relative_to(PROJECT_ROOT)))
    return dg.link_code_references_to_git(local, page, git_branch=state["commit"], file_path_mapping=inside)
