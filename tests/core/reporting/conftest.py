"""A synthetic study: random forecasts of known skill, through the real evaluation into a real warehouse."""

import datetime
import itertools
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from markupsafe import Markup
from support.forecasts import filled

from golden_core.claims.decisions import claims_table
from golden_core.evaluation.aggregate import summary_table
from golden_core.evaluation.comparisons import comparisons_table
from golden_core.evaluation.distributions import coverage_table, scores_table
from golden_core.evaluation.point import metrics_table
from golden_core.preparation.catalogue import load_study
from golden_core.reporting import svg
from golden_core.reporting.judged import Judged
from golden_core.reporting.pages import write_report
from golden_core.store import schema
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials.registration import Standing

STREAM = Stream(20_261_123)
FIRST_DAY = datetime.datetime(2020, 1, 1, 15, tzinfo=datetime.UTC)
INJECTION = "FitError: <script>alert('loss')</script> & worse | a_b\nsecond line"

# forecaster → seeds that differ; 0 is deterministic
SEEDED = {"random_walk": 0, "ar": 0, "dlinear": 1}


SETTINGS = load_study("smoke").model_dump() | {
    "name": "synthetic",
    "description": "Random forecasts of known skill.",
    "features": ("log_return",),
    "horizons": (1, 5),
    "seeds": {"root": 1, "count": 5},
    "forecasters": {"random_walk": {}, "ar": {}, "dlinear": {}},
}
SETTINGS["data"] |= {"source": "synthetic", "pairs": ("EURUSD", "USDJPY")}
SETTINGS["splits"] |= {"train": 200, "validation": 50, "test": 100, "step": 100, "embargo": 2}
SETTINGS["evaluation"] |= {"confidence": 0.95, "significance": 0.05, "strata": ("year",)}


def make_study(**changes):
    return Study.model_validate({**SETTINGS, **changes})


def skill_of(forecaster, pair):
    """Share of the truth that a forecast holds, and its noise relative to the truth."""
    if forecaster == "random_walk":
        return 0.0, 0.0
    if forecaster == "ar":
        return (0.3, 0.1) if pair == "EURUSD" else (0.0, 0.05)
    return 0.0, 0.5


def make_forecasts(study, days, seeded=SEEDED, skill=skill_of):
    """Forecasts of every trial: the truth shrunk by the skill, plus noise of its own per seed."""
    parts = []
    for pair, horizon in itertools.product(study.data.pairs, study.horizons):
        random = STREAM.child("truth", pair, horizon).generator()
        truth = 0.006 * np.sqrt(horizon) * random.standard_normal(days)
        for forecaster in study.forecasters:
            kept, noise = skill(forecaster, pair)
            for seed in range(study.seeds.count if seeded[forecaster] else 1):
                random = STREAM.child("noise", forecaster, pair, horizon, seed).generator()
                predicted = kept * truth + noise * 0.006 * np.sqrt(horizon) * random.standard_normal(days)
                parts.append(one_trial(study.name, forecaster, pair, horizon, seed, truth, predicted))
    return schema.FORECASTS.conform(pl.concat(parts))


