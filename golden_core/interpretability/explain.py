"""From the checkpoint of a trial to its explanation in the lake, and from those of a study to two tables.

Shape letters: N windows, L context, F features, E experts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from joblib import delayed
from threadpoolctl import threadpool_limits

from golden_core.evaluation.strata import with_strata
from golden_core.interpretability import attribution, hooks
from golden_core.interpretability.filing import (
    DOCUMENT,
    LIKENESS,
    RECORD,
    SIGNIFICANCE,
    ExplanationError,
    identities,
    place,
    summary_identity,
)
from golden_core.interpretability.gating import summarise
from golden_core.interpretability.measures import FloatArray, importance, spearman
from golden_core.interpretability.sanity import beats_chance, randomised, walked
from golden_core.interpretability.subject import Subject, UnexplainableError, subjects
from golden_core.preparation.catalogue import command_of
from golden_core.store.lake import Home, hash_file, new_folder, read_json, write_json, write_parquet
from golden_core.store.randomness import Stream
from golden_core.store.schema import ATTRIBUTIONS, EXPLANATIONS, IMPORTANCES
from golden_core.study import Study
from golden_core.trials.campaign import worker_pool
from golden_core.trials.identity import Trial, UnreadyError

DRAWS = 32  # networks without what was learned, over all folds
NO_NUMBERS = "not every attribution, or forecast on the way from a window to its baseline, is a finite number"


@dataclass
class _Folds:
    """What was found of every fold, gathered."""

    attributions: list[pl.DataFrame]
    attention: list[pl.DataFrame]
    gates: list[pl.DataFrame]
    gating: list[dict[str, Any]]
    sanity: dict[str, dict[str, list[Any]]]
    refused: dict[str, str]


def explain_study(home: Home, study: Study, *, workers: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Explain every network that a study names; what was explained before stays.

    Writes and returns ``schema.EXPLANATIONS`` and ``schema.IMPORTANCES``.

    Raises
    ------
    ExplanationError
        If the study has no section ``explanations``, or names a forecaster that is no network.
    UnreadyError
        If none of the trials is finished.
    """
    if study.explanations is None:
        raise ExplanationError(f"study {study.name!r} has no section `explanations`, which says what to explain")
    found = identities(home, study)
    if not found:
        command = command_of(home, study.name)
        raise UnreadyError(f"no network of study {study.name!r} is trained yet: `{command}` trains them")
    jobs = [(trial, folder, place(home, study, trial, identity)) for trial, (folder, identity) in found.items()]
    todo = [job for job in jobs if not job[2].is_dir()]
    if min(workers, len(todo)) <= 1:
        for job in todo:
            explain_trial(home, study, *job)
    else:  # by the workers that trained them, where they are still warm
        list(worker_pool(study, "loky", workers)(delayed(explain_trial)(home, study, *job) for job in todo))
    tables = _tables(study, {trial: into for trial, _, into in jobs})
    paths = [home.study(study.name).explained(f"{name}.parquet") for name in ("explanations", "importances")]
    for table, path in zip(tables, paths, strict=True):
        write_parquet(table, path)
    record = {"identity": summary_identity(home, study), "sha256": {path.stem: hash_file(path) for path in paths}}
    write_json(record, home.study(study.name).explained(RECORD))  # last: what it describes is there by then
    return tables


def explain_trial(home: Home, study: Study, trial: Trial, folder: Path, into: Path) -> None:
    """Explain the networks of all folds of a finished trial and write everything in one step.

    ``attributions.parquet`` is ``schema.ATTRIBUTIONS``; ``attention.parquet`` has mean maps by layer and head, and
    ``gates.parquet`` weights and contributions of experts over time, where the network has such layers; the document
    says how it was all made.
    """
    asked = study.explanations
    assert asked is not None
    stream = Stream(study.seeds.root).child("explanations", trial.forecaster, trial.series, f"seed {trial.seed}")
    forecasts = with_strata(pl.read_parquet(folder / "forecasts.parquet"), ["volatility_tercile"])
    regimes = forecasts.select(pl.col("cutoff").dt.replace_time_zone(None), "volatility_tercile")
    found = _Folds([], [], [], [], {name: {} for name in asked.methods}, {})
    with threadpool_limits(1):
        folds = list(subjects(home, study, trial, folder, asked.rows))
        for subject in folds:
            _look(subject, study, trial, regimes, math.ceil(DRAWS / len(folds)), stream, found)
    # A method that one fold refuses has no explanation of the others: tables compare methods window by window.
    found.attributions = [part for part in found.attributions if part["method"][0] not in found.refused]
    tables = {
        name: pl.concat(parts)
        for name, parts in (
            ("attributions", found.attributions),
            ("attention", found.attention),
            ("gates", found.gates),
        )
        if parts
    }
    with new_folder(into) as temporary:
        for name, table in tables.items():
            write_parquet(table, temporary / f"{name}.parquet")
        written = {name: hash_file(temporary / f"{name}.parquet") for name in tables}
        weights = hash_file(folder / "weights.safetensors")
        write_json(_document(study, trial, found, stream, {"weights": weights, **written}), temporary / DOCUMENT)


