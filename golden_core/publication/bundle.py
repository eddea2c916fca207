"""The archive of a study: a BagIt bag whose payload is an RO-Crate, written whole or not at all."""

from __future__ import annotations

import datetime
import json
import mimetypes
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from string import Template

import polars as pl

from golden_core.publication.cards import cards
from golden_core.publication.checklist import checklist_page
from golden_core.publication.declared import PublicationError, publish_library, words_path
from golden_core.publication.dependencies import bill_of_materials, components, licences
from golden_core.publication.integrity import ALGORITHM, RESULTS, TAG_MANIFEST, tag_lines
from golden_core.publication.tables import PUBLIC, described, published_tables, verdicts
from golden_core.reporting.pages import report_differences
from golden_core.store.lake import Home, hash_file, new_folder, read_table, stored_json, write_json, write_text
from golden_core.store.provenance import git_environment, git_state
from golden_core.store.schema import WAREHOUSE_TABLES
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study, describe
from golden_core.trials import all_trials
from golden_core.trials.outputs import PROVENANCE, finished_trials
from golden_core.trials.stored import IncompleteError

READ = ("summary", "comparisons", "claims", "coverage", "scores", "economics")  # tables that people open
COPIED = ("CITATION.cff", "LICENSE", "CHANGELOG.md", "constraints.txt")

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
TAG = "v1.0-golden"
_MILESTONES = re.compile(r"\((P\d\.M\d(?:, P\d\.M\d)*)\)\s*$")
_WAITING = (
    f"The tag `{TAG}` is set by people: once every criterion of `golden milestones status` is signed, this section of "
    f"the changelog gets its day, and `git tag --sign {TAG} COMMIT` names the commit that `metadata.json` of P6.M3 "
    f"records."
)


def write_bundle(home: Home, study: Study, root: Path, to: Path, now: datetime.datetime) -> None:
    """Write the archive of a study that has been run into a new folder, whole or not at all.

    ``root`` is the checkout whose documents and source are archived. PublicationError if the folder exists or is in the
    report, the report is not of these tables, or this is an installed package without a checkout; IncompleteError if
    the study has no report, or the warehouse does not hold the whole study.
    """
    bagit = publish_library("bagit")
    if to.exists():
        raise PublicationError(f"{to} exists already: an archive is written into a new folder")
    if absent := [name for name in (*COPIED, "pyproject.toml") if not (root / name).is_file()]:
        raise PublicationError(f"{root} lacks {', '.join(absent)}: archive from a checkout of the project")
    if not (report := home.report(study.name)).is_dir():
        raise IncompleteError(f"{report}, the report of study {study.name!r}, does not exist")
    if report.resolve() in to.resolve().parents:
        raise PublicationError(f"{to} is in the report that it would hold: name a folder elsewhere")
    texts = {**cards(home, study), **documents(root, study, git_state(root)["commit"])}
    if wrong := report_differences(Warehouse(home.warehouse), study, report)[0]:
        raise PublicationError("; ".join(wrong))
    with new_folder(to, same=False) as folder:
        folder.chmod(0o755)
        for name, text in texts.items():
            write_text(text, folder / name)
        for name in COPIED:
            shutil.copyfile(root / name, folder / name)
        shutil.copytree(report, folder / "report")
        write_results(home, study, folder)
        _archive_source(root, folder / "source.tar")
        _write_crate(folder, study, version := project_version(root), now)
        said = {
            "Bagging-Date": now.date().isoformat(),
            "External-Description": f"Archive of study {study.name} of golden {version}: {study.description}",
            "Internal-Sender-Identifier": study.hash(),
        }
        bagit.make_bag(str(folder), said, checksums=[ALGORITHM])
        (folder / TAG_MANIFEST).write_bytes(b"".join(tag_lines(folder)))  # bagit's is in the order of the file system


