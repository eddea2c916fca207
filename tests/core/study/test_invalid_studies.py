"""Every way to get one setting wrong, one by one and together: each fault is found, at the right line and column.

The studies are written by an emitter of this file, which knows the place of every key without reading YAML.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from golden_core.study import StudyError
from golden_core.study.document import compose, read_document
from golden_core.study.faults import dotted

Path = tuple[str | int, ...]
PACK = 8  # mistakes in one study


@dataclass(frozen=True)
class Mutation:
    """One mistake: how to make it, which paths must be blamed, and which paths it must not share with another."""

    label: str
    apply: Callable[[dict[str, Any]], None]
    blamed: tuple[Path, ...]
    touched: tuple[Path, ...]
    says: str = ""

    def agrees_with(self, other):
        return not any(a[: len(b)] == b or b[: len(a)] == a for a in self.reach for b in other.reach)

    @property
    def reach(self):
        """What it touches, and what it hides: without a known scheme nobody can say which settings splits have."""
        return (*self.touched, ("splits",)) if ("splits", "scheme") in self.touched else self.touched


def emit(tree):
    """Return a tree as YAML in block style, and the line and column of every key and list entry."""
    lines = []
    places = {(): (1, 1)}

    def write(value, path, indent):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            here = (*path, key)
            lead = " " * indent + (f"{key}:" if isinstance(value, dict) else "-")
            places[here] = (len(lines) + 1, indent + (1 if isinstance(value, dict) else 3))
            if isinstance(entry, dict | list) and entry and isinstance(value, dict):
                lines.append(lead)
                write(entry, here, indent + 2)
            else:
                lines.append(f"{lead} {json.dumps(entry)}")

    write(tree, (), 0)
    return "\n".join(lines) + "\n", places


def place_of(path, places):
    while path not in places:
        path = path[:-1]
    return places[path]


def at(tree, path):
    for part in path:
        tree = tree[part]
    return tree


def setting(path, value):
    return lambda tree: at(tree, path[:-1]).__setitem__(path[-1], value)


def removing(path):
    return lambda tree: at(tree, path[:-1]).pop(path[-1])


def renaming(path, name):
    def apply(tree):
        section = at(tree, path[:-1])
        entries = [(name if key == path[-1] else key, value) for key, value in section.items()]
        section.clear()
        section.update(entries)

    return apply


def walk(tree, path=()):
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from walk(value, (*path, key))


SHARES = ("max_missing_share", "max_quarantined_share", "max_repaired_share", "max_flat_share", "max_parity_share")
DAYS = ["2008", "0001-01-01", "2008-1-1", "2008-13-01", "2008-02-30", "1577836800", "2008-01-01T00:00:00", "01.01.2008"]
OUT_OF_BOUNDS = {
    "name": ["", "Demo", "2demo", "a b", "a" * 41], "description": [""],
    "data.pairs": [[]], "data.pairs.0": ["eurusd", "EUR", "EURUSDX", "EUREUR", "EUR/US"],
    "data.bar": ["1", "1D", "30m"], "data.start": DAYS, "data.end": ["tomorrow", "2025-12-31 ", ""],
    "data.time_zone": ["", "Mars/Olympus", "Europe", "../etc/passwd", "CEST"],
    "features": [[]], "context_length": [0, -1, 100_001], "horizons": [[]], "horizons.0": [0, -5, 100_001],
    "splits.scheme": ["k_fold"], "splits.window": ["sliding"], "splits.train": [0], "splits.validation": [0, -1],
    "splits.test": [0], "splits.step": [0], "splits.embargo": [-1, -3], "splits.closures": ["ignore"],
    "seeds.root": [-1], "seeds.count": [0, 1001],
    "training.epochs": [0, 100_001], "training.batch_size": [0], "training.optimiser": ["sgd"],
    "training.learning_rate": [0, -1e-3], "training.weight_decay": [-0.1], "training.gradient_clip": [0, -1.0],
    "training.precision": ["float64"], "training.early_stopping.patience": [0],
    "training.early_stopping.min_delta": [-1e-9], "training.plateau.factor": [0, 1, 1.5],
    "training.plateau.patience": [0], "training.plateau.min_delta": [-1.0], "training.plateau.threshold": ["abs"],
    "training.plateau.min_learning_rate": [-1e-9],
    "forecasters.ar.max_order": [-1, 501], "forecasters.ets.model": ["ZZZ"],
    "forecasters.dlinear.moving_average": [0, 4], "forecasters.dlinear.epochs": [0],
    "forecasters.v08.gate": ["sigmoid"],
    "evaluation.confidence": [0.5, 1, 95], "evaluation.bootstrap_resamples": [99, 1_000_001],
    "evaluation.significance": [0, 0.5], "evaluation.volatility_window": [1], "evaluation.strata.0": ["month"],
    "checks.reproduced_trials": [0], "checks.poisoned_times": [0], "checks.max_foresight": [-0.1, 1],
    "checks.max_abs_log_return": [0, -0.1], "checks.max_parity_residual": [0, -0.1],
    **{f"checks.{share}": [-0.1, 1] for share in SHARES},
}  # fmt: skip
NULLABLE = {
    ("forecasters", "dlinear", "epochs"),
    ("data", "settings", "path"),
    ("training", "gradient_clip"),
    ("training", "early_stopping"),
    ("training", "plateau"),
}
OPEN = {("forecasters",)}  # its keys are names, not settings


def wrong_types(value, path):
    """Return values that are not of the type of this setting, YAML's own traps among them."""
    if isinstance(value, bool):
        return ["true", 1, None]
    if isinstance(value, int):
        wrong = ["x", str(value), 1.5, True, [value], {"x": value}]
        return wrong if path in NULLABLE else [*wrong, None]
    if isinstance(value, float):
        wrong = ["x", str(value), True, [value]]
        return wrong if path in NULLABLE else [*wrong, None]
    if value is None or isinstance(value, str):
        return [3, False, [value], *([] if path in NULLABLE else [None])]
    if isinstance(value, list):
        return [3, "EURUSD", {"x": 1}, None]
    return [3, "x", ["x"], *([] if path in NULLABLE else [None])]


