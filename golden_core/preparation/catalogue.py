"""What a study may name, gathered from the registries; and the way from a name to a validated study."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from golden_core.forecasters import forecaster_settings
from golden_core.forecasters.custom import custom_class
from golden_core.forecasters.settings import RULES as SUITED
from golden_core.inputs.features import FEATURES, TARGETS
from golden_core.preparation.feasibility import RULES as FEASIBLE
from golden_core.sources import source_settings
from golden_core.store.lake import Home, expanded, shipped, stored_json, write_json
from golden_core.study import Fault, Study, StudyError, Vocabulary, closest, read_study


def vocabulary() -> Vocabulary:
    """Return every name a study may use, those of installed third-party packages included."""
    return Vocabulary(
        sources=source_settings(),
        forecasters=forecaster_settings(),
        features=frozenset(FEATURES),
        targets=frozenset(TARGETS),
        custom=lambda named: custom_class(named).Settings,
        rules=(*FEASIBLE, *SUITED),
    )


def study_names() -> list[str]:
    """Return the names of the studies that come with the project."""
    return sorted(path.stem for path in shipped("studies").glob("*.yaml"))


def study_path(name: str) -> Path:
    """Return the file of a study given by name or by path.

    Raises
    ------
    StudyError
        If there is no such study; says which there are.
    """
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        return expanded(name)
    path = shipped("studies", f"{name}.yaml")
    if name not in study_names():
        known = study_names()
        message = f"no study is called {name!r}{closest(name, known) or '; known: ' + ', '.join(known)}"
        here = f"{name}.yaml"
        if Path(here).is_file():  # who ran a file reads its name everywhere, and gives that
            message = f"no study of the project is called {name!r}; the file that lies here is given as {here}"
        raise StudyError([Fault(str(shipped("studies")), 0, 0, "", message)])
    return path


def load_study(name: str, overrides: Sequence[str] = ()) -> Study:
    """Load a study by name (``demo``) or path, apply overrides, validate everything at once.

    Raises
    ------
    StudyError
        With every fault: file, line, column, path, what is wrong and the fix.
    """
    return read_study(study_path(name), vocabulary(), overrides)


def load_variant(name: str, overrides: Sequence[str] = ()) -> Study:
    """Load a study as a person asks for it: with settings changed it is another study, under a name of its own.

    The name is that of the study and eight digits of the variant's hash, unless an override gives it one (``name=…``).
    """
    study = load_study(name, overrides)
    keys = {text.partition("=")[0].strip() for text in overrides}
    if not keys or "name" in keys:
        return study
    return study.model_copy(update={"name": f"{study.name[:31]}_{study.hash()[:8]}"})


def run_command(name: str, overrides: Sequence[str] = ()) -> str:
    """Return the command that runs exactly this study."""
    return shlex.join(["golden", "run", name, *(part for text in overrides for part in ("--set", text))])


def recorded_study(home: Home, name: str) -> Study:
    """Return the study of that name as this home last ran it, overrides included; else as it is shipped.

    Raises
    ------
    StudyError
        If the settings of that run are no longer valid.
    """
    words = shlex.split(command_of(home, name))
    overrides = [text for flag, text in pairwise(words) if flag == "--set"]
    return load_variant(words[2] if len(words) > 2 else name, overrides)


def command_of(home: Home, name: str) -> str:
    """Return the command that runs a study of this home: a variant cannot be asked for by its name."""
    return str(stored_json(home.study(name).origin, command=str).get("command", run_command(name)))


def claim_name(home: Home, study: Study, name: str, overrides: Sequence[str]) -> None:
    """Record in its folder what a study was made from, so that no other file takes its place under one name.

    Raises
    ------
    StudyError
        If this home holds a study of that name from another file which is still there.
    """
    path = study_path(name)
    # The web UI knows a shipped study by its path, the command line by its name.
    given = path.stem if path.resolve().parent == shipped("studies").resolve() else name
    file = given if given in study_names() else str(path.resolve())
    origin = home.study(study.name).origin
    before = stored_json(origin).get("file")
    if before not in (None, file, str(path.resolve())) and (before in study_names() or Path(str(before)).exists()):
        message = (
            f"this home holds a study {study.name!r} that was made from {before}; two studies of one name would "
            "overwrite each other: give this one another name, in the file or by --as NAME"
        )
        raise StudyError([Fault(str(path), 0, 0, "name", message)])
    record = {"file": file, "command": run_command(given, overrides)}
    if stored_json(origin) != record:
        write_json(record, origin)
