"""Which format a file has, and why. Reading it, and believing its clock or its scale, do not belong here."""

from __future__ import annotations

from pathlib import Path

from golden_core.vendors import GENERAL, READERS, reader
from golden_core.vendors.base import Claim, Reader, VendorError
from golden_core.vendors.paired import pairs_in
from golden_core.vendors.plain import parquet_names
from golden_core.vendors.plain_json import first_records, holds_objects
from golden_core.vendors.suggestions import declaration, hints
from golden_core.vendors.text import HEAD_BYTES, clean_bytes, read_head, refuse_packed

AUTO = "auto"


def detect(path: Path, pair: str, format: str = AUTO) -> tuple[Reader, Claim, tuple[str, ...]]:
    """Return the reader of a file, its reason, and what else was noticed.

    Vendors' formats come first; plain tables are asked only where none claims the file. ``format`` is ``auto`` or a
    reader's name, perhaps with a choice. Refused: another pair in the file's name, no claim, several claims.
    """
    if not path.exists():
        raise VendorError(f"there is no file {path}")
    _require_pair(path, pair)
    name, _, choice = format.partition(":")
    if name != AUTO:
        return _declared(path, format)
    claims = _claims(path, [name for name in READERS if name not in GENERAL]) or _claims(path, GENERAL)
    if len(claims) == 1:
        found, claim = claims[0]
        return reader(f"{claim.format}:{choice}") if choice else found, claim, ()
    if claims:
        readings = "; or ".join(f"{claim.format}, because {claim.because}" for _, claim in claims)
        raise VendorError(f"{path} can be read in {len(claims)} ways: {readings}. Declare one of them as the format")
    raise _unknown(path)


def _claims(path: Path, names: list[str] | tuple[str, ...]) -> list[tuple[Reader, Claim]]:
    asked = [reader(name) for name in names]
    return [(found, claim) for found in asked if (claim := found.sniff(path))]


def _declared(path: Path, format: str) -> tuple[Reader, Claim, tuple[str, ...]]:
    found = reader(format)
    claim = found.sniff(path)
    notes = () if claim else (f"the file was declared to be {format}; its beginning does not look like it",)
    return found, Claim(found.name, "the format was declared"), notes


def _require_pair(path: Path, pair: str) -> None:
    named = set(pairs_in(path.name))
    if len(named) == 1 and pair not in named:
        raise VendorError(
            f"{path}: the name of the file says {next(iter(named))}, but {pair} is asked for; give the right pair, or "
            "rename the file"
        )


def _unknown(path: Path) -> VendorError:
    if path.is_dir():
        return VendorError(f"{path} is a folder, and holds no files of a format that comes in folders; name a file")
    refuse_packed(path)
    columns = parquet_names(path)
    kind = "plain_json" if holds_objects(path) else "plain_csv" if columns is None else "plain_parquet"
    if columns is None:
        clean_bytes(path)
    text = read_head(path)
    blank = f"it is blank, or its first line longer than {HEAD_BYTES} bytes"
    what = f"it begins with {text.lines[0][:100]!r}" if text else blank
    what = what if columns is None else f"it is Parquet with the columns {', '.join(map(repr, columns))}"
    head = first_records(path) if kind == "plain_json" else text
    if kind == "plain_csv" and head and len(head.lines) == len(head.header) == 1:
        return VendorError(
            f"{path}: it holds nothing but {head.lines[0][:100]!r}, which is no table; fetch the file again"
        )
    told = declaration(head) if columns is None else "--column open=NAME …"
    return VendorError(
        f"{path}: no reader knows this format: {what}. Known are {', '.join(READERS)}; a table with other columns can "
        f"be declared: --format {kind} {told} (in a study: format columns), with nothing but remarks above its header"
        f"{hints(head) if kind == 'plain_csv' else ''}"
    )
