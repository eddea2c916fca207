"""What a study has written and no longer asks for: trials under fingerprints of yesterday's settings, data or code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from golden_core.store.lake import FINGERPRINT, Home, temporary_prefix
from golden_core.study import Study
from golden_core.trials.identity import UnreadyError, all_trials, trial_status


@dataclass(frozen=True)
class Superseded:
    """A finished or failed trial that the study would not find again."""

    path: Path
    forecaster: str
    series: str
    size: int  # bytes


def superseded_trials(home: Home, study: Study) -> list[Superseded]:
    """Return the folders of trials, and the records of failures, whose fingerprint the study does not have now.

    Raises
    ------
    UnreadyError
        If bars or folds are missing: without them nobody can tell which fingerprints are current.
    """
    status, root = trial_status(home, study, all_trials(study)), home.study(study.name).root
    found = [*root.glob(f"trials/*/*/{FINGERPRINT}"), *root.glob(f"failures/*/*/{FINGERPRINT}.json")]
    if (status["fingerprint"] == "").any() and (found or not root.is_dir()):  # of universes alone there is no trial
        raise UnreadyError(f"study {study.name!r} lacks bars or folds, so that no trial can be told from an old one")
    current = {print_[:16] for print_ in status["fingerprint"]}
    old = sorted(path for path in found if path.stem not in current)
    return [Superseded(path, path.parts[-3], path.parts[-2], _size(path)) for path in old]


def delete(found: Superseded) -> None:
    """Delete one of them; a folder disappears from its place first, so that no half of it is ever taken for a trial."""
    if found.path.is_file():
        found.path.unlink()
        return
    going = found.path.with_name(f"{temporary_prefix(found.path)}going.tmp")
    found.path.rename(going)
    shutil.rmtree(going)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
