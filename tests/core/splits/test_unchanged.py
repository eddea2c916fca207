"""The folds of the project's studies are those from before folds could have gaps: ranges written down then."""

import pytest
from support.folds import walk_forward

from golden_core.inputs.features import FEATURES
from golden_core.preparation.catalogue import load_study
from golden_core.splits.folds import usable_rows

# For a number of bars: folds, ranges of the first one, unused rows. From commit 669a14f, before segments and closures.
RECORDED = {
    ("demo", 1, 4600): (4, [(24, 1018), (1024, 1268), (1274, 2074)], 125),
    ("demo", 5, 4600): (4, [(24, 1014), (1024, 1264), (1274, 2074)], 121),
    ("golden", 1, 6900): (7, [(24, 2503), (2524, 3003), (3024, 3524)], 375),
    ("golden", 5, 6900): (7, [(24, 2499), (2524, 2999), (3024, 3524)], 371),
    ("golden", 20, 6900): (7, [(24, 2484), (2524, 2984), (3024, 3524)], 356),
    ("legacy", 1, 94390): (1, [(26, 90613), (90616, 92501), (92504, 94389)], 0),
    ("smoke", 1, 512): (2, [(22, 220), (222, 280), (282, 382)], 29),
}


@pytest.mark.parametrize("closures", ["keep", "flag"])
@pytest.mark.parametrize(("name", "horizon", "bars"), RECORDED)
def test_ranges_are_those_recorded(name, horizon, bars, closures):
    study = load_study(name, [f"splits.closures={closures}"])
    warm_up = max(study.evaluation.volatility_window, *(FEATURES[feature].warm_up for feature in study.features))
    usable = usable_rows(bars, warm_up=warm_up, context_length=study.context_length, horizon=horizon)
    found = walk_forward(usable, study.splits, horizon)
    shift = study.splits.step
    count, ranges, unused = RECORDED[name, horizon, bars]
    assert len(found.folds) == count
    assert found.unused_rows == unused
    for fold in found.folds:
        expected = [range(start + fold.index * shift, stop + fold.index * shift) for start, stop in ranges]
        assert list(fold.parts.values()) == expected


@pytest.mark.parametrize("name", ["demo", "golden", "legacy", "smoke"])
def test_the_studies_keep_every_row(name):
    assert load_study(name).splits.closures != "drop"
