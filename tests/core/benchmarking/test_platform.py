"""Every part of the platform is called and counted; nothing of a study changes by being timed."""

from golden_core.benchmarking.forecasters import Effort, first_fold
from golden_core.benchmarking.platform import FORECASTERS, TIMES, data_parts, statistics_parts
from golden_core.preparation.catalogue import load_study

BRIEF = Effort(seconds=1e-9, samples=1)


def test_parts_of_the_data_path(home):
    study = load_study("smoke")
    first_fold(home, study)
    before = {path: path.read_bytes() for path in home.root.rglob("*.parquet")}
    found = {one.subject: one for one in data_parts(home, study, BRIEF, note=lambda _: None)}
    assert list(found) == [
        "source to raw table", "raw table to bars", "bars to folds", "bars to features", "folds to windows",
    ]  # fmt: skip
    assert found["bars to folds"].condition.batch > 400
    assert {path: path.read_bytes() for path in home.root.rglob("*.parquet")} == before


def test_parts_of_the_statistics():
    notes = []
    found = statistics_parts(BRIEF, notes.append)
    assert [f"{one.subject} …" for one in found] == notes
    assert {one.condition.batch for one in found} == {TIMES, TIMES * FORECASTERS}
