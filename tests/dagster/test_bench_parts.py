"""`golden bench cohort`, `training`, `leakage` and `scale` on what is too small to mean anything: words and exits."""

import re
from functools import partial

import pytest
from support.commands import golden
from support.commands import said as words_of

from golden_core.benchmarking import cohort, training
from golden_core.benchmarking.records import last_runs
from golden_core.leakage import audit, probes, screening
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_dagster.benchmarks import leakage
from golden_dagster.benchmarks.leakage import Cost
from golden_dagster.benchmarks.scale import Costs, Size, plan

SUBJECTS = ("one, by the single trainer on the processor", "a cohort of one", "a cohort")
SMALL = ("--members", "2", "--epochs", "1", "--device", "cpu")


run = partial(golden, "bench", "cohort")


@pytest.fixture(autouse=True)
def _known_peak(monkeypatch):
    for module in (cohort, training):
        monkeypatch.setattr(module, "matrix_peak", lambda *_: 1e11)


def test_it_prints_speeds_shares_of_the_peak_and_what_the_study_would_take():
    result = run("smoke", "--forecaster", "dlinear", *SMALL)
    assert result.exit_code == 0, result.output
    assert re.search(r"a cohort +│ 2 +│ [\d,]+ +│ [\d.]+%", result.output)
    assert "one, by the single trainer on the processor" in result.output
    assert re.search(r"study smoke see 0\.0 million windows if none stops early: \d+:\d\d:\d\d", result.output)
    assert "on a card: unmeasured, for there is none here; where there is: golden bench cohort" in result.output


def test_a_study_up_to_the_latest_day_is_counted_to_the_last_of_its_source():
    result = run("smoke", "--set", "data.end=latest", "--forecaster", "dlinear", *SMALL)
    assert result.exit_code == 0, result.output
    assert re.search(r"see [\d.]+ million windows if none stops early", result.output)


def test_it_is_filed_with_what_was_timed():
    assert run("smoke", "--forecaster", "dlinear", "--members", "2", "--epochs", "3", "--device", "cpu").exit_code == 0
    home = Home.from_environment()
    (filed,) = last_runs(home, "smoke")
    rows = {row["subject"]: row for row in filed.rows.iter_rows(named=True)}
    single, one, two = (rows[f"dlinear, {name}"] for name in SUBJECTS)
    assert [row["samples"] for row in (single, one, two)] == [1, 3, 3]  # the single trainer tells no epoch
    assert (single["batch"], one["batch"], two["batch"]) == (4 * 198, 198, 2 * 198)
    share = two["throughput"] * two["flops"] / two["batch"] / 1e11
    assert two["peak_share"] == pytest.approx(share)
    assert "dlinear, a cohort of one" in (home.report("smoke") / "benchmarks.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["random_walk", "v11"])
def test_what_trains_no_network_is_bad_usage(name):
    result = run("smoke", "--forecaster", name, *SMALL)
    assert result.exit_code == 2
    assert f"study 'smoke' has no network called '{name}'" in result.output


def test_a_card_that_is_not_there_is_bad_usage(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert run("smoke", "--device", "cuda").exit_code == 2


def test_the_windows_of_a_study_are_counted_by_hand():
    """Smoke: two series, two seeds; of its 513 days with a fixing two folds; 200 − 1 − 1 rows; one epoch each."""
    assert cohort.windows_of(load_study("smoke")) == 2 * (2 * 2 * 2 * 198)
    longer = load_study("smoke", ["forecasters.dlinear.epochs=3"])
    assert cohort.windows_of(longer) == (1 + 3) * (2 * 2 * 2 * 198)


@pytest.mark.parametrize(("required", "status"), [(0.0, 0), (1e9, 1)])
def test_training_prints_the_ratio_and_fails_below_what_is_required(required, status, monkeypatch):
    monkeypatch.setattr(training, "REQUIRED", required)
    result = golden("bench", "training", "--batch", "20", "--steps", "1", "--threads", "1")
    assert result.exit_code == status
    assert "Seconds per epoch of v08, batch 20" in result.output
    assert "times as fast" in result.output


def test_an_unknown_variant_is_bad_usage():
    result = golden("bench", "training", "--variant", "v11")
    assert result.exit_code == 2
    assert "'v11' is none of v01 … v10" in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "training.epochs=2"), "--set says nothing without a STUDY"),
        (("--forecaster", "v08"), "--forecaster says nothing without a STUDY"),
        (("smoke", "--variant", "v02"), "--variant says nothing with a STUDY"),
        (("smoke", "--threads", "1", "--threads", "2"), "--threads is one number with a STUDY"),
    ],
)
def test_an_option_that_would_be_passed_over_is_bad_usage(options, said):
    result = golden("bench", "training", *options)
    assert result.exit_code == 2
    assert said in words_of(result)