def _look(
    subject: Subject, study: Study, trial: Trial, regimes: pl.DataFrame, draws: int, stream: Stream, found: _Folds
) -> None:
    """Explain one network by every method and put the explanations to their tests."""
    own, values = stream.child("fold", subject.fold), dict[str, FloatArray]()
    for name in found.sanity:
        try:
            values[name] = attribution.METHODS[name](subject, own.child(name))
        except UnexplainableError as error:
            found.refused[name] = str(error).removeprefix(f"{subject.name}: ")
    gains = walked(subject, values, own.child("walks"))
    for name, found_values in values.items():
        incomplete = attribution.incompleteness(subject, found_values) if name in attribution.COMPLETE else np.empty(0)
        if not all(np.isfinite(numbers).all() for numbers in (found_values, gains[name], incomplete)):
            found.refused[name] = NO_NUMBERS  # a comparison with a NaN is false, and would keep nothing back
            continue
        likeness = randomised(
            subject, attribution.ROUGH[name], own.child("randomised"), draws=draws, stages=subject.fold == 0
        )
        measured: dict[str, Iterable[Any]] = {
            "incomplete": incomplete,
            "randomised": [value for stage, value in likeness if stage == "everything"],
            "stages": likeness if subject.fold == 0 else [],
            "deletion": gains[name][0],
            "insertion": gains[name][1],
        }
        for what, numbers in measured.items():
            found.sanity[name].setdefault(what, []).extend(numbers)
        found.attributions.append(_attribution_rows(study, trial, subject, name, found_values))
    _look_inside(subject, regimes, found)


def _look_inside(subject: Subject, regimes: pl.DataFrame, found: _Folds) -> None:
    with suppress(UnexplainableError):  # no attention, or one to patches, whose maps have no lags to lie on
        maps = hooks.attention_maps(subject)
        found.attention += [_map_rows(subject, layer, each) for layer, each in maps.items()]
    if hooks.has(subject.network, hooks.GATE):
        cutoffs = pl.DataFrame({"cutoff": pl.Series(subject.cutoffs).cast(pl.Datetime("us"))})
        regime = cutoffs.join(regimes, on="cutoff", how="left", maintain_order="left")["volatility_tercile"]
        for gate in hooks.gates(subject):
            found.gating.append({"fold": subject.fold, **summarise(gate, regime.to_numpy())})
            found.gates.append(_gate_rows(subject, gate, regime))


def _attribution_rows(study: Study, trial: Trial, subject: Subject, method: str, values: FloatArray) -> pl.DataFrame:
    rows, length, features = values.shape
    frame = pl.DataFrame(
        {
            "cutoff": np.repeat(subject.cutoffs, length * features),
            "lag": np.tile(np.repeat(np.arange(length - 1, -1, -1), features), rows).astype(np.int32),
            "feature": list(study.features) * (rows * length),
            "attribution": values.ravel(),
        }
    ).with_columns(
        pl.col("cutoff").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        study=pl.lit(study.name),
        forecaster=pl.lit(trial.forecaster),
        pair=pl.lit(trial.pair),
        horizon=pl.lit(trial.horizon, pl.Int32),
        seed=pl.lit(trial.seed, pl.Int32),
        fold=pl.lit(subject.fold, pl.Int32),
        method=pl.lit(method),
    )
    return ATTRIBUTIONS.conform(frame)


def _map_rows(subject: Subject, layer: str, maps: FloatArray) -> pl.DataFrame:
    _, heads, length, _ = maps.shape
    head, asking, asked = (axis.ravel() for axis in np.indices((heads, length, length)))
    columns = {"head": head, "from_lag": length - 1 - asking, "to_lag": length - 1 - asked}
    spread = {"weight": maps.mean(axis=0).ravel(), "sd": maps.std(axis=0).ravel()}
    return pl.DataFrame({**columns, **spread}).select(
        pl.lit(subject.fold, pl.Int32).alias("fold"), pl.lit(layer).alias("layer"), pl.all()
    )


