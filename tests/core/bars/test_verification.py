"""Claims about clean bars, recomputed from the table alone."""

import polars as pl
import pytest

from golden_core.bars.verification import disordered_timestamps


@pytest.mark.parametrize(("minutes", "faults"), [(-60, 3), (0, 3), (1, 0), (60, 0)])
def test_a_bar_is_known_only_after_it_opened(minutes, faults, make_bars):
    bars = make_bars([1.1, 1.2, 1.3]).with_columns(available_at=pl.col("timestamp").dt.offset_by(f"{minutes}m"))
    found = disordered_timestamps(bars)
    assert len(found) == faults
    assert all("is said to be known at" in fault and "not after it opens" in fault for fault in found)
