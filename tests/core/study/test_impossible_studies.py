"""Studies that are well-formed and ask for what nobody can give: refused before a run, at the place of the setting."""

import pytest

from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.preparation.feasibility import LEAST
from golden_core.store.lake import Home, shipped
from golden_core.study import StudyError
from golden_core.trials import Trial
from golden_core.trials.run import TrialError, run_trial

SMOKE = shipped("studies", "smoke.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("line", "wrong", "says"), [
    ("  pairs: [EURUSD, USDJPY] ", "  pairs: [EURUSD, XXXYYY] ", "eurofxref-hist.zip has no currency 'XXX'"),
    ("  bar: 1d", "  bar: 1h", "must be 1d or 1mo for source ecb, which has one price a day, got 1h"),
    ("  time_zone: Europe/Berlin", "  time_zone: UTC", "must be Europe/Berlin for source ecb, got UTC"),
    ("features: [log_return, volatility_20]", "features: [log_return, open]", "'open' needs 'open'"),
    ("  train: 200", "  train: 363", "one fold needs 523 rows"),
    ("  end: 2024-12-31", "  end: 2099-12-31", "must not be after today"),
])  # fmt: skip
def test_each_is_refused_at_its_place(tmp_path, line, wrong, says):
    assert line in SMOKE
    path = tmp_path / "mine.yaml"
    path.write_text(SMOKE.replace(line, wrong))
    with pytest.raises(StudyError) as refused:
        load_study(str(path))
    [fault] = refused.value.faults
    number = 1 + SMOKE[: SMOKE.index(line)].count("\n")
    assert (fault.file, fault.line, fault.column) == ("mine.yaml", number, 1 + len(line) - len(line.lstrip()))
    assert says in fault.message


def test_what_fits_just_so_is_not_refused():
    """Its 522 weekdays have 499 rows at most: 339 + 60 + 100."""
    assert load_study("smoke", ["splits.train=339"])
    with pytest.raises(StudyError, match=r"at most 522 bars, of which 499 can be rows at horizon 1"):
        load_study("smoke", ["splits.train=340"])


def test_a_source_that_makes_its_bars_has_a_future():
    settings = "data.settings={process: ar, initial_price: 1.0, volatility: 0.01, r2: 0.1}"
    assert load_study("smoke", ["data.source=synthetic", settings, "data.end=2099-12-31"])
    with pytest.raises(StudyError, match=r"data\.end: must be a day: source synthetic makes its bars"):
        load_study("smoke", ["data.source=synthetic", settings, "data.end=latest"])


def test_there_are_no_fixings_of_before_the_euro():
    with pytest.raises(StudyError, match=r"from 1999-01-04 to 1999-12-31 there are at most 260 bars"):
        load_study("smoke", ["data.start=1990-01-01", "data.end=1999-12-31"])


def test_columns_that_a_file_is_declared_not_to_have():
    columns = "{timestamp: t, open: null, high: h, low: l, close: c, volume: null}"
    settings = f"data.settings={{format: columns, paths: {{EURUSD: a.csv}}, columns: {columns}}}"
    study = ["data.source=files", "data.pairs=[EURUSD]", settings]
    assert load_study("smoke", [*study, "features=[high, close]"])
    with pytest.raises(StudyError, match="'open' needs 'open'"):
        load_study("smoke", [*study, "features=[high, open]"])


def test_a_pair_without_a_known_pip_has_no_cost():
    pips = "economics.half_spread.pips.EURXYZ={sydney: 1, tokyo: 1, london: 1, new_york: 1, otherwise: 1}"
    with pytest.raises(StudyError, match=r"economics\.half_spread\.pips: data/pairs\.yaml knows no pip of EURXYZ"):
        load_study("demo", [pips])


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(StudyError) as refused:
        load_study("smoke", ["data.bar=1h", "data.pairs=[XXXYYY]", "features=[open]", "data.end=2099-12-31"])
    assert [fault.path for fault in refused.value.faults] == ["data.bar", "data.end", "data.pairs", "features"]


def test_a_patch_is_no_longer_than_the_context_and_heads_share_the_width():
    settings = "{patch_length: 4, stride: 1, width: 9, heads: 2, layers: 1, hidden: 8}"
    with pytest.raises(StudyError) as refused:
        load_study("smoke", [f"forecasters.patchtst={settings}"])
    found = {fault.path: fault.message for fault in refused.value.faults}
    assert found == {
        "forecasters.patchtst.width": "must be a multiple of heads (2), got 9",
        "forecasters.patchtst.patch_length": "must be ≤ context_length (3), got 4",
    }


def test_some_validation_rows_are_left_to_validate():
    """Of 250, 240 are left by the purge and the embargo; 10 more go between them and those that calibrate."""
    assert load_study("demo", ["quantiles.calibration.share=0.95"])
    with pytest.raises(StudyError, match=r"splits\.validation: leaves no row that validates: of 240, 231 calibrate"):
        load_study("demo", ["quantiles.calibration.share=0.96"])


def test_an_autoregression_has_its_lags_behind_it_and_rows_enough():
    """The first training row of smoke stands behind 20 bars of warm-up with 3 of context: it is the 23rd close."""
    assert load_study("smoke", ["forecasters.ar.max_order=22"])
    with pytest.raises(StudyError, match=r"forecasters\.ar\.max_order: needs 24 closes .* there are 23"):
        load_study("smoke", ["forecasters.ar.max_order=23"])
    assert load_study("smoke", ["forecasters.ar.max_order=23", "splits.closures=drop"])  # which may drop first rows
    assert load_study("smoke", ["forecasters.ar.max_order=20", "splits.train=25"])
    with pytest.raises(StudyError, match=r"needs 24 training rows, of 25 the purge leaves 23 at most"):
        load_study("smoke", ["forecasters.ar.max_order=21", "splits.train=25"])


@pytest.mark.parametrize(("name", "settings"), [
    ("random_walk_garch", "{}"), ("random_walk_gjr_t", "{}"), ("ets", "{model: ANN}"), ("theta", "{}"),
    ("lightgbm", "{leaves: [3], rows_per_leaf: 5, rounds: 2, learning_rate: 0.1, patience: 1}"),
])  # fmt: skip
def test_a_forecaster_has_the_rows_without_which_it_does_not_fit(name, settings):
    """Where purge and embargo leave just those it fits; its own refusal comes with one fewer, as before any run."""
    train, validation = LEAST[name]
    asked = [f"forecasters={{random_walk: {{}}, {name}: {settings}}}", f"splits.validation={max(validation, 1) + 2}"]
    study = load_study("smoke", [*asked, f"splits.train={train + 2}"])
    home = Home.from_environment()
    prepare_all(home, study, [("EURUSD", 1)])
    run_trial(home, study, Trial(name, "EURUSD", 1, 0))
    fewer = study.model_copy(update={"splits": study.splits.model_copy(update={"train": train + 1})})
    prepare_all(home, fewer, [("EURUSD", 1)])
    with pytest.raises(TrialError, match="at least"):
        run_trial(home, fewer, Trial(name, "EURUSD", 1, 0))
    with pytest.raises(StudyError, match=rf"forecasters\.{name}: needs {train} training rows, of {train + 1} the"):
        load_study("smoke", [*asked, f"splits.train={train + 1}"])
