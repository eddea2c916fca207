"""Whether what is stored of a study is whole: the tables of the lake, and those that were loaded into the warehouse."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from golden_core.store.lake import Home, StoredTableError, identified, read_table, series_name, stored_json, write_json
from golden_core.store.warehouse import Warehouse, WarehouseError
from golden_core.study import Study
from golden_core.trials.code import code_hash
from golden_core.trials.identity import all_series, input_tables, series_hashes

EVALUATED = "evaluated.json"
CODE = (
    "golden_core.evaluation.campaign",
    "golden_core.evaluation.point",
    "golden_core.evaluation.aggregate",
    "golden_core.evaluation.comparisons",
    "golden_core.evaluation.distributions",
    "golden_core.claims.decisions",
    "golden_core.economics.tables",
)


class IncompleteError(RuntimeError):
    """The lake does not hold what an evaluation needs."""


def evaluation_record(home: Home, study: Study) -> Path:
    """Return the file that says what an evaluation loaded."""
    return home.study(study.name).root / EVALUATED


def evaluated(home: Home, study: Study) -> dict[str, Any]:
    """Return what an evaluation loaded; nothing where its record is missing or damaged. Older ones lack ``tables``."""
    kinds = {"identity": str, "study_hash": str, "present": int, "expected": int, "tables": dict | None}
    return stored_json(evaluation_record(home, study), **kinds)


def evaluation_code() -> str:
    """Return the hash of all code that evaluates a study and decides its claims."""
    return code_hash(CODE)


def evaluated_by_this_code(home: Home, study: Study) -> bool:
    """Whether the code that decided what is stored is the one that reads it; older records do not say."""
    return evaluated(home, study).get("code") == evaluation_code()


def stored_faults(home: Home, study: Study) -> list[str]:
    """Return one sentence for every stored table of a study that is damaged; `golden run` makes all of them again.

    Of each table the footer is read; the rest only of those that trials read, unless it is known to be as it was.
    """
    root, series = home.study(study.name).root, all_series(study)
    keys = {*study.data.pairs, *(series_name(*one) for one in series)}
    paths = [*root.glob("*.parquet"), *(path for path in root.glob("*/*.parquet") if path.stem in keys)]
    unread = [one for one, known in series_hashes(home, study, series).items() if known is None]
    whole = {path for one in unread for path in input_tables(home, study, *one) if path.exists()}
    found = [fault for path in sorted({*paths, *whole}) if (fault := _fault(path, whole=path in whole))]
    return [*found, *filter(None, [tables_fault(home, study)])]


def _fault(path: Path, *, whole: bool) -> str | None:
    try:
        read_table(path, rows=None if whole else 0)
    except StoredTableError as error:
        return str(error)
    return None


def tables_fault(home: Home, study: Study) -> str | None:
    """Return what is wrong with the published tables of a study in one sentence, if they are not as they were loaded.

    They are read once, and again whenever the size, the time or the inode of the warehouse has changed.
    """
    record, memory = evaluated(home, study), home.study(study.name).root / "tables_read.json"
    if not record:
        return None
    loaded = record.get("tables", {})  # what an earlier version wrote does not say; it is only read
    try:
        state = {"file": list(identified(home.warehouse)), "tables": loaded} if home.warehouse.exists() else {}
        if state and stored_json(memory) == state:
            return None
        found = Warehouse(home.warehouse).digests(study.name)
    except WarehouseError as error:
        return str(error)
    other = sorted(name for name in loaded if found.get(name) != loaded[name])
    if other:
        names = ", ".join(other)
        return f"warehouse {home.warehouse} holds other rows of study {study.name!r} than were loaded, in {names}"
    with contextlib.suppress(OSError):  # a home that cannot be written to is read every time
        write_json(state, memory)
    return None


def shown_completeness(home: Home, study: Study) -> tuple[int, int]:
    """Return how many trials the tables of a study hold, and how many the study asks for.

    Raises
    ------
    IncompleteError
        If the warehouse does not hold the study, or holds it with other settings than these.
    """
    found = evaluated(home, study)
    if not found:
        raise IncompleteError(f"study {study.name!r} is not in the warehouse yet")
    if found["study_hash"] != study.hash():
        raise IncompleteError(f"what the warehouse holds of study {study.name!r} was made with other settings")
    if fault := tables_fault(home, study):
        raise IncompleteError(fault)
    return found["present"], found["expected"]


def require_whole(home: Home, study: Study, command: str = "") -> None:
    """Refuse to show for good, in evidence or an archive, what does not rest on every trial or is of other code.

    Raises
    ------
    IncompleteError
        Also where :func:`shown_completeness` does; it names the ``command`` that helps, where one is given.
    """
    try:
        present, expected = shown_completeness(home, study)
        if present < expected:
            raise IncompleteError(f"{present} of {expected} trials of study {study.name!r} are there")
        if not evaluated_by_this_code(home, study):
            raise IncompleteError(f"study {study.name!r} was evaluated by other code than this")
    except IncompleteError as error:
        raise IncompleteError(f"{error}; run: {command}" if command else str(error)) from None
