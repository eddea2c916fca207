"""What `golden data import` takes and shows. How a file is read does not belong here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.table import Table

from golden_core.bars.importing import Imported
from golden_core.sources.files import Columns
from golden_core.study.values import Pair
from golden_core.vendors.base import VendorError


def named_pair(text: str) -> str:
    """Return a pair as typed, in capitals.

    Raises
    ------
    VendorError
        If it is none.
    """
    pair = text.upper().replace("/", "").replace("_", "")
    try:
        return TypeAdapter(Pair).validate_python(pair)
    except ValidationError:
        raise VendorError(
            f"--pair must be two different currencies, base then quote, such as EURUSD, got {text!r}"
        ) from None


def declared_columns(entries: Sequence[str]) -> dict[str, str | None]:
    """Return what ``--column`` declares: our name → the file's.

    Raises
    ------
    VendorError
        If an entry is not of the form ours=theirs, or names no column of ours.
    """
    declared: dict[str, str | None] = {}
    for entry in entries:
        ours, mark, theirs = entry.partition("=")
        if not mark or not theirs or ours not in Columns.model_fields:
            raise VendorError(
                f"--column must look like close=NAME, with one of {', '.join(Columns.model_fields)}, got {entry!r}"
            )
        declared[ours] = theirs
    return declared


def import_view(imported: Imported, home: Path) -> Table:
    """Return what was decided about a file, and why."""
    record, reading = imported.record, imported.reading
    found = f"{record['rows']:,} bars of {record['bar']}, {record['first']} to {record['last']}"
    scale = "as written" if record["divisor"] == 1 else f"divided by {record['divisor']}"
    rows = {
        "format": f"{record['format']}: {record['because']}",
        "clock": f"{record['zone']} ({reading.evidence.verdict}): {reading.evidence.summary}",
        "bars": found,
        "prices": f"{record['side'] or 'side unknown'}, {scale}",
        "noticed": "\n".join(f"• {note}" for note in reading.notes) or "nothing",
        "sha256": record["sha256"],
        "licence": "none is stated: note what you agreed with the vendor in the account",
        "written": str(imported.path.relative_to(home)),
        "account": str(imported.sidecar.relative_to(home)),
    }
    title = escape(f"{record['pair']} from {record['original']}")
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("decided", overflow="fold")
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table
