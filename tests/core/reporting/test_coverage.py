"""What is counted as present, and when the report refuses."""

import polars as pl
import pytest

from golden_core.reporting.coverage import RandomWalkMissingError, coverage, require_random_walk
from golden_core.reporting.exhibits import exhibit
from golden_core.reporting.pages import write_report
from golden_core.store.warehouse import Warehouse, WarehouseError

WALK = pl.col("forecaster") == "random_walk"
USDJPY_H5 = (pl.col("pair") == "USDJPY") & (pl.col("horizon") == 5)


@pytest.fixture
def load(tmp_path, study, tables):
    """Load the complete study with some tables replaced."""

    def loaded(**changed):
        made = Warehouse(tmp_path / "warehouse.duckdb")
        made.load(study.name, {**tables, **changed})
        return made

    return loaded


def test_what_is_present_failed_or_missing_is_counted(warehouse, incomplete, study):
    assert str(coverage(warehouse, study)) == "60 of 60 trials (28 done, 32 shared)"
    assert coverage(warehouse, study).complete
    assert str(coverage(incomplete, study)) == "58 of 60 trials (26 done, 32 shared, 1 failed, 1 missing)"
    assert not coverage(incomplete, study).complete


def test_trials_that_the_table_does_not_know_or_that_left_no_forecasts_are_missing(load, study, tables, forecasts):
    covered = coverage(load(trials=tables["trials"].filter(pl.col("seed") < 4)), study)
    assert not covered.complete
    assert str(covered) == "48 of 60 trials (24 done, 24 shared, 12 missing)"
    lost = (pl.col("forecaster") == "ar") & USDJPY_H5
    covered = coverage(load(forecasts=forecasts.filter(~lost)), study)
    assert str(covered) == "55 of 60 trials (27 done, 28 shared, 5 missing)"


def test_failures_carry_their_error(incomplete, study, builders):
    row = exhibit("failures", incomplete, study).answer.frame.row(0, named=True)
    said = {"forecaster": "dlinear", "series": "USDJPY_h5", "trials": 1, "seeds": "1"}
    assert row == said | {"error": builders.INJECTION}


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (WALK & USDJPY_H5, "200 forecasts of ar on USDJPY_h5 have no random walk beside them"),
        (WALK, r"of ar on EURUSD_h1 have no random walk.*of dlinear on USDJPY_h5"),
        (WALK & USDJPY_H5 & (pl.col("cutoff") == pl.col("cutoff").max()), "1 forecasts of ar on USDJPY_h5 have no"),
        (pl.lit(True), "no forecasts"),
    ],
    ids=["one series", "everywhere", "one cutoff", "no forecasts at all"],
)
def test_nothing_is_printed_without_the_random_walk(load, study, forecasts, tmp_path, gone, named):
    made = load(forecasts=forecasts.filter(~gone))
    with pytest.raises(RandomWalkMissingError, match=named):
        write_report(made, study, tmp_path / "report", {})
    assert not (tmp_path / "report").exists()


def test_the_random_walk_may_stand_alone(load, study, forecasts):
    require_random_walk(load(forecasts=forecasts.filter(WALK)), study)


def test_one_opening_serves_a_whole_page(warehouse, study, monkeypatch):
    """Opening is most of what a small query costs; inside, every query answers as outside."""
    outside = warehouse.query("SELECT count(*) AS n FROM forecasts WHERE study = ?", [study.name])
    with warehouse.kept_open():
        assert warehouse.query("SELECT count(*) AS n FROM forecasts WHERE study = ?", [study.name]).equals(outside)
    with pytest.raises(WarehouseError, match="there is no warehouse"), Warehouse(warehouse.path / "none").kept_open():
        pass
