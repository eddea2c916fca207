"""The hash of a study: the same however the file spells it, different as soon as one value differs."""

import copy
import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.study import Study
from golden_core.study.document import compose, read_document

READ = "import sys; from golden_core.preparation.catalogue import load_study; print(load_study(sys.argv[1]).hash())"

# One other valid value for every setting of the valid study; a list is changed entry by entry.
OTHER = {
    "name": "demo2", "description": "Another.", "data.source": "files", "data.settings.path": "rates.csv",
    "data.pairs[0]": "EURCHF", "data.pairs[1]": "EURCHF", "data.pairs[2]": "EURCHF", "data.bar": "4h",
    "data.start": "2008-01-02", "data.end": "2025-12-30", "data.time_zone": "UTC", "target": "close",
    "features[0]": "close", "features[1]": "close", "features[2]": "close", "context_length": 6, "horizons[0]": 2,
    "horizons[1]": 6, "splits.window": "expanding", "splits.train": 1001, "splits.validation": 251, "splits.test": 499,
    "splits.step": 501, "splits.embargo": 6, "splits.closures": "drop", "seeds.root": 1, "seeds.count": 6,
    "training.epochs": 7,
    "training.batch_size": 129, "training.shuffle": False, "training.optimiser": "keras_adamw",
    "training.learning_rate": 0.0011, "training.weight_decay": 0.011, "training.gradient_clip": None,
    "training.precision": "bfloat16", "training.early_stopping.patience": 4, "training.early_stopping.min_delta": 1e-9,
    "training.early_stopping.restore_best": False, "training.plateau.factor": 0.51, "training.plateau.patience": 2,
    "training.plateau.min_delta": 1.1e-4, "training.plateau.threshold": "absolute",
    "training.plateau.min_learning_rate": 1.1e-5, "forecasters.ar.max_order": 11, "forecasters.ets.model": "ANN",
    "forecasters.dlinear.moving_average": 5, "forecasters.dlinear.epochs": 4, "forecasters.v08.gate": "softmax",
    "forecasters.v08.initialisers": "keras_3.15", "evaluation.confidence": 0.9, "evaluation.bootstrap_resamples": 2001,
    "evaluation.significance": 0.01, "evaluation.volatility_window": 21, "evaluation.strata[0]": None,
    "evaluation.strata[1]": None, "evaluation.strata[2]": None, "checks.reproduced_trials": 3,
    "checks.poisoned_times": 4, "checks.max_foresight": 0.04, "checks.max_abs_log_return": 0.16,
    "checks.max_missing_share": 0.5,
    "checks.max_quarantined_share": 0.5, "checks.max_repaired_share": 0.5, "checks.max_flat_share": 0.5,
    "checks.max_parity_residual": 0.5, "checks.max_parity_share": 0.5,
}  # fmt: skip
ONE_VALUE = {"data.source", "splits.scheme"}  # changing the source or the scheme changes its settings too


