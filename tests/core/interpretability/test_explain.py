"""From checkpoints to files and tables: the same bytes again, a schema that holds, and checks that fail on a fault."""

import json
import shutil

import jsonschema
import numpy as np
import polars as pl
import pytest
from torch import Generator, nn

from golden_core.benchmarking.measurement import Condition, Measurement
from golden_core.benchmarking.records import file_run
from golden_core.benchmarking.sampling import Sample
from golden_core.checks.explanations import SANITY_CHECKS, explanation_checks
from golden_core.interpretability import attribution, explain
from golden_core.interpretability.filing import (
    DOCUMENT,
    MATRIX_CODE,
    explanations_are_current,
    filed_explanations,
    identities,
    place,
)
from golden_core.interpretability.subject import Subject, UnexplainableError, prepared, subjects
from golden_core.interpretability.testbed import SCHEMA, Probe
from golden_core.milestones.explanations import sample_pages, specification_pages
from golden_core.milestones.records import EvidenceError
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import claim_name, load_study
from golden_core.store.lake import Home, hash_bytes, shipped, write_json, write_parquet, write_text
from golden_core.store.randomness import Stream
from golden_core.store.schema import ATTRIBUTIONS
from golden_core.study import StudyError
from golden_core.training.checkpoint import load_checkpoint, save_checkpoint
from golden_core.trials import all_trials, campaign, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.code import code_hash

ASKED = "{forecasters: [dlinear], series: [EURUSD_h1], seeds: 2, rows: 8, methods: [integrated_gradients, attention]}"
OVERRIDES = (
    "forecasters={random_walk: {}, ar: {max_order: 1}, dlinear: {moving_average: 3, epochs: 2}}",
    f"explanations={ASKED}",
)
PATCHES = (
    "forecasters={random_walk: {}, patchtst: {patch_length: 3, stride: 1, width: 8, heads: 2, layers: 1, hidden: 8}}",
    f"explanations={ASKED.replace('dlinear', 'patchtst').replace('seeds: 2', 'seeds: 1')}",
)
SCHEMA_FILE = shipped("interpretability", "explanation.schema.json")


@pytest.fixture(scope="module")
def study():
    return load_study("smoke", OVERRIDES)


@pytest.fixture(scope="module")
def _made(tmp_path_factory, study):
    return explained(study, tmp_path_factory.mktemp("explained"))


def explained(study, folder):
    """Run the networks of a study on one series, and explain them."""
    home = Home(folder, folder.parent)
    prepare_raw(home, study)
    prepare_pair(home, study, "EURUSD")
    prepare_series(home, study, "EURUSD", 1)
    trials = [t for t in all_trials(study) if t.pair == "EURUSD" and t.forecaster != "random_walk"]
    assert not [o.error for o in run_trials(home, study, fingerprinted(home, study, trials)) if o.error]
    explain.explain_study(home, study)
    return home


@pytest.fixture
def home(_made, tmp_path):
    shutil.copytree(_made.root, tmp_path / "home")
    return Home(tmp_path / "home", tmp_path / "reports")


def folders(home, study):
    return {
        trial: (folder, place(home, study, trial, identity))
        for trial, (folder, identity) in identities(home, study).items()
    }


def found(name, home, study):
    (check,) = [one for one in (*explanation_checks(study), *SANITY_CHECKS) if one.name == name]
    examined = check.decide(home, study)
    return examined.faults(check.unit), examined.severity or check.severity


def test_what_is_written_has_its_schema_and_names_a_method_that_the_network_has_nothing_for(home, study):
    ours = folders(home, study)
    assert len(ours) == 2
    for folder, into in ours.values():
        document = json.loads((into / DOCUMENT).read_text())
        jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text()))
        assert document["refused"] == {"attention": "DLinear has no layer that shows attention"}
        table = ATTRIBUTIONS.conform(pl.read_parquet(into / "attributions.parquet"))
        assert not table.select(ATTRIBUTIONS.key).is_duplicated().any()
        forecasts = pl.read_parquet(folder / "forecasts.parquet")
        assert table["cutoff"].is_in(forecasts["cutoff"].implode()).all()
    verdicts = filed_explanations(home, study)
    assert verdicts.filter(method="attention")["reason"].unique().to_list() == [
        "DLinear has no layer that shows attention"
    ]
    assert verdicts.filter(method="integrated_gradients")["incomplete"].max() < 1e-6


