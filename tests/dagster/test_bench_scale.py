"""The plan beyond one machine: counts by hand, hours that follow from costs, and a bottleneck that moves."""

import pytest

from golden_dagster.benchmarks.scale import Costs, Size, plan

COSTS = Costs("demo", (4, 2), (0.5, 36.0), evaluation=0.01, recording=0.02, megabytes=0.5, memory=0.2)
SIZE = Size(pairs=100, horizons=10, seeds=20, forecasters=20)


def test_deterministic_forecasters_are_trained_once_per_series():
    assert SIZE.cells == 400_000
    fixed, seeded = COSTS.trials(Size(pairs=2, horizons=3, seeds=5, forecasters=6))
    assert (fixed, seeded) == (6 * 4, 6 * 2 * 5)


def test_hours_are_divided_by_workers_until_recording_is_what_takes_longest():
    table = plan(COSTS, Size(pairs=1, horizons=1, seeds=100, forecasters=6), [1, 100_000])
    training = (4 * 0.5 + 200 * 36.0) / 3600
    columns = [list(column.cells) for column in table.columns]
    assert columns[1][0] == f"{training:,.1f}"
    assert columns[5] == ["training", "recording"]
    assert float(columns[4][0]) == pytest.approx(training + 600 * 0.02 / 3600 + 204 * 0.01 / 3600, abs=0.06)
    assert "204 trials" in str(table.title)
