"""Finished trials on their way to another machine: one file out, one file in, every byte held against its hash.

A trial's folder is named by the hash of all that it depends on, so that one made elsewhere is found by a study here
exactly where the study would have trained the same thing; any other is never looked at.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_core.store.health import openable
from golden_core.store.lake import (
    Home,
    confined,
    hash_bytes,
    new_folder,
    refuse_newer,
    replacing,
    series_name,
    stored_json,
)
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.identity import all_trials
from golden_core.trials.outputs import ALSO, OUTPUTS, PROVENANCE, altered_files, finished_trials, said_of_itself, told
from golden_core.trials.stored import IncompleteError

LAYOUT = 1
MANIFEST = "manifest.json"
_FILES = frozenset({*OUTPUTS, ALSO, PROVENANCE})
_ENCRYPTED = 1  # a bit of an entry's flags
_DAMAGED = (OSError, NotImplementedError, zipfile.BadZipFile)  # what the library says of bytes that make no sense to it
_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say: the same trials give the same bytes


class TransferError(RuntimeError):
    """An archive of trials cannot be written, or is not what was exported; the message says which and what to do."""


@dataclass(frozen=True)
class Taken:
    """How many trials an archive brought, how many of them were there already, and of these with other results."""

    new: int
    present: int
    other: int = 0


def export_trials(home: Home, study: Study, path: Path) -> int:
    """Write the finished trials that a study asks for now to one zip file; return their number.

    Raises
    ------
    IncompleteError
        If none has finished.
    TransferError
        If a file of one is not as it was written: damage is not carried on.
    """
    folders = sorted(finished_trials(home, study, all_trials(study)).values())
    if not folders:
        raise IncompleteError(f"study {study.name!r} has no finished trial in {home.root}")
    for folder in folders:
        if altered := altered_files(folder):
            raise TransferError(f"{folder}: {told(altered, folder)}")
    root = home.study(study.name).root / "trials"
    hashes: dict[str, str] = {}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for file in (file for folder in folders for file in sorted(folder.iterdir()) if file.name in _FILES):
            name, content = file.relative_to(root).as_posix(), file.read_bytes()
            hashes[name] = hash_bytes(content)
            archive.writestr(zipfile.ZipInfo(name, _MADE), content)
        said = {"layout": LAYOUT, "study": study.name, "sha256": hashes}
        archive.writestr(zipfile.ZipInfo(MANIFEST, _MADE), json.dumps(said, indent=1))
    return len(folders)


def import_trials(home: Home, study: Study, path: Path) -> Taken:
    """Add the trials of an archive to a home; nothing is added before every byte has been held against its hash.

    Hashes tell damage, not malice: import from people whose results you would believe.

    Raises
    ------
    TransferError
        If the file is no such archive, is of another study, or is damaged; names the entry. Nothing is added then.
    """
    try:
        archive = zipfile.ZipFile(openable(path))
    except _DAMAGED as error:
        raise TransferError(f"{path} is no archive of `golden lake export`: {error}") from None
    with archive:
        try:
            trials = _verified(archive, study, path)
        except _DAMAGED as error:
            raise TransferError(f"{path} is damaged ({error}); export it again") from None
        return _added(home, study, archive, trials)


def _verified(archive: zipfile.ZipFile, study: Study, path: Path) -> dict[tuple[str, str, str], list[str]]:
    """Return the entries of every trial, of an archive whose contents are as its manifest says."""
    for entry in archive.infolist():
        # What is stored as it is cannot swell when it is read.
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED:
            raise TransferError(
                f"{path}: {entry.filename} is compressed or locked, which no export is; export it again"
            )
    said = _manifest(archive, path)
    refuse_newer(said["layout"], path)
    if said["study"] != study.name:
        raise TransferError(f"{path} holds trials of study {said['study']!r}, not of {study.name!r}: name that one")
    hashes, found = said["sha256"], [entry for entry in archive.infolist() if entry.filename != MANIFEST]
    if {entry.filename for entry in found} != hashes.keys() or len(found) != len(hashes):
        raise TransferError(f"{path}: its entries are not those that its {MANIFEST} lists; export it again")
    trials: dict[tuple[str, str, str], list[str]] = {}
    for entry in found:
        place, name = _place(entry.filename, path)
        if hash_bytes(archive.read(entry)) != hashes[entry.filename]:
            raise TransferError(f"{path}: {entry.filename} is not what was exported; export it again")
        trials.setdefault(place, []).append(name)
    for place, names in trials.items():
        _verify_provenance(archive, place, names, hashes, path)
    return trials


def _verify_provenance(
    archive: zipfile.ZipFile, place: tuple[str, str, str], names: list[str], hashes: dict[str, str], path: Path
) -> None:
    """Hold a trial against what it says of itself: who changes a result and the manifest, or moves one, is seen."""
    name = "/".join(place)
    try:
        said = said_of_itself(archive.read(f"{name}/{PROVENANCE}"))
        written, trial = said["sha256"], said["trial"]
        wrong = [file for file in dict.fromkeys((*OUTPUTS, *written)) if hashes.get(f"{name}/{file}") != written[file]]
        wrong += [file for file in names if file not in (PROVENANCE, *written)]
        depends_on = hash_bytes(canonical_json(said["depends_on"]).encode())
        here = (trial["forecaster"], series_name(trial["pair"], trial["horizon"]), depends_on[:16])
    except (KeyError, TypeError, ValueError, RecursionError):
        wrong, here = [PROVENANCE], place
    if wrong:
        raise TransferError(f"{path}: {name}: {', '.join(wrong)} is not what the trial wrote; export it again")
    if here != place:
        raise TransferError(f"{path}: {name} is the trial {'/'.join(here)} under another name; export it again")


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        said = json.loads(archive.read(MANIFEST))
        if isinstance(said["layout"], int) and isinstance(said["study"], str) and isinstance(said["sha256"], dict):
            return dict(said)
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise TransferError(f"{path} is no archive of `golden lake export`: it has no {MANIFEST} of one")


def _place(entry: str, path: Path) -> tuple[tuple[str, str, str], str]:
    """Return forecaster, series and fingerprint of an entry, and the file's name; refuse every other kind of name."""
    try:
        forecaster, series, print_, name = entry.split("/")
        confined(Path(), forecaster, series, print_, name)
        if name in _FILES and len(print_) == 16:
            return (forecaster, series, print_), name
    except ValueError:
        pass
    raise TransferError(f"{path}: {entry!r} is no file of a trial; nothing was imported")


def _added(home: Home, study: Study, archive: zipfile.ZipFile, trials: dict[tuple[str, str, str], list[str]]) -> Taken:
    home.stamp()
    folders = {place: home.study(study.name).trial(*place) for place in trials}
    missing = [place for place, folder in folders.items() if not folder.exists()]
    for place in missing:
        with new_folder(folders[place]) as temporary:
            for name in trials[place]:
                (temporary / name).write_bytes(archive.read("/".join((*place, name))))
    present = trials.keys() - set(missing)
    brought = {place: json.loads(archive.read("/".join((*place, PROVENANCE))))["sha256"] for place in present}
    other = [place for place in present if stored_json(folders[place] / PROVENANCE).get("sha256") != brought[place]]
    return Taken(len(missing), len(present), len(other))
