"""What commands share: options, the table that they print, and how they end on a fault of the user's."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from golden_core.store.health import REMEDY
from golden_dagster.interruption import Interrupted, interruptible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from golden_core.reporting.exhibits import Exhibit
    from golden_core.store.lake import Home
    from golden_core.study import Study

USAGE = 2  # exit status for a wrong study, option or file, as opposed to 1 for a failed criterion

# Every kind of error whose message says all that a person needs. By name: to import them all would take seconds.
TEACHING = {
    "SourceError", "VendorError", "ZoneError", "StudyError", "PlaceboError", "PreparationError", "TrialError",
    "AlteredError", "UnreadyError", "IncompleteError", "WarehouseError", "LockedError", "LedgerError", "LayoutError",
    "StorageError", "StoredTableError", "TransferError", "TableError", "LegacyTreeError",
    "DeadWorkerError", "KerasCheckpointError", "ParityError", "RecordError", "EvidenceError", "PublicationError",
    "RandomWalkMissingError", "BenchmarkError", "ExplanationError",
}  # fmt: skip

Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as training.epochs=2; repeatable."),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="NAME", help="Name of a study with settings changed; by default the study's and a short hash."
    ),
]


def _with_scheduler(backend: str) -> str:
    if backend == "dask" and not os.environ.get("GOLDEN_DASK_SCHEDULER"):
        raise typer.BadParameter("dask needs GOLDEN_DASK_SCHEDULER in the environment, such as tcp://127.0.0.1:8786")
    return backend


Local = Annotated[Literal["sequential", "loky"], typer.Option("--backend", help="How fits run side by side.")]
Backend = Annotated[
    Literal["sequential", "loky", "dask", "cohort"],
    typer.Option(
        "--backend",
        callback=_with_scheduler,
        help="How trials run side by side; dask has GOLDEN_DASK_SCHEDULER's workers, cohort trains networks together.",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=0, max=1024, help="Processes; 0 means one per core.")]
StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="Name from data/studies, or path of a YAML file; also as --study STUDY.")
]

Bars = Annotated[Path | None, typer.Option("--bars", help="Hourly EURUSD bid bars that end with the published window.")]
Earlier = Annotated[Path | None, typer.Option("--earlier", help="A file with older bars, for training only.")]
Experiments = Annotated[
    list[str],
    typer.Option(
        "--experiment",
        metavar="ID:CATEGORY:KEY=VALUE",
        help="Run everything once more with something changed; further changes after semicolons. Repeatable.",
    ),
]


def named(overrides: list[str], name: str | None) -> list[str]:
    """Return the settings to change, with the name that ``--as`` gives."""
    if name is None:
        return overrides
    from golden_core.preparation.catalogue import study_names

    if name in study_names():
        raise typer.BadParameter(f"--as {name} would take the place of a study of the project: give another name")
    return [*overrides, f"name={name}"]


def opened(study: str, overrides: list[str], name: str | None = None) -> tuple[Study, Home]:
    """Return a study with settings changed, and the home."""
    from golden_core.preparation.catalogue import load_variant
    from golden_core.store.lake import Home

    return load_variant(study, named(overrides, name)), Home.from_environment()


@contextmanager
def finished(study: str, overrides: list[str], name: str | None = None) -> Iterator[tuple[Study, Home]]:
    """Yield a study that was run, and the home; where it was not, add to what is said the command that runs just it."""
    from golden_core.preparation.catalogue import run_command
    from golden_core.trials.identity import UnreadyError
    from golden_core.trials.stored import IncompleteError

    overrides = named(overrides, name)
    try:
        yield opened(study, overrides)
    except (IncompleteError, UnreadyError) as error:
        raise IncompleteError(f"{error}; run: {run_command(study, overrides)}") from None


def terminal() -> Console:
    """Return a console that prints text as it is: a list in a setting is no markup, and no number has a colour.

    Where no terminal tells its width, tables get room instead of 80 columns.
    """
    from rich.console import Console

    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(width=200, markup=False, highlight=False)


def coloured(word: str, style: str, rest: str = "") -> Text:
    """Return a word in a colour, and text after it as it is."""
    from rich.text import Text

    return Text.assemble((word, style), rest)


def caveats(study: Study, home: Home) -> list[Text]:
    """Return why the numbers of a study are no last word, a line each; IncompleteError where there are none."""
    from golden_core.preparation.catalogue import command_of
    from golden_core.trials.stored import evaluated_by_this_code, shown_completeness

    present, expected = shown_completeness(home, study)
    again = f": evaluated by other code than this; {command_of(home, study.name)} evaluates again"
    found = {
        ("smoke study", ": it exercises the plumbing, and its numbers carry no claim"): study.is_smoke,
        ("incomplete", f": {present} of {expected} trials"): present < expected,
        ("stale", again): not evaluated_by_this_code(home, study),
    }
    return [coloured(word, "red", rest) for (word, rest), holds in found.items() if holds]


def table(
    columns: Iterable[str], rows: Iterable[Iterable[object]], *, title: str | None = None, caption: str | None = None
) -> Table:
    """Return a table for the terminal; cells are printed as they are, ``Text`` in its colour."""
    from rich.table import Table
    from rich.text import Text

    above = Text(title, "table.title", no_wrap=True, overflow="ignore") if title else None
    found = Table(*columns, title=above, caption=caption, title_justify="left", caption_justify="left")
    for row in rows:
        found.add_row(*(cell if isinstance(cell, Text) else str(cell) for cell in row))
    for column in found.columns:
        column.overflow = "fold"  # into a further line: an ellipsis would hide digits
    return found


def exhibited(
    exhibit: Exhibit,
    console: Console,
    *,
    without: tuple[str, ...],
    spare: tuple[str, ...],
    title: str,
    caption: str = "",
) -> Table:
    """Return a table of the report for a terminal: the same headings, digits and dashes, and none of them cut off.

    Columns named in ``without`` are the page's alone; those in ``spare`` go where the terminal is narrower than all.
    """

    def drawn(left_out: tuple[str, ...], caption: str) -> Table:
        kept = [place for place, column in enumerate(exhibit.columns) if column.label not in left_out]
        rows = ([cells[place].text for place in kept] for _, cells in exhibit.rows)
        headings = (fill(exhibit.columns[place].heading, 12) for place in kept)
        found = table(headings, rows, title=title, caption=caption or None)
        for column, place in zip(found.columns, kept, strict=True):
            number = exhibit.columns[place].kind == "number"
            column.justify, column.no_wrap, column.vertical = "right" if number else "left", not number, "bottom"
        return found

    whole = drawn(without, caption)
    if console.measure(whole, options=console.options.update(max_width=1000)).maximum <= console.width:
        return whole
    narrow = drawn((*without, *spare), f"{caption} A wider terminal also shows: {', '.join(spare)}.".lstrip())
    narrow.box, narrow.padding = None, (0, 2, 0, 0)
    return narrow


@contextmanager
def teaching() -> Iterator[None]:
    """Turn an expected fault into its message and exit status 2, and Ctrl-C and SIGTERM into theirs and 130 or 143.

    Anything else keeps its traceback.
    """
    try:
        with interruptible():  # from the first second on, while what a command needs is still being imported
            yield
    except Interrupted as interruption:  # before what it is one of
        typer.echo(f"interrupted by {interruption}; give the same command again: what is finished is kept", err=True)
        raise typer.Exit(interruption.exit_status) from None
    except Exception as error:
        ours = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("golden_core.")}
        if ours & TEACHING:
            said = str(error)
        elif isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            said = _about(error)
        elif isinstance(error, subprocess.TimeoutExpired):
            asked = shorten(" ".join(map(str, error.cmd)), 100)
            said = f"{asked} takes longer than it may; give the same command again when this machine is less busy"
        elif isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):  # so pathlib says it
            said = f"{error}; {REMEDY}"
        else:
            raise  # where whoever read along has gone, the framework ends quietly
        typer.echo(said, err=True)
        raise typer.Exit(USAGE) from None


def _about(error: OSError) -> str:
    """Return one line about a file or disk that does not do what is asked."""
    if error.filename is None or error.strerror is None:
        return str(error)
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    fix = "make room, or name another place" if full else REMEDY
    # A file that is written whole gets its name last: the name asked for is then the second one.
    return f"{error.filename2 or error.filename}: {error.strerror}; {fix}"