def test_the_workers_of_the_trials_write_the_same_bytes(home, study, monkeypatch):
    before = {path: path.read_bytes() for _, into in folders(home, study).values() for path in into.iterdir()}
    for path in before:
        path.unlink()
    for folder in {path.parent for path in before}:
        folder.rmdir()
    asked = []
    monkeypatch.setattr(
        explain, "worker_pool", lambda *arguments: asked.append(arguments) or campaign.worker_pool(*arguments)
    )
    explain.explain_study(home, study, workers=2)
    assert asked == [(study, "loky", 2)]
    assert {path: path.read_bytes() for path in before} == before


def test_a_study_of_patches_is_explained_without_their_maps(tmp_path):
    """Patches have no lags for a map of attention to lie on: the method is refused, and the rest goes on."""
    study = load_study("smoke", PATCHES)
    home = explained(study, tmp_path)
    for folder, into in folders(home, study).values():
        document = json.loads((into / DOCUMENT).read_text())
        jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text()))
        assert list(document["refused"]) == ["attention"]
        assert "patches" in document["refused"]["attention"]
        assert not (into / "attention.parquet").exists()
        cutoffs = pl.read_parquet(into / "attributions.parquet")["cutoff"]
        assert cutoffs.is_in(pl.read_parquet(folder / "forecasts.parquet")["cutoff"].implode()).all()
    assert set(filed_explanations(home, study)["method"]) == {"integrated_gradients", "attention"}


def test_attributions_of_a_linear_forecaster_add_up_to_its_forecasts(home, study):
    (folder, into), *_ = folders(home, study).values()
    sums = pl.read_parquet(into / "attributions.parquet").group_by("cutoff").agg(pl.col("attribution").sum())
    both = pl.read_parquet(folder / "forecasts.parquet").join(sums, on="cutoff")
    slopes = [np.polyfit(part["attribution"], part["y_pred"], 1, full=True) for part in both.partition_by("fold")]
    assert max(float(residual[0]) for _, residual, *_ in slopes) < 1e-12


def test_the_same_bytes_come_out_again_and_other_ones_are_noticed(home, study):
    assert found("explanations_reproduce_bitwise", home, study)[0] == []
    for _, into in folders(home, study).values():
        table = pl.read_parquet(into / "attributions.parquet")
        write_parquet(table.with_columns(pl.col("attribution") + 1e-15), into / "attributions.parquet")
    faults, _ = found("explanations_reproduce_bitwise", home, study)
    assert "attributions.parquet is not the same bytes again" in faults[0]
    assert "attributions is not what was written" in found("explanations_as_written", home, study)[0][0]


def test_an_explanation_of_weights_that_are_no_more_is_noticed(home, study):
    """Networks that train in another company have other last digits under the same fingerprint."""
    (folder, into), *_ = folders(home, study).values()
    checkpoint = load_checkpoint(folder / "weights.safetensors")
    other = {name: values * (1 + 1e-7) for name, values in checkpoint.state.items()}
    save_checkpoint(folder / "weights.safetensors", other, checkpoint.metadata)
    ((said,), _) = found("explanations_as_written", home, study)
    assert said == f"dlinear on EURUSD_h1, seed 0: weights is not what was written; delete {into} and explain again"


def test_an_explanation_that_is_gone_is_noticed(home, study):
    (_, into), *_ = folders(home, study).values()
    shutil.rmtree(into)
    assert "explanation.json is not what was written" in found("explanations_as_written", home, study)[0][0]