@pytest.fixture(scope="module")
def tree(valid_text):
    return read_document(compose(valid_text)).values


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from leaves(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from leaves(entry, f"{path}[{index}]")
    else:
        yield path, value


def shuffled(value, order):
    if not isinstance(value, dict):
        return value
    entries = [(key, shuffled(entry, order)) for key, entry in value.items()]
    order.shuffle(entries)
    return dict(entries)


def spelt(value, order):
    """Return a value as flow YAML, floats in one of their many spellings."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {spelt(entry, order)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(spelt(entry, order) for entry in value) + "]"
    if isinstance(value, float):
        forms = [repr(value), f"{value:.17e}", f"{value:.17E}", f"+{value!r}", f"{value:.25f}"]
        forms += [str(int(value))] if value == int(value) else []
        form = order.choice([form for form in forms if float(form) == value])
        return form.removeprefix("0") if form.startswith("0.") else form
    return json.dumps(value)


@given(order=st.randoms(use_true_random=False))
def test_key_order_and_float_spelling_do_not_matter(order, tree, read, valid_text):
    text = "# a comment\n" + "\n".join(f"{key}: {spelt(value, order)}" for key, value in shuffled(tree, order).items())
    assert read(text).hash() == read(valid_text).hash()


FLOATS = {
    "training.learning_rate": ["1e-3", "0.001", "1.0e-03", ".001", "1E-3", "+0.0010", "10e-4", "0.1e-2"],
    "training.gradient_clip": ["1", "1.0"],
    "training.early_stopping.min_delta": ["0", "-0.0", "0e5"],
    "training.weight_decay": ["2", "0.2e1"],
}


@pytest.mark.parametrize(("key", "spellings"), FLOATS.items())
def test_spellings_of_one_float(key, spellings, read, valid_text):
    studies = [read(valid_text, [f"{key}={spelling}"]) for spelling in spellings]
    assert all(study == studies[0] for study in studies)
    assert len({study.hash() for study in studies}) == 1


def test_comments_anchors_and_merge_keys_do_not_matter(read, valid_text):
    bare = re.sub(r"\s+#.*", "", re.sub(r"^#.*\n", "", valid_text, flags=re.MULTILINE))
    legacy = "  v08:\n    gate: linear\n    initialisers: keras_3.8"
    assert legacy in bare
    plain = bare.replace(legacy, legacy + legacy.replace("v08", "\n  v07"))
    alias = bare.replace(legacy, legacy.replace("v08:", "v08: &same") + "\n  v07: *same")
    merge = bare.replace(legacy, legacy.replace("v08:", "v08: &same") + "\n  v07:\n    gate: linear\n    <<: *same")
    override = bare.replace(
        legacy, "  v08: &same {gate: softmax, initialisers: keras_3.8}\n  v07: {<<: *same, gate: linear}"
    ).replace("gate: softmax", "gate: linear")
    hashes = {read(text).hash() for text in (plain, alias, merge, override)}
    assert len(hashes) == 1
    assert read(bare).hash() == read(valid_text).hash()
    assert read(bare).hash() not in hashes


def test_every_value_matters(tree, read, valid_text):
    known = {read(valid_text).hash()}
    for path, value in leaves(tree):
        if path in ONE_VALUE or value == {}:
            continue
        key = re.sub(r"\[.*", "", path) if OTHER[path] is None and "[" in path else path
        other = [entry for entry in tree["evaluation"]["strata"] if entry != value] if key != path else OTHER[path]
        digest = read(valid_text, {key: other}).hash()
        assert digest not in known, path
        known.add(digest)
    assert set(OTHER) <= {path for path, _ in leaves(tree)}, "OTHER names a setting that the study does not have"


def test_order_of_a_list_and_the_set_of_forecasters_matter(read, valid_text):
    overrides = (
        ["horizons=[5, 1]"], ["forecasters.v01={gate: linear, initialisers: keras_3.8}"], [],
    )  # fmt: skip
    removed = read(valid_text.replace("  drift: {}", ""))
    assert len({removed.hash(), *(read(valid_text, given).hash() for given in overrides)}) == 4


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_hash_is_the_same_in_every_process(hash_seed, valid, read, valid_text):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", READ, str(valid)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == read(valid_text).hash()


def test_canonical_form_is_compact_sorted_json(read, valid_text):
    study = read(valid_text)
    parsed = json.loads(study.canonical())
    assert study.canonical() == json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert '"learning_rate":0.001,' in study.canonical()
    assert '"start":"2008-01-01"' in study.canonical()
    assert Study.model_validate_json(study.canonical()) == study


def test_hash_depends_neither_on_line_ends_nor_on_copying(read, valid_text):
    study = read(valid_text)
    twins = (read(valid_text.replace("\n", "\r\n")), read("\ufeff" + valid_text), copy.deepcopy(study))
    assert {twin.hash() for twin in twins} == {study.hash()}
