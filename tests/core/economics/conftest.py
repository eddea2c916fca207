"""Prices and costs to trade at."""

import pytest
from support.money import bars, section

from golden_core.economics.costs import quotes


@pytest.fixture(scope="session")
def offered():
    return quotes(bars(), "EURUSD", section())


@pytest.fixture(scope="session")
def fills(offered):
    return offered.fills(bars()["available_at"][50:550])
