"""The finished smoke campaign, as a study to publish."""

import pytest
from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_variant


@pytest.fixture(scope="session")
def study():
    return load_variant("smoke", OVERRIDES)