def _gate_rows(subject: Subject, gate: hooks.Gate, regime: pl.Series) -> pl.DataFrame:
    count, experts = gate.contributions.shape
    return pl.DataFrame(
        {
            "cutoff": np.repeat(subject.cutoffs, experts),
            "regime": np.repeat(regime.to_numpy(), experts).tolist(),
            "expert": np.tile(np.arange(experts), count).astype(np.int32),
            "weight": gate.weights.mean(axis=1).ravel(),
            "contribution": gate.contributions.ravel(),
        }
    ).select(pl.lit(subject.fold, pl.Int32).alias("fold"), pl.lit(gate.layer).alias("layer"), pl.all())


def _document(study: Study, trial: Trial, found: _Folds, stream: Stream, hashes: dict[str, str]) -> dict[str, Any]:
    """Return how an explanation was made and what its tests gave: data/interpretability/explanation.schema.json."""
    return {
        "trial": {"forecaster": trial.forecaster, "pair": trial.pair, "horizon": trial.horizon, "seed": trial.seed},
        "baseline": attribution.BASELINE,
        "steps": {"points": attribution.STEPS, "most_halvings": attribution.HALVINGS},
        "permutations": attribution.PERMUTATIONS,
        "seed": {"root": stream.root, "path": list(stream.path)},
        "features": list(study.features),
        "hashes": hashes,
        "gating": found.gating,
        "refused": found.refused,
        "methods": {name: _verdict(name, found) for name in found.sanity},
    }


def _verdict(name: str, found: _Folds) -> dict[str, Any]:
    if name in found.refused:
        return {"reported": False, "reason": found.refused[name]}
    numbers = found.sanity[name]
    delta = float(max(numbers["incomplete"])) if numbers["incomplete"] else None
    likeness = float(np.mean(numbers["randomised"]))
    p = {what: beats_chance(np.array(numbers[what])) for what in ("deletion", "insertion")}
    faults = [
        f"its sums are off by {delta:.3g} times the tolerance" if delta is not None and delta > 1 else "",
        f"it stays alike when the weights are randomised (Spearman {likeness:.2f}, {LIKENESS} at most)"
        if abs(likeness) > LIKENESS
        else "",
        *(f"{what} in its order is no better than in random order (p = {q:.2g})" for what, q in p.items()
          if q >= SIGNIFICANCE),
    ]  # fmt: skip
    reason = "; ".join(filter(None, faults))
    return {
        "rows": len(numbers["deletion"]),
        "delta": delta,
        "randomised": likeness,
        "stages": [[stage, value] for stage, value in numbers["stages"]],
        "deletion_p": p["deletion"],
        "insertion_p": p["insertion"],
        "reported": not reason,
        "reason": reason or None,
    }


def _tables(study: Study, folders: dict[Trial, Path]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what the explanations of a study come to."""
    cells = len(study.features) * study.context_length
    values = {trial: _values(folder, cells) for trial, folder in folders.items()}
    verdicts, shares = [], []
    for trial, folder in folders.items():
        for method, said in read_json(folder / DOCUMENT)["methods"].items():
            own = values[trial].get(method)
            others = [a for name, a in values[trial].items() if name != method]
            seeds = [values[t][method] for t in folders if _siblings(t, trial) and method in values[t]]
            key = (study.name, trial.forecaster, trial.pair, trial.horizon, trial.seed, method)
            verdicts.append(
                (
                    *key, said.get("rows", 0), said.get("delta"), said.get("randomised"), said.get("deletion_p"),
                    said.get("insertion_p"),
                    _mean_likeness(own, others), _mean_likeness(own, seeds), said["reported"], said["reason"],
                )
            )  # fmt: skip
            if own is not None:
                grid = importance(own).reshape(study.context_length, len(study.features))
                for (step, place_), share in np.ndenumerate(grid):
                    lag = study.context_length - 1 - step
                    shares.append((*key, study.features[place_], lag, float(share)))
    return (
        EXPLANATIONS.conform(pl.DataFrame(verdicts, schema=EXPLANATIONS.dtypes, orient="row")),
        IMPORTANCES.conform(pl.DataFrame(shares, schema=IMPORTANCES.dtypes, orient="row")),
    )


def _siblings(one: Trial, other: Trial) -> bool:
    return (one.forecaster, one.series) == (other.forecaster, other.series) and one.seed != other.seed


def _values(folder: Path, cells: int) -> dict[str, FloatArray]:
    path = folder / "attributions.parquet"
    if not path.exists():  # every method was refused
        return {}
    frame = pl.read_parquet(path)
    parts = frame.group_by("method", maintain_order=True)
    return {str(name): part["attribution"].to_numpy().reshape(-1, cells) for (name,), part in parts}


def _mean_likeness(own: FloatArray | None, others: list[FloatArray]) -> float | None:
    if own is None or not others:
        return None
    return float(np.mean([spearman(own, other).mean() for other in others]))
