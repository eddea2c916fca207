"""Dagster's instance of one study: the settings of the project's dagster.yaml, with a storage of its own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData
from ruamel.yaml import YAML

from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, confined, write_text
from golden_dagster.resources import study_from_environment

_SETTINGS = Path(__file__).with_name("dagster.yaml")  # a link to the project's own, which travels in a wheel

_CAPTURED = {"module": "dagster._core.storage.local_compute_log_manager", "class": "LocalComputeLogManager"}
_UNCAPTURED = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
    "config": {},
}


def instance_folder(home: Home, study: str) -> Path:
    """Write the instance settings of a study under the home and return the folder to use as DAGSTER_HOME.

    Studies have the same asset keys, so each has its own record of what was materialised.
    """
    folder = confined(home.root, "dagster", study)
    yaml = YAML(typ="safe", pure=True)
    settings = yaml.load(_SETTINGS.read_text(encoding="utf-8"))
    del settings["instance_class"]  # which leads here
    settings["storage"] = {"sqlite": {"base_dir": str(folder / "storage")}}
    settings["compute_logs"] = {**_CAPTURED, "config": {"base_dir": str(folder / "logs")}}
    stream = io.StringIO()
    yaml.dump(settings, stream)
    path = folder / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != stream.getvalue():
        write_text(stream.getvalue(), path)
    return folder


@contextmanager
def study_instance(home: Home, study: str, *, captured: bool = True) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a study.

    Without ``captured``, what steps print goes to the terminal alone: Dagster captures it by two processes per step,
    which take Ctrl-C as well and die with a traceback each.
    """
    overrides = {} if captured else {"compute_logs": _UNCAPTURED}
    reference = InstanceRef.from_dir(str(instance_folder(home, study)), overrides=overrides)
    with dg.DagsterInstance.from_ref(reference) as instance:
        yield instance


class StudyInstance(dg.DagsterInstance):
    """What DAGSTER_HOME opens when it is the project's folder: the instance of the study that GOLDEN_STUDY names."""

    @staticmethod
    def config_schema() -> dict[str, dg.Field]:
        """Return what dagster.yaml may say beyond Dagster's own settings: nothing."""
        return {}

    @staticmethod
    def config_defaults(base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Return the storage of the study in place of Dagster's defaults.

        Raises
        ------
        dagster.DagsterInvariantViolationError
            Where a home other than the one beside dagster.yaml would be begun.
        """
        home = Home.from_environment()
        if not os.environ.get("GOLDEN_HOME") and home.root.parent != Path(base_dir).resolve():
            raise dg.DagsterInvariantViolationError(
                f"DAGSTER_HOME is {base_dir}, but from {Path.cwd()} the results would lie in {home.root}: "
                f"start this in {base_dir}, or set GOLDEN_HOME"
            )
        own = InstanceRef.from_dir(str(instance_folder(home, load_study(study_from_environment()).name)))
        return {
            **InstanceRef.config_defaults(base_dir),
            "storage": own.storage_data,
            "local_artifact_storage": own.local_artifact_storage_data,
            "compute_logs": own.compute_logs_data,
        }
