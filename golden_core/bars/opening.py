"""A file on its way to the doctor: read as an import reads it, with everything that was decided. Nothing is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from golden_core.bars.doctor import Patient
from golden_core.bars.importing import hash_source
from golden_core.bars.reading import read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.detect import AUTO
from golden_core.vendors.names import pairs_in_name


def open_file(
    path: Path,
    *,
    pair: str | None = None,
    zone: str | None = None,
    format: str = AUTO,
    columns: Mapping[str, str | None] | None = None,
) -> Patient:
    """Read a file of any known format; the pair is by default what its name, or a folder above it, mentions."""
    if not path.exists():
        raise VendorError(f"there is no file {path}")
    mentions = (pairs_in_name(place) for place in (path, *path.absolute().parents))
    named = next((found for found in mentions if found), set())
    if pair is None and len(named) != 1:
        raise VendorError(f"{path}: its name mentions {', '.join(sorted(named)) or 'no pair'}; declare it with --pair")
    reading = read_bars(path, pair or named.pop(), format=format, zone=zone, columns=columns)
    return Patient(
        bars=reading.bars,
        bar=reading.bar,
        zone=reading.zone,
        evidence=reading.evidence.summary,
        source={
            "file": path.name,
            "sha256": hash_source(path),
            "rows": f"{reading.bars.height:,}",
            "format": f"{reading.claim.format}: {reading.claim.because}",
            "bar": reading.bar,
            "side": reading.side or "not stated",
            "licence": "",
        },
        notes=reading.notes,
    )
