"""A study whose universes take a fifth of a second: one pair, one horizon, one fold."""

import pytest

from golden_core.preparation.catalogue import load_study

TINY = (
    "data.pairs=[EURUSD]", "data.start=2023-01-02", "horizons=[1]", "splits.train=200", "splits.validation=60",
    "splits.test=400", "splits.step=400", "protocol.kinds=[more_accurate, predicts]", "protocol.scopes=[series]",
    "forecasters={random_walk: {}, drift: {}, ar: {max_order: 2}}",
    "placebo={cheap: {forecasters: [drift, ar], universes: 4}, network: null, block: 2, "
    "power: {forecasters: [ar], r2: [0.001, 0.2], universes: 2}}",
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny():
    return load_study("placebo", TINY)
