"""What trials will cost is told by those that have finished, whatever lies beside their files."""

from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import write_json
from golden_core.trials.estimate import estimate

STUDY = load_variant("smoke", OVERRIDES)


def test_a_link_to_nothing_and_a_record_without_its_time_end_no_estimate(broken):
    before = estimate(broken, STUDY, ["dlinear"])
    first, second, *_ = sorted((broken.study("smoke").root / "trials" / "dlinear").glob("*/*"))
    (first / ".#history.parquet").symlink_to("somebody@host.123")
    assert estimate(broken, STUDY, ["dlinear"]) == before
    write_json({"wall_seconds": "long"}, second / "provenance.json")
    assert estimate(broken, STUDY, ["dlinear"]).measured == before.measured - 1
