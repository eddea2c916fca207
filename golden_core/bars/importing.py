"""`golden data import`: a vendor's file becomes Parquet in UTC, with an account. Bars keep their faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.bars.fixings import require_fixings
from golden_core.bars.reading import Reading, read_bars
from golden_core.store.lake import confined, hash_bytes, hash_file, write_json, write_parquet
from golden_core.study.sections import canonical_json
from golden_core.vendors.base import VendorError
from golden_core.vendors.detect import AUTO

FOLDER = ("sources", "imports")


@dataclass(frozen=True, eq=False)
class Imported:
    """Where the bars lie, with their account beside them (``.json``), and what was decided."""

    path: Path
    record: Mapping[str, Any]
    reading: Reading


def import_file(
    home: Path,
    path: Path,
    pair: str,
    *,
    format: str = AUTO,
    zone: str | None = None,
    bar: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    rates: pl.DataFrame | None = None,
) -> Imported:
    """Read a file, and write its bars (``schema.BARS``, UTC) and their account under the home; errors write nothing.

    ``rates`` (``schema.RATES``) are the ECB's, to hold the closes against.

    The same file under the same declarations takes the place of the former import, another declaration gets own files.
    """
    reading, sha256 = read_hashed(path, pair, format=format, zone=zone, bar=bar, columns=columns)
    if rates is not None:
        said = require_fixings(reading.bars, pair, rates, path)
        reading = replace(reading, notes=(*reading.notes, *said))
    declared = {"format": format, "zone": zone, "bar": bar, "columns": dict(columns or {})}
    record = {**_record(reading, path, pair, declared), "sha256": sha256}
    identity = hash_bytes(canonical_json({"pair": pair, "sha256": record["sha256"], "declared": declared}).encode())
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem).strip("_")[:80] or "file"
    target = confined(home, *FOLDER, pair, f"{stem}_{identity[:16]}.parquet")
    # The account first: bars without one never exist.
    write_json(record, target.with_suffix(".json"))
    write_parquet(reading.bars, target)
    return Imported(target, record, reading)


def read_hashed(path: Path, pair: str, **how: Any) -> tuple[Reading, str]:
    """Return the bars of a file, as :func:`read_bars`, and the hash of what they were read from.

    Raises
    ------
    VendorError
        Also if the file changes meanwhile.
    """
    before, reading = hash_source(path), read_bars(path, pair, **how)
    if hash_source(path) != before:
        raise VendorError(f"{path}: changed while it was read; give the command again once it is written")
    return reading, before


def hash_source(path: Path) -> str:
    """Return the SHA-256 of a file, or of the relative paths and hashes of all files of a folder."""
    if path.is_file():
        return hash_file(path)
    files = sorted(inner for inner in path.rglob("*") if inner.is_file())
    listed = "".join(f"{inner.relative_to(path)}\0{hash_file(inner)}\n" for inner in files)
    return hash_bytes(listed.encode(errors="surrogateescape"))  # a name need not be text


def _record(reading: Reading, path: Path, pair: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    bars, evidence = reading.bars, reading.evidence
    return {
        "pair": pair,
        "original": path.name.encode(errors="replace").decode(),  # a name need not be text
        "declared": dict(declared),
        "format": reading.claim.format,
        "because": reading.claim.because,
        "zone": reading.zone,
        "zone_evidence": {
            "verdict": evidence.verdict,
            "summary": evidence.summary,
            "weekends": evidence.weekends,
            "agreeing": evidence.agreeing,
            "segments": [str(segment) for segment in evidence.segments],
        },
        "bar": reading.bar,
        "side": reading.side,
        "divisor": reading.divisor,
        "rows": bars.height,
        "left_out": [{**row, "timestamp": str(row["timestamp"])} for row in reading.left_out.to_dicts()],
        "first": str(bars["timestamp"].min()),
        "last": str(bars["timestamp"].max()),
        "notes": list(reading.notes),
        "licence": None,
    }
