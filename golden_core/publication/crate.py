"""The RO-Crate of an archive: one JSON-LD file that says what every other file is. Nothing is copied here."""

from __future__ import annotations

import datetime
import json
import mimetypes
from pathlib import Path

from golden_core.publication.declared import PublicationError
from golden_core.store.lake import stored_json, write_text
from golden_core.store.schema import WAREHOUSE_TABLES
from golden_core.study import Study

METADATA = "ro-crate-metadata.json"
FORMATS = {".parquet": "application/vnd.apache.parquet", ".yaml": "application/yaml", ".cff": "application/yaml"}
ROOT = {
    "MODEL_CARD.md": "what the models are, what they are for, and how they did",
    "DATA_CARD.md": "where the data come from, what cleaning did, and how they were split",
    "results.json": "rows and hash of every table, and the study's identity",
    "sbom.cdx.json": "bill of materials (CycloneDX)",
    "licences.csv": "licence of every distribution that the project needs",
    "source.tar": "the code at the archived commit",
    "constraints.txt": "version of every library",
}


def write_crate(folder: Path, study: Study, version: str, now: datetime.datetime) -> None:
    """Describe every file of a folder as an RO-Crate, in order of their names.

    References
    ----------
    Soiland-Reyes et al. (2022), Packaging research artefacts with RO-Crate, Data Science 5(2).
    """
    try:
        from rocrate.rocrate import ROCrate  # noqa: PLC0415  of the extra `publish`
    except ImportError:
        raise PublicationError("archives need the extra `publish`: pip install 'golden[publish]'") from None
    crate = ROCrate()
    crate.name = f"Archive of study {study.name}"
    crate.description = study.description
    crate.license = "https://spdx.org/licenses/MIT"
    crate.datePublished = now
    crate.root_dataset["version"] = version
    crate.root_dataset["identifier"] = study.hash()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        crate.add_file(path, path.relative_to(folder).as_posix(), properties=_properties(path, folder))
    content = crate.metadata.generate()
    write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", folder / METADATA)


def _properties(path: Path, folder: Path) -> dict[str, str]:
    format_ = FORMATS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    name = path.relative_to(folder).as_posix()
    known = {
        f"tables/{table.name}{end}": table.description for table in WAREHOUSE_TABLES for end in (".parquet", ".csv")
    }
    said = ROOT.get(name) or known.get(name)
    size = {"contentSize": str(path.stat().st_size), "encodingFormat": format_}
    if name.startswith("inputs/"):  # not the project's to license
        size["license"] = stored_json(folder / "manifests" / "source.json").get("licence", "see DATA_CARD.md")
    return {**size, "description": said} if said else size
