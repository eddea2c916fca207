"""A filed calibration: what is off its size is named, a changed table is none, and a repetition sees a changed test."""

from pathlib import Path

import polars as pl
import pytest

from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.evaluation import calibrated
from golden_core.reporting.pictures import as_png, calibration_figure
from golden_core.statistics.calibration import Cell
from golden_core.statistics.calibration import calibrate as measure
from golden_core.store.lake import Home

CELLS = (Cell("more_accurate", "iid", 250, 1), Cell("predicts", "garch", 1888, 24), Cell("superior", "ma", 250, 24))
CHECKS = {check.name: check for check in PLATFORM_CHECKS}


@pytest.fixture
def home(tmp_path, monkeypatch):
    def few(stream, **how):
        return measure(stream, **{**how, "jobs": 1}, only=CELLS.__contains__)

    monkeypatch.setattr(calibrated, "calibrate", few)
    return Home(tmp_path / "home", tmp_path / "reports")


def decided(name, home):
    return CHECKS[name].decide(home, None)


def test_nothing_measured_is_no_success(home):
    for name in ("tests_keep_their_size", "calibration_repeats"):
        found = decided(name, home)
        assert (found.severity, found.examined) == ("warn", 0)
        assert "golden statistics calibrate" in found.findings[0]


def test_what_was_measured_is_filed_and_repeats(home):
    table, folder = calibrated.measure_calibration(home, 500)
    filed = calibrated.filed_calibration(home)
    assert filed.table.equals(table)
    assert filed.current
    assert (folder / "calibration.csv").is_file()
    assert "500 simulations carry no claim" in decided("tests_keep_their_size", home).findings[0]
    found = decided("calibration_repeats", home)
    assert (found.findings, found.examined) == ([], 4)
    assert as_png(calibration_figure(table)).startswith(b"\x89PNG")


def test_a_changed_table_is_no_calibration(home):
    _, folder = calibrated.measure_calibration(home, 500)
    path = folder / "calibration.csv"
    path.write_text(path.read_text().replace("as wanted", "too large"))
    assert calibrated.filed_calibration(home) is None


def test_what_is_read_is_what_was_hashed(home, monkeypatch):
    """Somebody may measure again while the table is being looked at."""
    table, _ = calibrated.measure_calibration(home, 500)
    read = Path.read_bytes

    def before_another(path):
        content = read(path)
        if path.suffix == ".csv":
            path.write_bytes(content.replace(b"as wanted", b"too large"))
        return content

    monkeypatch.setattr(Path, "read_bytes", before_another)
    assert calibrated.filed_calibration(home).table.equals(table)


def test_a_test_off_its_size_is_an_error(home):
    _, _ = calibrated.measure_calibration(home, 500)
    row = {"rate": 0.09, "verdict": "too large", "simulations": 10_000}
    table = calibrated.filed_calibration(home).table.with_columns(
        pl.when(pl.col("measure") == "size").then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in row.items()
    )
    assert "more_accurate in iid, n 250, horizon 1: size 0.0900, [0.037, 0.063] expected" in calibrated.off_size(table)


@pytest.mark.parametrize(("verdict", "simulations", "severity"), [
    ("too large", 10_000, "error"), ("too small", 10_000, "error"), ("as wanted", 10_000, None),
    ("too large", 9_999, "warn"),
])  # fmt: skip
def test_what_the_check_makes_of_a_size(home, monkeypatch, verdict, simulations, severity):
    """Off its band a size is an error; of too few simulations it lies there by luck, and only warns."""
    facts = {"test": "predicts", "world": "iid", "n": 250, "horizon": 1, "measure": "size", "low": 0.037, "high": 0.063}
    table = pl.DataFrame([{**facts, "rate": 0.09, "verdict": verdict}])
    filed = calibrated.Calibrated(table, simulations, current=True)
    monkeypatch.setattr(calibrated, "filed_calibration", lambda _home: filed)
    found = decided("tests_keep_their_size", home)
    assert bool(found.findings) == (severity is not None)
    assert (found.severity, found.examined) == (severity or "warn", 1)
    assert CHECKS["tests_keep_their_size"].faults(home, None) == (found.findings if severity == "error" else [])


def test_a_changed_test_does_not_repeat(home, monkeypatch):
    calibrated.measure_calibration(home, 500)
    honest = calibrated.calibrate

    def liberal(*given, **how):
        return honest(*given, **how).with_columns(rate=pl.col("rate") + 0.05)

    monkeypatch.setattr(calibrated, "calibrate", liberal)
    assert any("measured again" in finding for finding in decided("calibration_repeats", home).findings)


def test_a_calibration_of_other_code_only_warns(home, monkeypatch):
    calibrated.measure_calibration(home, 500)
    monkeypatch.setattr(calibrated, "code_hash", lambda _modules: "other")
    for name in ("tests_keep_their_size", "calibration_repeats"):
        found = decided(name, home)
        assert found.severity == "warn"
        assert found.findings[-1] == "the calibration was measured on other tests or worlds: measure it again"
