"""A week of nights: a moving clock, and a bank on the loopback that publishes on working days."""

import datetime as dt
import io
import zipfile

import dagster as dg
import pytest
from support.servers import serving

from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.sources.ecb_history import refreshed_path
from golden_core.sources.ecb_refresh import RefreshError, refresh
from golden_core.store.lake import Home, parse_series
from golden_core.trials import all_trials, series_inputs, trial_status
from golden_dagster.definitions import definitions_for
from golden_dagster.lib import assets
from golden_dagster.partitions import trial_key
from golden_dagster.resources import StudyResource

OVERRIDES = ["forecasters={random_walk: {}, ar: {max_order: 2}}", "data.end=latest"]
PAIRS, SERIES = {"EURUSD", "USDJPY"}, {"EURUSD_h1", "USDJPY_h1"}
QUALITY, METRICS, REPORT = {"data_quality": {None}}, {"metrics": {None}}, {"report": {None}}
TABLES = {"leaderboard": {None}, "comparisons": {None}}
THURSDAY = dt.datetime(2024, 11, 28, 18, tzinfo=dt.UTC)


def history(last, revised=0.0):
    """The archive up to a day; the yen of one old day can be revised."""
    days = [d for n in range(800) if (d := dt.date(2022, 12, 1) + dt.timedelta(n)).weekday() < 5 and d <= last]
    yen = {days[300]: revised}
    rows = [f"{d},{1.1 + i % 17 / 1000},{155 + i % 13 / 100 + yen.get(d, 0)}," for i, d in enumerate(days)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("eurofxref-hist.csv", "\n".join(["Date,USD,JPY,", *reversed(rows)]) + "\n")
    return buffer.getvalue()


class Nights:
    """Everything but Dagster's daemon and the training: what ticks ask for is prepared and logged as its run would."""

    def __init__(self, bank, instance):
        self.bank, self.instance, self.home = bank, instance, Home.from_environment()
        self.study, self.cursor, self.clock, self.failing = load_study("smoke", OVERRIDES), None, THURSDAY, set()
        self.load()

    def load(self):
        """Load the code location, as after a change of code."""
        self.located = definitions_for(self.study, StudyResource(study="smoke"))
        self.graph = self.located.resolve_asset_graph()

    def night(self):
        """Refresh the rates and tick until nothing is asked for; return what each tick asked for."""
        try:
            refresh(self.home.root, url=self.bank.url, timeout=5)
            self.made("ecb_rates", {None: prepare_raw(self.home, self.study).hash})
        except RefreshError:
            pass  # the night's run has failed, and yesterday's rates stand
        asked = []
        while wanted := self.tick():
            asked.append(wanted)
            assert len(asked) < 10
            for name, partitions in wanted.items():
                self.made(name, {p: v for p in partitions if (v := self.version(name, p)) is not None})
        self.clock += dt.timedelta(days=1)
        return asked

    def tick(self):
        result = dg.evaluate_automation_conditions(
            self.located, self.instance, cursor=self.cursor, evaluation_time=self.clock
        )
        self.cursor, self.clock = result.cursor, self.clock + dt.timedelta(minutes=5)
        keys = [key for key in self.graph.get_all_asset_keys() if result.get_num_requested(key)]
        return {key.to_user_string(): {p and str(p) for p in result.get_requested_partitions(key)} for key in keys}

    def version(self, name, partition):
        """Make one partition, and return the version of its content; nothing where its run fails."""
        home, study = self.home, self.study
        if name == "clean_bars":
            return prepare_pair(home, study, partition).hash
        if name == "folds":
            prepare_series(home, study, *parse_series(partition))
            return series_inputs(home, study, *parse_series(partition)).hash
        if name.startswith("models/"):
            return None if (name, partition) in self.failing else self.fingerprints()[name, partition]
        return str(self.clock)

    def fingerprints(self):
        trials = all_trials(self.study)
        prints = trial_status(self.home, self.study, trials)["fingerprint"]
        return {(f"models/{t.forecaster}", trial_key(t)): p for t, p in zip(trials, prints, strict=True)}

    def made(self, name, versions):
        key = dg.AssetKey(name.split("/"))
        for partition, version in versions.items():
            event = dg.AssetMaterialization(key, partition=partition, tags={"dagster/data_version": version})
            self.instance.report_runless_asset_event(event)
        for check in self.graph.get_check_keys_for_assets({key}):
            if self.graph.get_check_spec(check).blocking:
                passed = dg.AssetCheckEvaluation(asset_key=key, check_name=check.name, passed=True)
                self.instance.report_runless_asset_event(passed)


@pytest.fixture
def nights(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    path = refreshed_path(Home.from_environment().root)
    path.parent.mkdir(parents=True)
    path.write_bytes(history(dt.date(2024, 11, 27)))  # of yesterday
    with serving() as bank, dg.DagsterInstance.ephemeral() as instance:
        yield Nights(bank, instance)


def trials_of(*series):
    return {f"s0{seed}|{name}" for seed in (0, 1) for name in series}


def layers(bars, series, *published):
    """Return what a night asks for, tick by tick, once bars of some pairs, and some series, are other ones."""
    trials = {f"models/{name}": trials_of(*series) for name in ("ar", "random_walk")}
    return [{"clean_bars": bars}, {"folds": series, **QUALITY}, trials, *published]


def test_seven_nights_ask_for_exactly_what_is_stale_or_missing(nights, monkeypatch):
    everything = layers(PAIRS, SERIES, METRICS, TABLES, REPORT)
    nights.bank.sends(history(dt.date(2024, 11, 28)))
    fresh = layers(PAIRS, SERIES, METRICS | TABLES | REPORT)
    assert nights.night() == fresh, "Thursday: a fresh home, where all is missing"
    nights.bank.sends(history(dt.date(2024, 11, 29)))
    before = nights.fingerprints()
    assert nights.night() == everything, "Friday: one day more"
    assert all(before[key] != now for key, now in nights.fingerprints().items())
    assert nights.night() == [], "Saturday: no rates"
    honest = assets.code_version
    monkeypatch.setattr(
        assets,
        "code_version",
        lambda *made_by: honest(*made_by) + "+" * ("golden_core.forecasters.statistical" in made_by),
    )
    nights.load()
    assert nights.night() == [{"models/ar": trials_of(*SERIES)}], "Sunday: other code, and the same forecasts"
    nights.bank.sends(b"", status=503)
    assert nights.night() == [], "Monday: the bank does not answer"
    nights.bank.sends(history(dt.date(2024, 12, 3)))
    nights.failing = {("models/ar", "s01|USDJPY_h1")}
    assert nights.night() == everything, "Tuesday: two days more, and a trial that fails is asked for once"
    assert nights.night() == []
    nights.bank.sends(history(dt.date(2024, 12, 3), revised=0.5))
    nights.failing = set()
    revised = layers(PAIRS, {"USDJPY_h1"}, METRICS, TABLES, REPORT)
    assert nights.night() == revised, "Wednesday: the yen of an old day is revised; what failed is stale, so asked for"