def test_explanations_of_other_settings_are_out_of_date(home, study):
    assert found("explanations_as_written", home, study)[0] == []
    assert explanations_are_current(home, study)
    other = study.model_copy(update={"explanations": study.explanations.model_copy(update={"rows": 9})})
    assert not explanations_are_current(home, other)
    assert "not those of the trials there are now" in found("explanations_as_written", home, other)[0][0]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("explanations_add_up", {"incomplete": 1.5}, "off by 1.5 tolerances"),
        ("explanations_follow_the_weights", {"randomised": -0.3}, "Spearman -0.30"),
        ("explanations_beat_random_order", {"insertion_p": 0.2}, "and 0.2"),
    ],
)
@pytest.mark.parametrize(("reported", "severity"), [(True, "error"), (False, "warn")])
def test_a_method_that_fails_is_an_error_where_it_is_reported_all_the_same(
    home, study, name, change, said, reported, severity
):
    path = home.study(study.name).explained("explanations.parquet")
    sound = pl.read_parquet(path).with_columns(randomised=pl.lit(0.0), deletion_p=pl.lit(0.0), insertion_p=pl.lit(0.0))
    write_parquet(sound, path)
    assert found(name, home, study)[0] == []
    write_parquet(sound.with_columns(reported=pl.lit(reported), **{k: pl.lit(v) for k, v in change.items()}), path)
    faults, found_severity = found(name, home, study)
    assert faults[0].startswith("dlinear on EURUSD_h1, seed 0, integrated_gradients: ")
    assert said in faults[0]
    assert found_severity == severity


HELD = ("explanations_add_up", "explanations_follow_the_weights", "explanations_beat_random_order")


@pytest.mark.parametrize("name", HELD)
def test_a_claim_about_explanations_that_nobody_made_fails(study, tmp_path, name):
    nobodys = Home(tmp_path, tmp_path)
    said = "no networks and methods to examine: the claim cannot be checked"
    assert found(name, nobodys, study) == ([said], "error")


@pytest.mark.parametrize("name", HELD)
def test_a_claim_about_methods_that_no_network_has_anything_for_does_not_apply(home, study, name):
    path = home.study(study.name).explained("explanations.parquet")
    write_parquet(pl.read_parquet(path).filter(method="attention"), path)
    (said,), severity = found(name, home, study)
    assert (said.endswith("the claim does not apply"), severity) == (True, "warn")


def test_a_verdict_keeps_a_method_back_and_says_why():
    numbers = {"incomplete": [0.5, 2.0], "randomised": [0.5, 0.4], "stages": [], "deletion": np.arange(1.0, 20)}
    gathered = explain._Folds([], [], [], [], {"it": {**numbers, "insertion": -np.arange(1.0, 20)}}, {})
    said = explain._verdict("it", gathered)
    assert not said["reported"]
    for part in ("off by 2 times", "Spearman 0.45, 0.2 at most", "insertion in its order is no better"):
        assert part in said["reason"]
    assert "deletion" not in said["reason"]


class Unstable(nn.Module):
    """A network that divides a window by its spread: of the baseline, which has none, it says NaN. [B, L, F] → [B]."""

    def forward(self, x):
        return (x / x.std(dim=(1, 2), keepdim=True)).flatten(1)[:, 0]


def test_what_is_no_number_at_the_baseline_is_no_explanation(study):
    X = np.random.default_rng(1).standard_normal((8, study.context_length, len(study.features)))
    subject = Subject("it", Unstable(), X, lambda _: Unstable(), np.arange(8).astype("datetime64[D]"))
    gathered = explain._Folds([], [], [], [], {"integrated_gradients": {}, "occlusion": {}}, {})
    trial = next(t for t in all_trials(study) if t.forecaster == "dlinear")
    explain._look(subject, study, trial, pl.DataFrame(), 2, Stream(1), gathered)
    for name in gathered.sanity:
        said = explain._verdict(name, gathered)
        assert not said["reported"]
        assert "finite number" in said["reason"]
    assert not gathered.attributions


def test_a_method_that_one_fold_refuses_leaves_no_rows_of_the_others(tmp_path, monkeypatch):
    honest = attribution.METHODS["occlusion"]

    def broken(subject, stream):  # nothing but NaN from one of two folds
        values = honest(subject, stream)
        return values * np.nan if subject.fold == 1 else values

    monkeypatch.setitem(attribution.METHODS, "occlusion", broken)
    asked = ASKED.replace("integrated_gradients, attention", "integrated_gradients, occlusion").replace(
        "seeds: 2", "seeds: 1"
    )
    one = load_study("smoke", (OVERRIDES[0], f"explanations={asked}"))
    verdicts = filed_explanations(explained(one, tmp_path), one)
    said = {row["method"]: (row["reported"], row["reason"]) for row in verdicts.iter_rows(named=True)}
    assert said["occlusion"] == (False, explain.NO_NUMBERS)
    assert said["integrated_gradients"][1] != explain.NO_NUMBERS


