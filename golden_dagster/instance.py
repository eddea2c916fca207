"""Dagster's instance of one study: the settings of the project's dagster.yaml, with a storage of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from ruamel.yaml import YAML

from golden_core.store.lake import Home, write_text

_SETTINGS = Path(__file__).with_name("dagster.yaml")  # a link to the project's own, which travels in a wheel

_UNCAPTURED = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
    "config": {},
}


def instance_folder(home: Home, study: str) -> Path:
    """Write the instance settings of a study under the home and return the folder to use as DAGSTER_HOME.

    Studies have the same asset keys, so each has its own record of what was materialised. For the demo study under
    the default home it is the storage that the project's own dagster.yaml names.
    """
    folder = home.instance(study)
    yaml = YAML(typ="safe", pure=True)
    settings = yaml.load(_SETTINGS.read_text(encoding="utf-8"))
    settings["storage"]["sqlite"]["base_dir"] = str(folder / "storage")
    settings["local_artifact_storage"]["config"]["base_dir"] = str(folder)
    settings["compute_logs"]["config"]["base_dir"] = str(folder / "logs")
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
