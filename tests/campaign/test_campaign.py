"""A campaign: what is done is not redone, what changes is redone and nothing else, and a failure is one row."""

import datetime as dt
import io
import zipfile

import polars as pl
import pytest
from support.campaigns import OVERRIDES, SETTINGS, finish, opened
from support.commands import golden

from golden_core.preparation import prepare_all, prepare_pair, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.sources.ecb_history import find_history
from golden_core.splits.verification import embargo_violations, label_overlaps, reused_test_rows, unaccounted_rows
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse
from golden_core.trials import Trial, all_trials, trial_status
from golden_core.trials.run import TrialError, run_trial


def statuses(*overrides):
    """Return (forecaster, series) → set of statuses after bringing bars and folds up to date."""
    home, study = Home.from_environment(), load_study("smoke", [*OVERRIDES, *overrides])
    prepare_all(home, study)
    found = {}
    for row in trial_status(home, study, all_trials(study)).iter_rows(named=True):
        found.setdefault((row["forecaster"], row["pair"]), set()).add(row["status"])
    return found


def stale(*overrides):
    """Return what would be run again."""
    return {key for key, status in statuses(*overrides).items() if status != {"done"}}


EVERY = {(forecaster, pair) for forecaster in ("random_walk", "ar", "dlinear") for pair in ("EURUSD", "USDJPY")}


def test_a_second_run_does_nothing(broken):
    before = {path: path.stat().st_mtime_ns for path in broken.root.rglob("*.parquet")}
    with opened() as campaign:
        assert list(campaign.stages()) == []
    assert {path: path.stat().st_mtime_ns for path in broken.root.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("forecasters.ar.max_order=3", {("ar", "EURUSD"), ("ar", "USDJPY")}),
        ("training.epochs=2", {("dlinear", "EURUSD"), ("dlinear", "USDJPY")}),
        ("seeds.root=2", {("dlinear", "EURUSD"), ("dlinear", "USDJPY")}),
        ("evaluation.confidence=0.9", set()),
        ("description=another", set()),
        ("checks.max_missing_share=0.5", set()),
        ("context_length=4", EVERY),
        ("splits.embargo=2", EVERY),
    ],
)
def test_a_setting_redoes_only_what_depends_on_it(broken, override, expected):
    assert stale(override) == expected


def change_rates(home, day, currency, value):
    """Put a copy of the shipped rates into the home with one number changed."""
    with zipfile.ZipFile(io.BytesIO(find_history(None, home.root).content)) as archive:
        name = archive.namelist()[0]
        lines = archive.read(name).decode().splitlines()
    header = lines[0].split(",")
    row = next(i for i, line in enumerate(lines) if line.startswith(day))
    cells = lines[row].split(",")
    cells[header.index(currency)] = value
    lines[row] = ",".join(cells)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, "\n".join(lines) + "\n")
    target = home.root / "sources" / "ecb" / "eurofxref-hist.zip"
    target.parent.mkdir(parents=True)
    target.write_bytes(buffer.getvalue())


def test_a_report_that_reporting_would_write_otherwise_is_stale(broken):
    page = broken.report("smoke") / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</html>", "<!-- of other templates --></html>"))
    with opened() as campaign:
        assert [stage.name for stage in campaign.stages()] == ["metrics and report"]


def test_one_changed_rate_makes_its_own_descendants_stale(broken):
    assert stale() == set()
    change_rates(broken, "2023-06-15", "JPY", "151.21")
    assert stale() == {key for key in EVERY if key[1] == "USDJPY"}


def test_a_rate_that_the_study_does_not_read_changes_nothing(broken):
    change_rates(broken, "2023-06-15", "SEK", "11.99")
    assert stale() == set()


def test_a_rate_of_the_common_leg_makes_both_pairs_stale(broken):
    change_rates(broken, "2023-06-15", "USD", "1.0811")
    assert stale() == EVERY