def test_a_network_that_has_nothing_for_any_method_has_a_verdict_and_no_values(tmp_path):
    asked = ASKED.replace("integrated_gradients, attention", "attention").replace("seeds: 2", "seeds: 1")
    study = load_study("smoke", (OVERRIDES[0], f"explanations={asked}"))
    verdicts = filed_explanations(explained(study, tmp_path), study)
    assert verdicts["reported"].to_list() == [False]
    assert verdicts["reason"].to_list() == ["DLinear has no layer that shows attention"]


def test_maps_and_gates_become_tables():
    network = prepared(Probe(Generator().manual_seed(1)))
    X = np.random.default_rng(1).standard_normal((6, 5, 3))
    days = np.arange(6).astype("datetime64[D]")
    regimes = pl.DataFrame(
        {"cutoff": pl.Series(days).cast(pl.Datetime("us")), "volatility_tercile": ["low", "high"] * 3}
    )
    gathered = explain._Folds([], [], [], [], {}, {})
    explain._look_inside(Subject("it", network, X, lambda _: network, days), regimes, gathered)
    (maps,), (weights,), (gating,) = gathered.attention, gathered.gates, gathered.gating
    assert maps.group_by("head", "from_lag").agg(pl.col("weight").sum())["weight"].to_list() == pytest.approx([1] * 10)
    assert weights.group_by("cutoff").agg(pl.col("weight").sum())["weight"].to_list() == pytest.approx([1] * 6)
    assert set(gating["load_by_regime"]) == {"low", "high"}
    assert gating["weights"] == "distribution"


def test_a_forecaster_that_is_no_network_is_refused_by_name(home, study):
    with pytest.raises(StudyError, match="names ar: no network"):
        load_study("smoke", (*OVERRIDES[:1], f"explanations={ASKED.replace('dlinear', 'ar')}"))
    trial = next(t for t in all_trials(study) if t.forecaster == "ar")
    with pytest.raises(UnexplainableError, match="ar is no network"):
        next(subjects(home, study, trial, home.root, 8))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("EURUSD_h1", "EURUSD_h7"), "names EURUSD_h7; the series of the study are EURUSD_h1, USDJPY_h1"),
        (("dlinear", "v08"), "must be of the section forecasters, without random_walk: ar, dlinear; got v08"),
        (("seeds: 2", "seeds: 3"), "must be ≤ seeds.count (2), got 3"),
    ],
)
def test_a_section_that_asks_for_what_the_study_has_not_is_refused(change, said):
    with pytest.raises(StudyError) as refused:
        load_study("smoke", (OVERRIDES[0], f"explanations={ASKED.replace(*change)}"))
    assert said in str(refused.value)


def test_nothing_to_explain_is_said(study, tmp_path):
    empty = Home(tmp_path, tmp_path)
    with pytest.raises(RuntimeError, match="no network of study 'smoke' is trained yet"):
        explain.explain_study(empty, study)
    with pytest.raises(ValueError, match="has no section `explanations`"):
        explain.explain_study(empty, load_study("smoke"))


def filed(home, gates, **changes):
    rows = [
        {"gate": gate, "method": "m", "value": 0.5, "threshold": "t", "passes": True, "control": "c",
         "control_value": 9.0, "control_fails": True, "decides": True, **changes}
        for gate in gates
    ]  # fmt: skip
    text = pl.DataFrame(rows, schema=SCHEMA).write_csv()
    write_text(text, home.root / "interpretability" / "sanity_matrix.csv")
    record = {"code": code_hash(MATRIX_CODE), "table": hash_bytes(text.encode())}
    write_json(record, home.root / "interpretability" / "sanity.json")


