"""Whether an archive is as it was archived: every file by its hash, every table by its own, and nothing besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field, ValidationError

from golden_core.publication.declared import PublicationError, publish_library, told
from golden_core.publication.tables import described
from golden_core.reporting.formats import visible
from golden_core.store.lake import hash_file
from golden_core.study import NAME, Section

if TYPE_CHECKING:
    import bagit

ALGORITHM = "sha256"
RESULTS = "results.json"
TAGS = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")  # what lies beside the payload, and the file that hashes it
TAG_MANIFEST = "tagmanifest-sha256.txt"


class TableRecord(Section):
    """What results.json says of a table."""

    rows: int
    sha256: str


class Results(Section):
    """The content of results.json; who made the archive may be anybody."""

    study: str = Field(pattern=f"^{NAME}$")  # it names the file that is run again
    study_hash: str
    source: dict[str, Any]
    git: dict[str, str | bool | None]
    tables: dict[str, TableRecord]


def bundle_faults(folder: Path) -> list[str]:
    """Return a sentence for everything that is not as it was archived: files by name, then tables by their hash.

    PublicationError if the folder is no bag.
    """
    bag = opened(folder)
    faults = [visible(text, "") for text in _altered(bag, folder)]
    if not faults:
        try:
            bag.validate()
        except publish_library("bagit").BagError as error:
            faults = [str(error)]
        except ValueError:  # the library's, of a number that is none
            faults = ["bag-info.txt does not say the size of the payload (Payload-Oxum)"]
    try:
        recorded = results(folder)["tables"]
    except PublicationError as error:
        return faults or [str(error)]
    raw = folder / "data" / "inputs" / "raw.parquet"  # which a study that is run again is held against, as its verdicts
    faults += ["inputs/raw.parquet cannot be read"] * (raw.is_file() and _table(raw) is None)
    faults += [f"{RESULTS} names no table verdicts"] * ("verdicts" not in recorded)
    return [*faults, *_other_tables(folder / "data" / "tables", recorded)]


def archive_name(folder: Path) -> str:
    """Return the hash that depends on every file of an archive: who forges one and its manifests changes this."""
    return hash_file(folder / TAG_MANIFEST)


def opened(folder: Path) -> bagit.Bag:
    """Return a bag; PublicationError where there is none."""
    library = publish_library("bagit")
    for path in sorted(folder.rglob("*")):  # who opens a pipe waits for ever
        if path.exists() and not (path.is_file() or path.is_dir()):
            name = visible(path.relative_to(folder).as_posix(), "")
            raise PublicationError(f"{folder} is no archive: {name} is neither a file nor a folder")
    try:
        return library.Bag(str(folder))
    except (library.BagError, OSError, ValueError) as error:
        raise PublicationError(f"{folder} is no archive of `golden publish bundle`: {error}") from None


def results(folder: Path) -> dict[str, Any]:
    """Return results.json of an archive; PublicationError where it cannot be read."""
    path = folder / "data" / RESULTS
    try:
        return Results.model_validate_json(path.read_bytes()).model_dump()
    except (OSError, ValidationError) as error:
        said = told(error) if isinstance(error, ValidationError) else error.strerror
        raise PublicationError(visible(f"{path} cannot be read: {said}", "")) from None


def _altered(bag: bagit.Bag, folder: Path) -> Iterator[str]:
    yield from _other_tags(folder)
    payload = bag.payload_entries()
    for name, hashes in sorted(payload.items()):
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.is_symlink() or hash_file(path) != hashes.get(ALGORITHM):
            yield f"{name} is not as it was archived"
    for path in sorted(one for one in folder.rglob("*") if one.is_symlink() or not one.is_dir()):
        if (name := path.relative_to(folder).as_posix()) not in {*payload, *TAGS, TAG_MANIFEST}:
            yield f"{name} was not archived"


def _other_tags(folder: Path) -> Iterator[str]:
    """Hold the files beside the payload against the one that hashes them, which nothing hashes: it is all decided."""
    files = [folder / name for name in (*TAGS, TAG_MANIFEST)]
    if absent := [path.name for path in files if path.is_symlink() or not path.is_file()]:
        yield from (f"{name} is missing" for name in absent)
        return
    said = (folder / TAG_MANIFEST).read_bytes().splitlines(keepends=True)
    for name, line in zip(TAGS, tag_lines(folder), strict=True):
        if line not in said:
            yield f"{name} or {TAG_MANIFEST} is not as it was archived"
    if len(said) > len(TAGS):
        yield f"{TAG_MANIFEST} is not as it was archived: it has {len(said)} lines"


def tag_lines(folder: Path) -> list[bytes]:
    """Return the lines of the manifest of manifests, by name."""
    return [f"{hash_file(folder / name)} {name}\n".encode() for name in TAGS]


def _table(path: Path, schema: pl.Schema | None = None) -> pl.DataFrame | None:
    try:
        return pl.read_csv(path, schema=schema) if schema else pl.read_parquet(path, glob=False)
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None


def _other_tables(folder: Path, recorded: Mapping[str, Any]) -> Iterator[str]:
    """Hold every table against its own hash: who changes a table and the manifest has still changed a result."""
    for name, record in recorded.items():
        path = folder / f"{name}.parquet"
        csv = path.with_suffix(".csv")
        # Who made the archive may be anybody, and a name lead out of it.
        table = _table(path) if path.parent == folder else None
        shown = _table(csv, table.schema) if table is not None and csv.is_file() else table
        if table is None or shown is None:
            yield visible(f"table {name} cannot be read", "")
        elif described({name: table})[name] != record:
            yield f"table {name} holds other values than results.json says"
        elif not shown.equals(table):
            yield f"{csv.name} holds other values than {path.name}"
    for path in sorted(folder.glob("*")):
        if path.stem not in recorded:
            yield f"table {path.name} is not among those of results.json"