PROBES = {
    audit: ("sampled", "sampled_scalers", "structures"),
    screening: ("screened_features", "screened_forecasts"),
    probes: ("clean_bars_report",),
}


@pytest.mark.endurance
def test_leakage_measures_a_campaign_and_prints_the_share(monkeypatch):
    """Every probe is measured as often as the campaign before has run it."""
    calls = []

    def counted(name, call):
        return lambda *given, **options: calls.append(name) or call(*given, **options)

    for module, names in PROBES.items():
        for name in names:
            monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    measured = leakage._probes
    monkeypatch.setattr(leakage, "_probes", lambda campaign: calls.append("") or measured(campaign))
    monkeypatch.setattr(leakage, "ALLOWED", 1e9)
    result = golden(
        "bench", "leakage", "smoke", "--set", "forecasters={random_walk: {}}", "--set", "data.pairs=[EURUSD]"
    )
    assert result.exit_code == 0, result.output
    assert "Leakage checks of study smoke" in result.output
    assert "future poison, replayed fits" in result.output
    ran, timed = calls[: calls.index("")], calls[calls.index("") + 1 :]
    assert sorted(timed) == sorted(ran)
    # What the sampled fits have shown of scalers, the same process does not ask of them alone.
    assert {*ran} == {name for names in PROBES.values() for name in names} - {"sampled_scalers"}


@pytest.mark.parametrize(("probes", "status"), [(9.0, 0), (10.0, 0), (11.0, 1)])
def test_leakage_fails_above_a_tenth_of_the_rest(probes, status, monkeypatch):
    monkeypatch.setattr(leakage, "measure", lambda *_, **__: Cost("smoke", 100.0 + probes, {"one": probes}))
    result = golden("bench", "leakage", "smoke")
    assert result.exit_code == status
    assert f"{probes / 100:.1%}" in result.output


def test_the_share_is_of_what_the_campaign_costs_without_them():
    assert Cost("any", 120.0, {"one": 15.0, "other": 5.0}).share == 0.2


COSTS = Costs("demo", (4, 2), (0.5, 36.0), evaluation=0.01, recording=0.02, megabytes=0.5, memory=0.2)


def test_deterministic_forecasters_are_trained_once_per_series():
    assert Size(pairs=100, horizons=10, seeds=20, forecasters=20).cells == 400_000
    fixed, seeded = COSTS.trials(Size(pairs=2, horizons=3, seeds=5, forecasters=6))
    assert (fixed, seeded) == (6 * 4, 6 * 2 * 5)


def test_hours_are_divided_by_workers_until_recording_is_what_takes_longest():
    table = plan(COSTS, Size(pairs=1, horizons=1, seeds=100, forecasters=6), [1, 100_000])
    training = (4 * 0.5 + 200 * 36.0) / 3600
    columns = [list(column.cells) for column in table.columns]
    assert columns[1][0] == f"{training:,.1f}"
    assert columns[5] == ["training", "recording"]
    assert float(columns[4][0]) == pytest.approx(training + 600 * 0.02 / 3600 + 204 * 0.01 / 3600, abs=0.06)
    assert "204 trials" in str(table.title)