def one_trial(study, forecaster, pair, horizon, seed, truth, predicted):
    cutoffs = [FIRST_DAY + datetime.timedelta(days=day) for day in range(len(truth))]
    close = 1.2 * np.exp(np.cumsum(truth) / horizon)
    told = {"cutoff": cutoffs, "target_at": [at + datetime.timedelta(days=horizon) for at in cutoffs]}
    told |= {"y_true": truth, "y_pred": predicted, "last_close": close, "true_close": close * np.exp(truth)}
    told |= {"pred_close": close * np.exp(predicted), "volatility": np.abs(truth) + 0.001}
    facts = {"study": study, "forecaster": forecaster, "pair": pair, "horizon": horizon, "seed": seed, "scale": 0.005}
    return filled(pl.DataFrame(told | {"fold": np.arange(len(truth)) // 100}), **facts)


def make_trials(study, seeded=SEEDED):
    frame = pl.DataFrame(
        [
            (study.name, forecaster, pair, horizon, seed, "done" if seeded[forecaster] or not seed else "shared",
             "f" * 64, not seeded[forecaster], 10, 0.1, 0.1, 100.0, None)
            for forecaster in study.forecasters
            for pair in study.data.pairs
            for horizon in study.horizons
            for seed in range(study.seeds.count)
        ],
        schema=schema.TRIALS.dtypes,
        orient="row",
    )  # fmt: skip
    return schema.TRIALS.conform(frame)


def make_history(study, forecaster):
    rows = []
    for pair, horizon, seed in itertools.product(study.data.pairs, study.horizons, range(study.seeds.count)):
        random = STREAM.child("history", forecaster, pair, horizon, seed).generator()
        for epoch in range(1, 13 - int(random.integers(0, 7))):
            fall = 0.4 * np.exp(-epoch / 3)
            losses = (0.95 + fall + 0.02 * random.random(), 1.0 + fall / 2 + 0.03 * random.random())
            rows.append((study.name, forecaster, pair, horizon, seed, 0, epoch, *losses, 1e-3))
    return pl.DataFrame(rows, schema=schema.HISTORY.dtypes, orient="row")


def make_folds(study):
    """Training parts are in two runs: ten rows between them cross a closure and were dropped."""
    runs = (("train", 0, 0, 120), ("train", 1, 130, 200), ("validation", 0, 208, 250), ("test", 0, 258, 358))
    rows = []
    for pair, horizon, fold, (part, segment, start, stop) in itertools.product(
        study.data.pairs, study.horizons, range(2), runs
    ):
        first, last = (FIRST_DAY + datetime.timedelta(days=fold * 100 + row - 258) for row in (start, stop - 1))
        closures = (10, 10, 7, 5) if part == "train" else (0, 0, 0, 0)
        dropped = (0, 0) if part == "test" else (horizon, 2)
        account = (stop - start + sum(dropped), *dropped, *closures) if segment == 0 else (0,) * 7
        label = (stop + horizon, last + datetime.timedelta(days=horizon))
        span = (start, stop, stop - start, *account, first, last, first - datetime.timedelta(days=7), first, last)
        rows.append((study.name, pair, horizon, fold, part, segment, "walk_forward", *span, *label))
    return pl.DataFrame(rows, schema=schema.FOLDS.dtypes, orient="row")


RULES = (
    ("unremarkable", "kept", 777),
    ("implausible_jump", "kept", 2),
    ("unusable_price", "quarantined", 1),
    ("out_of_order", "repaired", 3),
)
CLOSED = (
    (datetime.date(2020, 4, 10), "Good Friday"),
    (datetime.date(2020, 4, 13), "Easter Monday"),
    (datetime.date(2021, 4, 2), "Good Friday"),
    (datetime.date(2021, 6, 8), None),
)


def make_tables(study, forecasts, trials, curves):
    metrics = metrics_table(forecasts, study.evaluation.strata)
    cleaning = [(pair, *rule, "what it does") for pair in study.data.pairs for rule in RULES]
    calendar = [(pair, *day) for pair in study.data.pairs for day in CLOSED]
    return {
        "trials": trials,
        "forecasts": forecasts,
        "metrics": metrics,
        "summary": summary_table(forecasts, metrics, trials, study.evaluation, STREAM.child("bootstrap")),
        "comparisons": comparisons_table(forecasts),
        "history": pl.concat([make_history(study, name) for name in curves]),
        "folds": make_folds(study),
        "cleaning": pl.DataFrame(cleaning, schema=schema.CLEANING.dtypes, orient="row"),
        "calendar": pl.DataFrame(calendar, schema=schema.CALENDAR.dtypes, orient="row"),
    }


PROVENANCE = {
    "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
    "machine": {"cpu": "A processor & co.", "memory_gb": 15.6, "gpu": None},
    "libraries": {"polars": "2.1.0", "torch": "2.13.0"},
    "inputs": {"sha256": "ab" * 32},
    "command": "golden run synthetic && golden report synthetic",
}

JUDGED = Judged.of(
    [
        ("passed", "embargo_kept", "folds", True, "12 fold parts examined"),
        ("not run", "forecasts_reproduce_bitwise", "metrics", False, ""),
        ("failed", "nothing_sees_the_future", "folds", True, "feature 'volatility_20' <b>changes</b>"),
    ],
    [("nothing_sees_the_future", "features", "reversed", 102)],
)


@pytest.fixture(scope="session")
def study():
    return make_study()


@pytest.fixture(scope="session")
def forecasts(study):
    return make_forecasts(study, 200)


@pytest.fixture(scope="session")
def tables(study, forecasts):
    return make_tables(study, forecasts, make_trials(study), ("dlinear",))


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory, study, tables):
    made = Warehouse(tmp_path_factory.mktemp("complete") / "warehouse.duckdb")
    made.load(study.name, tables)
    return made


@pytest.fixture(scope="session")
def incomplete(tmp_path_factory, study, forecasts):
    """One trial of dlinear failed and one was never run."""
    gone = (pl.col("forecaster") == "dlinear") & (pl.col("pair") == "USDJPY") & (pl.col("horizon") == 5)
    failed, missing = gone & (pl.col("seed") == 1), gone & (pl.col("seed") == 3)
    trials = make_trials(study).with_columns(
        status=pl.when(failed).then(pl.lit("failed")).when(missing).then(pl.lit("missing")).otherwise("status"),
        error=pl.when(failed).then(pl.lit(INJECTION)),
    )
    made = Warehouse(tmp_path_factory.mktemp("incomplete") / "warehouse.duckdb")
    made.load(study.name, make_tables(study, forecasts.filter(~(failed | missing)), trials, ("dlinear",)))
    return made


@pytest.fixture(scope="session")
def folder(warehouse, study, tmp_path_factory):
    """The report of the complete study."""
    where = tmp_path_factory.mktemp("reports") / "synthetic"
    write_report(warehouse, study, where, PROVENANCE)
    return where


LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="session")
def whole(tables, forecasts, tmp_path_factory):
    """A study with everything: claims, and quantiles of two forecasters, one with an infinite end now and then."""
    section = {"levels": LEVELS, "calibration": {"method": "split", "share": 0.5}}
    protocol = load_study("demo").protocol.model_dump() | {"kinds": ("more_accurate", "predicts", "equivalent")}
    study = make_study(quantiles=section, protocol=protocol)
    around = pl.DataFrame({"level": LEVELS, "value": [-0.01, 0.0, 0.01], "rearranged": [False] * 3})
    beside = forecasts.filter(pl.col("forecaster") != "dlinear").join(around, how="cross")
    endless = (pl.col("forecaster") == "ar") & (pl.col("level") == 0.9) & (pl.col("cutoff").dt.day() == 1)
    shifted = pl.when(endless).then(float("inf")).otherwise(pl.col("y_pred") + pl.col("value"))
    quantiles = schema.QUANTILES.conform(beside.with_columns(value=shifted).select(*schema.QUANTILES.dtypes))
    folder = tmp_path_factory.mktemp("whole")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    found = {
        "quantiles": quantiles,
        "coverage": coverage_table(forecasts, quantiles, 0.95),
        "scores": scores_table(forecasts, quantiles),
        "claims": claims_table(study.name, forecasts, study.protocol, 0.95, Standing(True, 2)),
    }
    warehouse.load(study.name, tables | found)
    write_report(warehouse, study, folder / "report", PROVENANCE, JUDGED)
    return SimpleNamespace(study=study, warehouse=warehouse, folder=folder / "report", **found)


@pytest.fixture(scope="session")
def whole_page(whole):
    return Page((whole.folder / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def page(folder):
    return Page((folder / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def incomplete_page(incomplete, study, tmp_path_factory):
    where = tmp_path_factory.mktemp("reports") / "incomplete"
    write_report(incomplete, study, where, PROVENANCE)
    return Page((where / "index.html").read_text(encoding="utf-8"))


@pytest.fixture
def _undrawn(monkeypatch):
    """Leave figures empty: to draw those of one page takes seconds, and most of what a page says is no figure."""
    monkeypatch.setattr(svg, "_svg", lambda *_: Markup('<svg role="img" aria-label="left empty"></svg>'))


@pytest.fixture(scope="session")
def builders():
    """This module, for tests that build a study of their own."""
    return sys.modules[__name__]


class Page(HTMLParser):
    """A page as a reader gets it: elements with attributes, and by figure the cells of its tables and its query."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cells: dict[str, list[list[str]]] = {}
        self.queries: dict[str, str] = {}
        self.text: list[str] = []
        self._figure = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)
        if tag == "figure":
            self._figure = dict(attributes)["id"] or ""
        if tag == "tr" and self._figure:
            self.cells.setdefault(self._figure, []).append([])
        if tag in ("td", "th") and self._figure:
            self.cells[self._figure][-1].append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:  # void elements have no end
            pass
        if tag == "figure":
            self._figure = ""

    def handle_data(self, data):
        self.text.append(data)
        if "td" in self._open or ("th" in self._open and self._figure):
            if self._figure:
                self.cells[self._figure][-1][-1] += data
        elif "code" in self._open and self._figure:
            self.queries[self._figure] = self.queries.get(self._figure, "") + data

    @property
    def words(self):
        """The text of the page with single spaces."""
        return " ".join("".join(self.text).split())