def test_a_failing_trial_is_a_row_and_the_others_go_on(broken):
    # No learning rate survives this: the loss overflows in the first epoch.
    with opened(
        [*OVERRIDES, "training.learning_rate=1e30", "training.epochs=3", "training.gradient_clip=null"]
    ) as campaign:
        for stage in campaign.stages():
            if not stage.checks_only:  # nobody changed the inputs
                campaign.execute(stage)
        assert any("dlinear on EURUSD_h1" in failure for failure in campaign.failures)
    trials = Warehouse(broken.warehouse).query("SELECT forecaster, status, error FROM trials WHERE study = 'smoke'")
    grouped = trials.group_by("forecaster", "status").len().rows()
    counts = {f"{forecaster} {status}": number for forecaster, status, number in grouped}
    assert counts["dlinear failed"] == 4
    assert counts["random_walk done"] == counts["random_walk shared"] == 2
    errors = trials.filter(pl.col("status") == "failed")["error"]
    assert errors.str.contains("dlinear on ").all()


def test_a_deterministic_forecaster_shows_no_spread(finished):
    summary = Warehouse(finished.warehouse).query(
        "SELECT DISTINCT seeds, sd IS NULL AS bare FROM summary "
        "WHERE forecaster IN ('ar', 'random_walk') AND mean IS NOT NULL"
    )
    assert summary.rows() == [(1, True)]


def test_rows_that_cross_a_closure_are_dropped_from_training_to_forecast(broken):
    """Windows of two fixings and labels of one: what is left are the fixings with a trading day on either side."""
    study = load_study("smoke", [*OVERRIDES, "context_length=2", "splits.closures=drop"])
    prepare_pair(broken, study, "EURUSD")
    folds = prepare_series(broken, study, "EURUSD", 1).table
    assert input_faults_of(folds) == []
    bars = pl.read_parquet(broken.study("smoke").table("bars", "EURUSD")).with_columns(
        before=pl.col("timestamp").diff(), after=pl.col("timestamp").diff().shift(-1)
    )
    near = pl.max_horizontal("before", "after") <= pl.duration(hours=25)
    for forecaster in ("random_walk", "ar", "dlinear"):
        folder = run_trial(broken, study, Trial(forecaster, "EURUSD", 1, 0))
        forecasts = pl.read_parquet(folder / "forecasts.parquet")
        own = bars.join(forecasts, left_on="available_at", right_on="cutoff", how="semi")
        assert own.filter(near).height == forecasts.height == folds.filter(part="test")["rows"].sum()
        assert not forecasts["crosses_closure"].any()
        spans = forecasts["target_at"] - forecasts["cutoff"]
        assert spans.max() <= dt.timedelta(hours=25)
    with pytest.raises(TrialError, match="exponential smoothing needs consecutive training rows"):
        run_trial(
            broken, load_study("smoke", ["context_length=2", "splits.closures=drop"]), Trial("ets", "EURUSD", 1, 0)
        )


def input_faults_of(folds):
    return [*label_overlaps(folds), *embargo_violations(folds, 1), *reused_test_rows(folds), *unaccounted_rows(folds)]


def test_what_a_trial_writes(finished):
    folder = next(finished.study("smoke").root.glob("trials/dlinear/EURUSD_h1/*"))
    assert {path.name for path in folder.iterdir()} == {
        "forecasts.parquet",
        "history.parquet",
        "weights.safetensors",
        "provenance.json",
    }


def test_finishing_after_losing_the_warehouse(broken):
    broken.warehouse.unlink()
    with opened() as campaign:
        assert finish(campaign) == ["metrics and report"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("splits.train=5000", "splits.train: one fold needs 5160 rows"),
        ("splits.train=339", "EURUSD_h1: one fold needs 499 usable rows"),  # holidays are known to the data alone
        ("data.start=2024-11-01", "splits.train: one fold needs 360 rows"),
        ("features=[log_return, high]", "features: 'high' needs 'high'"),
        ("data.pairs=[EURUSD, USDXXX]", "data.pairs: USDXXX: "),
    ],
)
def test_data_that_cannot_carry_the_study_is_one_clear_message(broken, override, message):
    result = golden("run", "smoke", "--backend", "sequential", *SETTINGS, "--set", override)
    assert result.exit_code == (1 if "usable" in message else 2)  # what the data alone tell is a run that failed
    assert message in result.output
    assert "Traceback" not in result.output