def documents(root: Path, study: Study, commit: str | None) -> dict[str, str]:
    """Return what an archive says beside its numbers: file name → text; without a commit, where one is to be put."""
    found = components()
    known = {"study": study.name, "commit": commit or "COMMIT", "revision": f"swh:1:rev:{commit or 'COMMIT'}"}

    def words(name: str) -> str:
        return Template(words_path(name).read_text(encoding="utf-8")).substitute(known)

    return {
        "README.md": words("archive.md"),
        "persistent_identifiers.md": words("persistent_identifiers.md"),
        "external_review.md": words("external_review.md"),
        "post_mortem.md": words("post_mortem.md"),
        "reproducibility_checklist.md": checklist_page(),
        "release_notes.md": release_notes(root),
        "licences.csv": licences(found).write_csv(),
        "sbom.cdx.json": bill_of_materials(found),
    }


def project_version(root: Path) -> str:
    """Return the version that pyproject.toml gives."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def release_notes(root: Path) -> str:
    """Return the newest section of CHANGELOG.md by milestone, and what a person still does, as Markdown.

    PublicationError if the changelog has no section, or one without an entry.
    """
    path = root / "CHANGELOG.md"
    sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    if not sections:
        raise PublicationError(f"{path} has no section (## …): release notes are made from the newest")
    title, _, body = sections[0].partition("\n")
    entries = [" ".join(text.split()) for text in re.split(r"^- ", body, flags=re.MULTILINE)[1:]]
    if not entries:
        raise PublicationError(f"{path}: section {title.strip()!r} has no entry (- …)")
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        found = _MILESTONES.search(entry)
        grouped.setdefault(found[1].split(", ")[0] if found else "Everything else", []).append(entry)
    parts = [f"# Release notes: {title.strip()}", f"Version {project_version(root)} of `pyproject.toml`.", _WAITING]
    for group in sorted(grouped):
        parts += [f"## {group}", "\n".join(f"- {entry}" for entry in grouped[group])]
    return "\n\n".join(parts) + "\n"


def write_results(home: Home, study: Study, folder: Path) -> None:
    """Write tables, study, manifests and public inputs into a folder, and results.json, which hashes the tables."""
    warehouse, stored = Warehouse(home.warehouse), home.study(study.name)
    tables = {**published_tables(warehouse, study), "verdicts": verdicts(warehouse, study)}
    (folder / "tables").mkdir(parents=True)
    for name, frame in tables.items():
        frame.write_parquet(folder / "tables" / f"{name}.parquet", compression="zstd")
        if name in (*READ, "verdicts"):
            frame.write_csv(folder / "tables" / f"{name}.csv")
    write_text(describe(study), folder / "studies" / f"{study.name}.yaml")
    for trial, source in finished_trials(home, study, all_trials(study)).items():
        name = f"{trial.forecaster}/{source.parent.name}_{trial.seed}.json"
        _copy(source / PROVENANCE, folder / "manifests" / "trials" / name)
    _copy(stored.source, folder / "manifests" / "source.json")
    if study.data.source in PUBLIC:
        read_table(stored.raw)  # a damaged one is not handed on
        _copy(stored.raw, folder / "inputs" / "raw.parquet")
    facts = {"study": study.name, "study_hash": study.hash(), "source": stored_json(stored.source)}
    write_json({**facts, "git": git_state(), "tables": described(tables)}, folder / RESULTS)


def _archive_source(root: Path, path: Path) -> None:
    """Write the last commit; where there is no git, the archive has no source, and results.json names no commit."""
    if not git_state(root)["commit"]:
        return
    command = ["git", "-C", str(root), "archive", "--format=tar", f"--output={path}", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=git_environment())
    if done.returncode:
        raise PublicationError(f"the source cannot be archived: {done.stderr.strip()}")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def manifest(folder: Path) -> pl.DataFrame:
    """Return ``path, bytes, sha256`` of every file under a folder, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [(path.relative_to(folder).as_posix(), path.stat().st_size, hash_file(path)) for path in files]
    return pl.DataFrame(rows, schema=["path", "bytes", "sha256"], orient="row")


def _write_crate(folder: Path, study: Study, version: str, now: datetime.datetime) -> None:
    """Describe every file of a folder as an RO-Crate, in order of their names.

    References
    ----------
    Soiland-Reyes et al. (2022), Packaging research artefacts with RO-Crate, Data Science 5(2).
    """
    crate = publish_library("rocrate.rocrate").ROCrate()
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