def mutations(tree):
    return [*by_value(tree), *by_key(tree), *by_name(), *by_rule()]


def by_value(tree):
    for path, value in walk(tree):
        for wrong in wrong_types(value, path):
            yield Mutation(f"type {dotted(path)} {wrong!r}", setting(path, wrong), (path,), (path,), "must be")
    for name, values in OUT_OF_BOUNDS.items():
        path = tuple(int(part) if part.isdecimal() else part for part in name.split("."))
        for wrong in values:
            yield Mutation(f"bounds {dotted(path)} {wrong!r}", setting(path, wrong), (path,), (path,), "must")


def by_key(tree):
    for path, value in walk(tree):
        section, key = path[:-1], path[-1]
        if isinstance(key, str) and section not in OPEN:
            misspelt = key[0] + key[2] + key[1] + key[3:] if key[1] != key[2] else key + key[-1]
            says = f"unknown key; did you mean {key!r}?"
            new = (*section, misspelt)
            yield Mutation(f"misspelt {dotted(path)}", renaming(path, misspelt), (new,), (path, new), says)
            yield Mutation(f"removed {dotted(path)}", removing(path), (path,), (path,), "is required")
        if isinstance(value, dict) and path not in OPEN:
            new = (*path, "nonsense")
            yield Mutation(f"extra {dotted(new)}", setting(new, 1), (new,), (new,), "unknown key")
    yield Mutation("extra nonsense", setting(("nonsense",), 1), (("nonsense",),), (("nonsense",),), "unknown key")


def by_name():
    settings_too = (("data", "source"), ("data", "settings"))  # of an unknown source no settings can be checked
    yield Mutation("source", setting(("data", "source"), "ebc"), (("data", "source"),), settings_too, "mean 'ecb'?")
    yield Mutation(
        "source", setting(("data", "source"), "bloomberg"), (("data", "source"),), settings_too, "known: ecb"
    )
    yield Mutation("target", setting(("target",), "log_retrun"), (("target",),), (("target",),), "mean 'log_return'?")
    for index, wrong in enumerate(["logreturn", "volatility_2O", "momentun_20"]):
        path = ("features", index)
        yield Mutation(f"feature {wrong}", setting(path, wrong), (path,), (path,), "no feature is called")
    path = ("features", 0)
    yield Mutation("feature rsi", setting(path, "rsi"), (path,), (path,), "known: close, ")
    for name, wrong in {"drift": "drfit", "ar": "arr", "ets": "etss", "dlinear": "dlinaer", "v08": "v8"}.items():
        old, new = ("forecasters", name), ("forecasters", wrong)
        yield Mutation(
            f"forecaster {wrong}", renaming(old, wrong), (new,), (old, new), f"no forecaster is called {wrong!r}"
        )
    new = ("forecasters", "prophet")
    yield Mutation("forecaster prophet", setting(new, {}), (new,), (new,), "no forecaster is called 'prophet'")