@pytest.mark.parametrize("check", SANITY_CHECKS, ids=lambda check: check.name)
def test_a_gate_that_does_not_hold_or_whose_control_does(check, study, tmp_path):
    home, gates = Home(tmp_path, tmp_path), check.decide.args[0]
    assert found(check.name, home, study)[1] == "warn"  # nobody has measured
    filed(home, gates)
    assert found(check.name, home, study)[0] == []
    filed(home, gates, passes=False)
    assert "m: 0.5, expected t" in found(check.name, home, study)[0][0]
    filed(home, gates, control_fails=False)
    assert "its control (c) passes too" in found(check.name, home, study)[0][0]
    assert found(check.name, home, study)[1] == "error"


def test_a_matrix_of_other_code_is_out_of_date(study, tmp_path, monkeypatch):
    home, check = Home(tmp_path, tmp_path), SANITY_CHECKS[0]
    filed(home, check.decide.args[0])
    monkeypatch.setattr("golden_core.interpretability.filing.MATRIX_CODE", ("golden_core.interpretability.measures",))
    assert found(check.name, home, study) == (
        ["the sanity matrix was measured on other code: measure it again"],
        "warn",
    )


def test_the_specification_follows_from_the_code_and_the_matrix(tmp_path):
    home = Home(tmp_path, tmp_path)
    filed(home, ["completeness", "regimes"])
    pages, results = specification_pages(home)
    assert set(pages) == {"interpretability_spec.md", "sanity_matrix.csv"}
    assert all(result.passed for result in results)
    for name in ("`explanations: explanations_follow_the_weights`", "`integrated_gradients`", "`hashes`", "regimes"):
        assert name in pages["interpretability_spec.md"]


def timed(home, study, calls=700, scenario="single"):
    """File a run in which one forecaster was called so often."""
    sample = Sample(np.linspace(1e-3, 2e-3, calls), 20, steady=True)
    file_run(home, "inference", study.name, [Measurement("dlinear", scenario, "window", Condition(batch=1), sample)])


@pytest.fixture
def sampled(home, study, monkeypatch):
    """A home that ran one study, whose record says with which settings."""
    monkeypatch.setattr("golden_core.milestones.explanations.SAMPLED", {"smoke": ("golden run smoke",)})
    claim_name(home, study, "smoke", ("name=smoke", *OVERRIDES))
    timed(home, study)
    return home


def test_samples_are_those_of_the_home_as_it_was_run(sampled):
    pages, results = sample_pages(sampled)
    assert {name.rpartition(".")[2] for name in pages} == {"csv", "json", "parquet", "png"}
    assert [result.passed for result in results] == [True, True]
    assert pages["samples/latencies.csv"].splitlines()[1].startswith("smoke,dlinear,cpu,float32,1,700,1.5")


def test_nothing_by_window_leaves_a_home_with_bars_of_ones_own(sampled, study, monkeypatch):
    own = study.model_copy(update={"data": study.data.model_copy(update={"source": "files"})})
    known = identities(sampled, study)
    monkeypatch.setattr("golden_core.milestones.explanations.recorded_study", lambda *_: own)
    monkeypatch.setattr("golden_core.milestones.explanations.identities", lambda *_: known)
    monkeypatch.setattr("golden_core.milestones.explanations.altered_explanations", lambda *_: ([], 0))
    assert {name.rpartition(".")[2] for name in sample_pages(sampled)[0]} == {"csv", "json", "png"}


def test_samples_of_other_settings_do_not_count(sampled):
    write_json({"file": "smoke", "command": "golden run smoke"}, sampled.study("smoke").origin)
    with pytest.raises(EvidenceError, match=r"P5\.M3: this home lacks what these make: golden run smoke"):
        sample_pages(sampled)


@pytest.mark.parametrize("changed", [{"calls": 600}, {"scenario": "offline"}])
def test_a_latency_that_is_not_whole_is_not_reported(sampled, study, changed):
    timed(sampled, study, **changed)  # 662 calls bound the 99th percentile
    passed = {result.criterion: result.passed for result in sample_pages(sampled)[1]}
    assert passed == {"perturbations_passed": True, "latencies_reported": False}
