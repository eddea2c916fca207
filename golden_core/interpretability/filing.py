"""Where explanations lie, what identifies them, and whether they are still those of the trials. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from golden_core.store.lake import Home, hash_bytes, hash_file, parse_series, read_json, read_table, stored_json
from golden_core.store.provenance import library_versions
from golden_core.store.schema import EXPLANATIONS, IMPORTANCES
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash
from golden_core.trials.identity import Trial
from golden_core.trials.outputs import finished_trials

CODE = ("golden_core.interpretability.explain",)
MATRIX_CODE = ("golden_core.interpretability.testbed",)
LIKENESS = 0.2  # |Spearman| of an explanation with that of a network which has learned nothing
SIGNIFICANCE = 0.01  # of deletion and insertion against random order
RECORD = "explained.json"
DOCUMENT = "explanation.json"


class ExplanationError(ValueError):
    """There is nothing to explain; the message says of what, and what to do."""


def explained_trials(study: Study) -> list[Trial]:
    """Return the trials whose networks a study wants explained."""
    asked = study.explanations
    if asked is None:
        return []
    return [
        Trial(forecaster, *parse_series(series), seed)
        for forecaster in asked.forecasters
        for series in asked.series
        for seed in range(asked.seeds)
    ]


def identities(home: Home, study: Study) -> dict[Trial, tuple[Path, str]]:
    """Return, of every finished trial to explain, its folder and the identity of its explanation.

    That is the hash of everything it depends on: the trial's own identity, settings, code and libraries.
    """
    asked, done = study.explanations, finished_trials(home, study, explained_trials(study))
    if asked is None:
        return {}
    shared = [asked.rows, asked.methods, code_hash(CODE), library_versions(("captum", "numpy", "shap", "torch"))]
    return {
        trial: (folder, hash_bytes(canonical_json([*shared, folder.name]).encode())) for trial, folder in done.items()
    }


def place(home: Home, study: Study, trial: Trial, identity: str) -> Path:
    """Return the folder of one checkpoint's explanation; its name is its identity: it exists whole, or not at all."""
    return home.study(study.name).explained(trial.forecaster, trial.series, identity[:16])


def summary_identity(home: Home, study: Study) -> str:
    """Return the identity of all explanations of a study together."""
    found = {str(trial): identity for trial, (_, identity) in identities(home, study).items()}
    return hash_bytes(canonical_json(found).encode())


def explanations_are_current(home: Home, study: Study) -> bool:
    """Whether what is filed is what the trials, settings and code there are now would give."""
    record, folder = stored_json(home.study(study.name).explained(RECORD)), home.study(study.name)
    tables = {table.name: folder.explained(f"{table.name}.parquet") for table in (EXPLANATIONS, IMPORTANCES)}
    return record.get("identity") == summary_identity(home, study) and all(
        path.exists() and hash_file(path) == record["sha256"].get(name) for name, path in tables.items()
    )


def filed_explanations(home: Home, study: Study) -> pl.DataFrame:
    """Return ``schema.EXPLANATIONS`` of a study as filed, empty where nothing was explained."""
    path = home.study(study.name).explained(f"{EXPLANATIONS.name}.parquet")
    return read_table(path) if path.exists() else EXPLANATIONS.empty()


def altered_explanations(home: Home, study: Study) -> tuple[list[str], int]:
    """Return what speaks against the files of the explanations of a study, and how many files were looked at."""
    if not explanations_are_current(home, study):
        return [f"explanations are not those of the trials there are now: `golden explain {study.name}`"], 1
    found, count = list[str](), 0
    for trial, (trained, identity) in identities(home, study).items():
        folder = place(home, study, trial, identity)
        hashes = stored_json(folder / DOCUMENT, hashes=dict).get("hashes", {DOCUMENT: ""})
        files = {name: folder / f"{name}.parquet" for name in hashes} | {"weights": trained / "weights.safetensors"}
        other = [name for name, path in files.items() if not path.exists() or hash_file(path) != hashes.get(name)]
        found += [f"{trial}: {name} is not what was written; delete {folder} and explain again" for name in other]
        count += len(files)
    return found, count


def filed_matrix(home: Home) -> tuple[pl.DataFrame, bool] | None:
    """Return the sanity matrix last measured in a home and whether it is of this code; None if there is none."""
    folder = home.root / "interpretability"
    try:
        record, text = read_json(folder / "sanity.json"), (folder / "sanity_matrix.csv").read_bytes()
    except FileNotFoundError:
        return None
    if hash_bytes(text) != record["table"]:
        return None
    floats: dict[str, Any] = {"value": pl.Float64, "control_value": pl.Float64}
    return pl.read_csv(text, schema_overrides=floats), record["code"] == code_hash(MATRIX_CODE)
