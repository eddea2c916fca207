"""Sections, bars and history files to test with."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import numpy as np
import polars as pl
import pytest

from golden_core.store.schema import BARS
from golden_core.study import DataSection


@pytest.fixture
def make_data():
    """Return a function that makes the data section of a study, the ECB's unless told otherwise."""

    def make(**changes):
        settings: dict[str, Any] = {
            "source": "ecb", "settings": {"path": None}, "pairs": ("EURUSD",), "bar": "1d",
            "start": dt.date(1999, 1, 1), "end": dt.date(2026, 10, 30), "time_zone": "Europe/Berlin",
        }  # fmt: skip
        return DataSection.model_validate(settings | changes)

    return make


@pytest.fixture(scope="session")
def make_zip():
    """Return a function that packs texts into a zip archive, as the ECB does."""

    def make(*texts):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for index, text in enumerate(texts):
                archive.writestr(f"eurofxref-hist{index or ''}.csv", text)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_bars():
    """Return a function that makes hourly bars of EURUSD from closes, as candles if asked."""

    def make(closes, *, candles=False):
        close = np.asarray(closes, dtype=np.float64)
        times = np.datetime64("2024-01-01T00", "us") + np.arange(len(close)) * np.timedelta64(1, "h")
        frame = pl.DataFrame({"timestamp": times, "close": close}).with_columns(
            pl.col("timestamp").dt.replace_time_zone("UTC"), pair=pl.lit("EURUSD")
        )
        frame = frame.with_columns(available_at=pl.col("timestamp").dt.offset_by("1h"))
        if candles:
            frame = frame.with_columns(open=pl.col("close"), high=pl.col("close") * 1.01, low=pl.col("close") * 0.99)
        return BARS.conform(frame)

    return make
