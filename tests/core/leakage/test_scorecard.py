"""The scorecard: a small one end to end, and rates, faults and files on rows made by hand."""

from dataclasses import replace

import polars as pl
import pytest

from golden_core.leakage import scorecard as module
from golden_core.leakage.corpus.entries import CORPUS, HELD_OUT, read_entries
from golden_core.leakage.examination import Effort
from golden_core.leakage.scorecard import CLEAN, KINDS, ROWS, Job, examine, jobs, read_settings, scorecard
from golden_core.leakage.scorecard_store import (
    Rate,
    by_kind,
    faults,
    file_scorecard,
    filed_scorecard,
    probes_and_leaks,
    rates,
)
from golden_core.store.lake import Home

PATHS = (CORPUS, HELD_OUT)
SETTINGS = read_settings()
# One kind for each way of finding: poison upstream, of a choice, of rows, structure, and effects.
SAMPLE = {"scale_on_all_rows", "stop_on_test", "outliers_by_sample_sd", "no_embargo", "open_column_slipped"}


def rows(caught, honest, *, kind="deterministic", placed=None):
    """Return a scorecard with leaks caught or not, and honest pipelines with an alarm or not."""
    record = dict.fromkeys(ROWS) | {"kind": kind, "held_out": False, "site": 0, "probes": "", "cpu_seconds": 1.0}
    leak = record | {"id": "leak", "leak_class": "L2"}
    right = caught if placed is None else [placed] * len(caught)
    places = enumerate(zip(caught, right, strict=True))
    leaks = [leak | {"replicate": n, "caught": c, "place_right": r} for n, (c, r) in places]
    clean = [record | {"id": CLEAN, "replicate": n, "caught": c, "asset": "bars"} for n, c in enumerate(honest)]
    return pl.DataFrame(leaks + clean, schema=ROWS)


def test_a_sample_of_leaks_is_caught_in_its_place(monkeypatch):
    entries = {path: [replace(e, sites=e.sites[:1]) for e in read_entries(path) if e.id in SAMPLE] for path in PATHS}
    monkeypatch.setattr(module, "read_entries", entries.get)
    little = Effort(common=3, odd=4, choices=1, fits=1)  # the scorecard itself, which is evidence, spends more
    few = replace(SETTINGS, effort=little, clean_deterministic=1, clean_statistical=2, replicates=1)
    found = scorecard(few, backend="sequential", workers=1)
    for kind in KINDS:
        (fault,) = faults(found, kind)
        assert "honest pipelines were examined" in fault
    assert found.filter(pl.col("id") != CLEAN)["place_right"].to_list() == [True] * len(SAMPLE)
    assert found.filter(id=CLEAN).height == 3


def test_progress_is_told_and_jobs_cover_what_they_must(monkeypatch):
    full = list(jobs(SETTINGS))
    assert sum(job.entry is None and job.kind == "deterministic" for job in full) == 300
    assert sum(job.entry is None and job.kind == "statistical" for job in full) == 1000
    assert {job.site for job in full if job.entry and job.entry.id == "stop_on_test"} == {0, 1, 2}
    monkeypatch.setattr(module, "read_entries", lambda _path: ())
    told = []
    few = replace(SETTINGS, clean_deterministic=0, clean_statistical=2)

    def watched(rows, total):
        for row in rows:
            told.append((row["replicate"], total))
            yield row

    assert scorecard(few, backend="sequential", workers=1, watched=watched).height == 2
    assert told == [(0, 2), (1, 2)]


def test_a_row_is_reproducible():
    job = Job("statistical", None, False, 0, 3)
    one, other = (examine(job, SETTINGS) for _ in range(2))
    assert {**one, "cpu_seconds": 0} == {**other, "cpu_seconds": 0}


def test_exact_intervals():
    # Clopper & Pearson with no success in n trials: upper limit 1 − (α/2)^(1/n).
    assert Rate(0, 300).interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 300)))
    assert Rate(300, 300).interval == pytest.approx((0.025 ** (1 / 300), 1.0))
    assert Rate(0, 0).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("table", "kind", "said"),
    [
        (rows([True] * 9 + [False], [False] * 300), "deterministic", "leaks caught: 9 of 10"),
        (rows([True], [True] + [False] * 299), "deterministic", "false alarms"),
        (rows([True], [False] * 299), "deterministic", "300 are needed"),
        (rows([True] * 10, [False] * 300, placed=False), "deterministic", "leaks placed: 0 of 10"),
        (rows([], [False] * 300), "deterministic", "leaks caught: 0 of 0"),
        (rows([True] * 94 + [False] * 6, [False] * 1000, kind="statistical"), "statistical", "94 of 100"),
        (rows([True], [True] * 11 + [False] * 989, kind="statistical"), "statistical", "false alarms"),
    ],
)
def test_every_broken_claim_is_a_fault(table, kind, said):
    assert any(said in fault for fault in faults(table, kind))


def test_claims_that_hold_have_no_fault():
    assert faults(rows([True] * 10, [False] * 300), "deterministic") == []
    statistical = rows([True] * 95 + [False] * 5, [True] * 10 + [False] * 990, kind="statistical")
    assert faults(statistical, "statistical") == []


def test_missed_kinds_stand_first_in_the_table():
    table = pl.concat([rows([True], []), rows([False], []).with_columns(id=pl.lit("missed"))])
    assert by_kind(table)["id"].to_list() == ["missed", "leak"]
    assert str(rates(table)["deterministic leaks caught"]).startswith("1 of 2 = 50.0%")


def test_a_filed_scorecard_knows_what_it_was_measured_on(monkeypatch):
    home = Home.from_environment()
    assert filed_scorecard(home) is None
    file_scorecard(home, rows([True], [False] * 300), probes_and_leaks())
    filed = filed_scorecard(home)
    assert filed.current
    assert faults(filed.rows, "deterministic") == []
    monkeypatch.setattr("golden_core.leakage.scorecard_store.code_hash", lambda _: "other")
    assert not filed_scorecard(home).current
