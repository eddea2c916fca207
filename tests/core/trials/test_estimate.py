"""What trials will cost is told by those that have finished, whatever lies beside their files."""

from pathlib import Path
from statistics import fmean

from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home, write_json
from golden_core.trials.estimate import estimate

STUDY = load_variant("smoke", OVERRIDES)


def test_a_link_to_nothing_and_a_record_without_its_time_end_no_estimate(broken):
    before = estimate(broken, STUDY, ["dlinear"])
    first, second, *_ = sorted((broken.study("smoke").root / "trials" / "dlinear").glob("*/*"))
    (first / ".#history.parquet").symlink_to("somebody@host.123")
    assert estimate(broken, STUDY, ["dlinear"]) == before
    write_json({"wall_seconds": "long"}, second / "provenance.json")
    assert estimate(broken, STUDY, ["dlinear"]).measured == before.measured - 1


def test_trials_of_the_study_itself_count_before_those_of_others(tmp_path: Path) -> None:
    home, sizes = Home(tmp_path, tmp_path / "reports"), {}
    for study, name, number, seconds in (
        ("smoke", "dlinear", 1, 40.0),
        ("smoke", "dlinear", 2, 80.0),
        ("other", "dlinear", 3, 900.0),
        ("other", "ar", 4, 6.0),
    ):
        folder = home.study(study).root / "trials" / name / "EURUSD_h1" / f"{number:016x}"
        write_json({"wall_seconds": seconds}, folder / "provenance.json")
        (folder / "forecasts.parquet").write_bytes(b"x" * 1000 * number)
        sizes[number] = sum(path.stat().st_size for path in folder.iterdir())
    found = estimate(home, STUDY, ["dlinear"] * 3 + ["ar", "drift"])
    assert (found.seconds, found.measured, found.unmeasured) == (3 * 60.0 + 6.0, 3, ("drift",))
    assert found.size == 3 * fmean([sizes[1], sizes[2]]) + sizes[4]
    assert found.said(2) == (
        "5 trials to run: about 0:01:33 on 2 workers, beside the checks and the report, and 0.0 MB, "
        "as 3 finished trials of this home took; unmeasured: drift"
    )
    assert "time and disk unmeasured" in estimate(home, STUDY, ["drift"]).said(2)