def by_rule():
    def rule(path, value, says, *reads):
        return Mutation(f"rule {dotted(path)} {value!r}", setting(path, value), (path,), (path, *reads), says)

    days, step = (("data", "start"), ("data", "end")), ("splits", "test")
    yield rule(("data", "end"), "2008-01-01", "must be after start (2008-01-01)", *days)
    yield rule(("data", "end"), "1999-01-01", "must be after start (2008-01-01)", *days)
    yield rule(("splits", "step"), 499, "must be ≥ test (500)", step)
    lengths = (("horizons",), ("splits", "embargo"))
    yield rule(("splits", "train"), 10, "must be > 10, the longest horizon plus the embargo", *lengths)
    yield rule(("splits", "validation"), 10, "must be > 10, the longest horizon plus the embargo", *lengths)
    yield rule(("seeds", "count"), 4, "must be ≥ 5 in a study that is not called smoke or smoke_…, got 4", ("name",))
    floor = ("training", "plateau", "min_learning_rate")
    yield rule(floor, 0.01, "must be ≤ learning_rate (0.001)", ("training", "learning_rate"))
    for path, value in {
        ("data", "pairs"): ["EURUSD", "EURUSD"],
        ("horizons",): [1, 1],
        ("features",): ["close", "close"],
    }.items():
        yield rule(path, value, "twice")
    yield Mutation(
        "rule random_walk",
        removing(("forecasters", "random_walk")),
        (("forecasters",),),
        (("forecasters", "random_walk"),),
        "must include random_walk",
    )


@pytest.fixture(scope="module")
def tree(valid_text):
    return read_document(compose(valid_text)).values


class Mutations(list[Mutation]):
    """All of them; shown by their number, since hypothesis prints what a failing test was given."""

    def __repr__(self):
        return f"{len(self)} mutations"


@pytest.fixture(scope="module")
def all_mutations(tree):
    return Mutations(mutations(tree))


def check(chosen, tree, read):
    wrong = copy.deepcopy(tree)
    for mutation in chosen:
        mutation.apply(wrong)
    text, places = emit(wrong)
    expected = {(dotted(path), place_of(path, places)) for mutation in chosen for path in mutation.blamed}
    with pytest.raises(StudyError) as caught:
        read(text)
    found = caught.value.faults
    labels = [mutation.label for mutation in chosen]
    assert {(fault.path, (fault.line, fault.column)) for fault in found} == expected, (labels, str(caught.value))
    assert len(found) == len(expected), (labels, str(caught.value))
    assert {fault.file for fault in found} == {"study.yaml"}
    for mutation in chosen:
        blamed = {dotted(path) for path in mutation.blamed}
        assert any(mutation.says in fault.message for fault in found if fault.path in blamed), (
            labels,
            str(caught.value),
        )
    assert len(str(caught.value).splitlines()) == len(found)


def test_emitted_study_is_the_study(tree, read, valid_text):
    assert read(emit(tree)[0]).hash() == read(valid_text).hash()


def packs(mutations):
    """Deal out mutations, those that touch the same apart: to read a study takes longer than to find its faults."""
    dealt = []
    for mutation in mutations:
        fitting = (pack for pack in dealt if len(pack) < PACK and all(mutation.agrees_with(other) for other in pack))
        pack = next(fitting, None)
        if pack is None:
            dealt.append(pack := [])
        pack.append(mutation)
    return dealt


def test_every_mistake_is_blamed_on_its_place(all_mutations, tree, read):
    assert len(all_mutations) >= 200
    dealt = packs(all_mutations)
    assert sum(map(len, dealt)) == len(all_mutations)
    for pack in (*dealt, *([mutation] for mutation in all_mutations[::20])):  # some of them alone too
        check(pack, tree, read)


@given(picks=st.lists(st.integers(0, 10**6), min_size=3, max_size=5))
@example(picks=[0, 2640, 276416])  # an unknown key of splits, whose scheme is unknown too
def test_several_mistakes_are_all_reported(picks, all_mutations, tree, read):
    chosen = []
    for pick in picks:
        mutation = all_mutations[pick % len(all_mutations)]
        if len(chosen) < 3 and all(mutation.agrees_with(other) for other in chosen):
            chosen.append(mutation)
    check(chosen, tree, read)


def test_every_setting_is_mutated(tree, all_mutations):
    touched = {path for mutation in all_mutations for path in mutation.touched}
    assert {path for path, _ in walk(tree)} <= touched
