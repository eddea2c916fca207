"""An explanation made again from its checkpoint, and compared byte by byte with the one in the lake."""

from __future__ import annotations

import tempfile
from pathlib import Path

from golden_core.interpretability.explain import explain_trial
from golden_core.interpretability.filing import identities, place
from golden_core.store.lake import Home, differing_files
from golden_core.study import Study


def explained_otherwise(home: Home, study: Study) -> tuple[list[str], int]:
    """Explain the network with the smallest checkpoint again; return files that differ, and how many were compared."""
    found = {
        trial: (folder, place(home, study, trial, identity))
        for trial, (folder, identity) in identities(home, study).items()
    }
    done = {trial: paths for trial, paths in found.items() if paths[1].is_dir()}
    if not done:
        return [], 0
    trial = min(done, key=lambda one: (done[one][0] / "weights.safetensors").stat().st_size)
    folder, before = done[trial]
    with tempfile.TemporaryDirectory(prefix="golden-explain-") as scratch:
        again = Path(scratch) / "again"
        explain_trial(home, study, trial, folder, again)
        names = sorted({path.name for path in (*before.iterdir(), *again.iterdir())})
        other = differing_files(before, again, names)
    return [f"{trial}: {name} is not the same bytes again" for name in other], len(names)
