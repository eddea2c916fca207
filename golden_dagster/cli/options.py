"""Options that several commands share, and how a command ends on a fault of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console

USAGE = 2  # exit status for a wrong study, option or file, as opposed to 1 for a failed criterion

Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as training.epochs=2; repeatable."),
]
Backend = Annotated[Literal["sequential", "loky"], typer.Option("--backend", help="How trials run side by side.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 means one per core.")]
StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="Name from data/studies, or path of a YAML file.")]


def terminal() -> Console:
    """Return a console; where no terminal tells its width, tables get room instead of 80 columns."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=140)


@contextmanager
def teaching() -> Iterator[None]:
    """Turn an expected fault into its message and exit status 2; anything else keeps its traceback."""
    from golden_core.data.local_time import ZoneError
    from golden_core.data.sources import SourceError
    from golden_core.data.vendors.base import VendorError
    from golden_core.evaluation.campaign import IncompleteError
    from golden_core.legacy.audit.records import TableError
    from golden_core.legacy.frozen import FrozenFactsError
    from golden_core.legacy.keras_container import KerasCheckpointError
    from golden_core.legacy.scanning import LegacyTreeError
    from golden_core.milestones.records import EvidenceError
    from golden_core.study import StudyError
    from golden_core.trials.preparation import PreparationError
    from golden_core.warehouse import WarehouseError

    faults = (StudyError, SourceError, PreparationError, IncompleteError, WarehouseError, TableError, FrozenFactsError)
    try:
        yield
    except (*faults, VendorError, ZoneError, LegacyTreeError, KerasCheckpointError, EvidenceError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
