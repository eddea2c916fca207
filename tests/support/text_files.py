"""Bars of a trading week, and files of them as vendors write: text formats, JSON and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from golden_core.market.clock import market_open
from golden_core.market.local_time import from_utc
from golden_core.vendors.scaling import plausible_pairs

PRICES = ("open", "high", "low", "close")


def hourly(first: str, weeks: int, *, seed: int = 0, pair: str = "EURUSD") -> pl.DataFrame:
    """Return hourly bars, UTC, of whole trading weeks: a walk whose bars open where the last one closed."""
    times = np.datetime64(first, "us") + np.arange(24 * 7 * weeks) * np.timedelta64(1, "h")
    frame = pl.DataFrame({"timestamp": times}).with_columns(pl.col("timestamp").dt.replace_time_zone("UTC"))
    frame = frame.filter(market_open(pl.col("timestamp")))
    return walk(frame["timestamp"], seed=seed, pair=pair)


def walk(times: pl.Series, *, seed: int, pair: str) -> pl.DataFrame:
    """Return bars at given times."""
    digits = 3 if pair.endswith("JPY") else 5
    known = plausible_pairs()[pair]
    draw = np.random.default_rng(seed)
    start = np.sqrt(known.low * known.high)
    close = start * np.exp(np.cumsum(draw.normal(0, 5e-4, len(times))))
    opens = np.concatenate([[start], close[:-1]])
    spread = np.abs(draw.normal(0, 3e-4, (2, len(times)))) * start
    prices = {
        "open": opens, "high": np.maximum(opens, close) + spread[0],
        "low": np.minimum(opens, close) - spread[1], "close": close,
    }  # fmt: skip
    rounded = {name: np.round(values, digits) for name, values in prices.items()}
    return pl.DataFrame({"timestamp": times, **rounded, "volume": draw.integers(1, 5000, len(times)).astype(float)})


@dataclass(frozen=True)
class Form:
    """A way to write bars, and what must be said to read them."""

    suffix: str
    write: Callable[[pl.DataFrame, Path, int], None]
    said: Mapping[str, Any] = field(default_factory=dict)


def _text(bars: pl.DataFrame, zone: str, form: str) -> pl.Series:
    return from_utc(bars["timestamp"], zone).dt.strftime(form)


def _cells(bars: pl.DataFrame, digits: int) -> dict[str, list[str]]:
    cells = {name: [f"{value:.{digits}f}" for value in bars[name]] for name in PRICES}
    return cells | {"volume": [f"{value:g}" for value in bars["volume"]]}


def _table(path: Path, columns: Mapping[str, Any], separator: str, *, header: bool = True, end: str = "\n") -> None:
    lines = [separator.join(columns)] if header else []
    lines += [separator.join(row) for row in zip(*columns.values(), strict=True)]
    path.write_bytes(end.join(lines).encode() + end.encode())


def _dukascopy_gmt(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = _cells(bars, digits)
    times = _text(bars, "UTC", "%d.%m.%Y %H:%M:%S.000")
    _table(path, {"Gmt time": times, **{k.title(): v for k, v in cells.items()}}, ",", end="\r\n")


def _dukascopy_local(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = _cells(bars, digits)
    berlin = bars["timestamp"].dt.convert_time_zone("Europe/Berlin")
    times = berlin.dt.strftime("%d.%m.%Y %H:%M:%S.000 GMT%z")
    _table(path, {"Local time": times, **{k.title(): v for k, v in cells.items()}}, ",")


def _dukascopy_eet(bars: pl.DataFrame, path: Path, digits: int) -> None:
    """As JForex writes it: another order of columns, and spaces at the ends of names and values."""
    cells = _cells(bars, digits)
    times = _text(bars, "EET", "%Y.%m.%d %H:%M:%S")
    columns = {"Volume ": [f"{value} " for value in cells["volume"]], "Close": cells["close"], "Open": cells["open"]}
    _table(path, {"Time (EET)": times, **columns, "Low": cells["low"], "High ": cells["high"]}, ",")


def _dukascopy_semicolon(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = {k: [cell.replace(".", ",") for cell in v] for k, v in _cells(bars, digits).items()}
    times = _text(bars, "EET", "%Y.%m.%d %H:%M")
    columns = {"open": cells["open"], "CLOSE": cells["close"], "High": cells["high"], "Low": cells["low"]}
    _table(path, {"EET time": times, **columns, "Volume": cells["volume"]}, ";")


def _minutes(bars: pl.DataFrame) -> pl.DataFrame:
    """Return four minutes of each hour that make the hour."""
    parts = [
        bars.select(
            pl.col("timestamp") + pl.duration(minutes=minute),
            *(pl.col(price).alias(name) for name in PRICES),
            volume=pl.col("volume") if price == "open" else pl.lit(0.0),
        )
        for minute, price in ((0, "open"), (15, "high"), (30, "low"), (59, "close"))
    ]
    return pl.concat(parts).sort("timestamp")


def _histdata_m1(bars: pl.DataFrame, path: Path, digits: int) -> None:
    # From each of the four prices to the next; the volume is always 0.
    minutes = _minutes(bars).with_columns(open=pl.col("close").shift(1).over(pl.col("timestamp").dt.truncate("1h")))
    minutes = minutes.with_columns(pl.col("open").fill_null(pl.col("close")))
    ends = pl.col("open", "close")
    minutes = minutes.with_columns(high=pl.max_horizontal(ends), low=pl.min_horizontal(ends))
    times = _text(minutes, "UTC-05:00", "%Y%m%d %H%M%S")
    _table(path, {"time": times, **_cells(minutes, digits + 1), "volume": ["0"] * minutes.height}, ";", header=False)


def _histdata_ticks(bars: pl.DataFrame, path: Path, digits: int) -> None:
    minutes = _minutes(bars)
    bid = minutes["open"]
    columns = {
        "time": _text(minutes, "UTC-05:00", "%Y%m%d %H%M%S371"),
        "bid": [f"{value:.6f}" for value in bid],
        "ask": [f"{value * 1.0001:.6f}" for value in bid],
        "volume": [f"{value:g}" for value in minutes["volume"]],
    }
    _table(path, columns, ",", header=False)


def _dukascopy_ticks(bars: pl.DataFrame, path: Path, digits: int) -> None:
    minutes = _minutes(bars)
    bid, volume = minutes["open"], [f"{value:g}" for value in minutes["volume"]]
    columns = {
        "Gmt time": _text(minutes, "UTC", "%d.%m.%Y %H:%M:%S.371"),
        "Ask": [f"{value * 1.0001:.{digits}f}" for value in bid],
        "Bid": [f"{value:.{digits}f}" for value in bid],
        "AskVolume": ["7"] * len(volume),
        "BidVolume": volume,
    }
    _table(path, columns, ",")


def _metatrader4(bars: pl.DataFrame, path: Path, digits: int) -> None:
    columns = {"date": _text(bars, "EET_US", "%Y.%m.%d"), "time": _text(bars, "EET_US", "%H:%M")}
    _table(path, {**columns, **_cells(bars, digits)}, ",", header=False, end="\r\n")


def _metatrader5(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = _cells(bars, digits)
    columns = {"<DATE>": _text(bars, "EET_US", "%Y.%m.%d"), "<TIME>": _text(bars, "EET_US", "%H:%M:%S")}
    prices = {f"<{name.upper()}>": cells[name] for name in PRICES}
    counts = {"<TICKVOL>": cells["volume"], "<VOL>": ["0"] * bars.height, "<SPREAD>": ["7"] * bars.height}
    _table(path, columns | prices | counts, "\t")


def oanda_answer(bars: pl.DataFrame, digits: int, pair: str = "EURUSD", side: str = "mid") -> dict[str, Any]:
    """Return the answer of OANDA's v20 interface."""
    cells = _cells(bars, digits)
    times = bars["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    candles = [
        {
            "complete": True,
            "volume": int(float(cells["volume"][i])),
            "time": times[i],
            side: {n[0]: cells[n][i] for n in PRICES},
        }
        for i in range(bars.height)
    ]
    return {"instrument": f"{pair[:3]}_{pair[3:]}", "granularity": "H1", "candles": candles}


def _oanda_json(bars: pl.DataFrame, path: Path, digits: int) -> None:
    pair = "USDJPY" if digits == 3 else "EURUSD"
    path.write_text(json.dumps(oanda_answer(bars, digits, pair)))


def _oanda_csv(bars: pl.DataFrame, path: Path, digits: int) -> None:
    _table(path, {"time": bars["timestamp"].dt.strftime("%Y-%m-%d %H:%M:%S%:z"), **_cells(bars, digits)}, ",")


def _plain_iso(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = _cells(bars, digits)
    columns = {"l": cells["low"], "h": cells["high"], "DateTime": _text(bars, "Europe/Berlin", "%Y-%m-%d %H:%M:%S")}
    _table(path, {**columns, "C": cells["close"], "O": cells["open"], "Tick Volume": cells["volume"]}, ",")


def _plain_american(bars: pl.DataFrame, path: Path, digits: int) -> None:
    times = _text(bars, "America/New_York", "%m/%d/%Y %I:%M:%S %p")
    _table(path, {"Date": times, **_cells(bars, digits)}, ",")


def _plain_epoch(unit: int) -> Callable[[pl.DataFrame, Path, int], None]:
    def write(bars: pl.DataFrame, path: Path, digits: int) -> None:
        counts = bars["timestamp"].dt.epoch("us") // (10**6 // unit)
        _table(path, {"timestamp": counts.cast(pl.String), **_cells(bars, digits)}, ",")

    return write


def _plain_integers(bars: pl.DataFrame, path: Path, digits: int) -> None:
    scaled = bars.with_columns((pl.col(PRICES) * 10**digits).round())
    _table(path, {"time (utc)": _text(bars, "UTC", "%Y-%m-%d %H:%M"), **_cells(scaled, 0)}, "\t")


def _parquet_aware(bars: pl.DataFrame, path: Path, digits: int) -> None:
    bars.with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo")).write_parquet(path)


def _parquet_naive(bars: pl.DataFrame, path: Path, digits: int) -> None:
    shown = bars.with_columns(from_utc(bars["timestamp"], "Europe/London").dt.cast_time_unit("ns"))
    shown.rename({"timestamp": "Date", "open": "Open"}).write_parquet(path)


def _parquet_counts(bars: pl.DataFrame, path: Path, digits: int) -> None:
    bars.with_columns(pl.col("timestamp").dt.epoch("us")).write_parquet(path)


def _declared(bars: pl.DataFrame, path: Path, digits: int) -> None:
    cells = _cells(bars, digits)
    columns = {"when": _text(bars, "UTC", "%Y-%m-%d %H:%M:%S"), "vier": cells["close"], "eins": cells["open"]}
    _table(path, {**columns, "zwei": cells["high"], "drei": cells["low"], "fünf": cells["volume"]}, ";")


NAMES = {"timestamp": "when", "open": "eins", "high": "zwei", "low": "drei", "close": "vier", "volume": "fünf"}
FORMS: dict[str, Form] = {
    "dukascopy_gmt": Form("csv", _dukascopy_gmt),
    "dukascopy_local": Form("csv", _dukascopy_local),
    "dukascopy_eet": Form("csv", _dukascopy_eet),
    "dukascopy_semicolon": Form("csv", _dukascopy_semicolon),
    "dukascopy_ticks": Form("csv", _dukascopy_ticks, {"bar": "1h"}),
    "histdata_m1": Form("csv", _histdata_m1, {"bar": "1h"}),
    "histdata_ticks": Form("csv", _histdata_ticks, {"bar": "1h"}),
    "metatrader4": Form("csv", _metatrader4, {"zone": "EET_US"}),
    "metatrader5": Form("csv", _metatrader5, {"zone": "EET_US"}),
    "oanda_json": Form("json", _oanda_json),
    "oanda_csv": Form("csv", _oanda_csv),
    "plain_iso": Form("csv", _plain_iso, {"zone": "Europe/Berlin"}),
    "plain_american": Form("csv", _plain_american, {"zone": "America/New_York"}),
    "plain_seconds": Form("csv", _plain_epoch(1)),
    "plain_milliseconds": Form("csv", _plain_epoch(1000)),
    "plain_integers": Form("tsv", _plain_integers),
    "parquet_aware": Form("parquet", _parquet_aware),
    "parquet_naive": Form("parquet", _parquet_naive, {"zone": "Europe/London"}),
    "parquet_counts": Form("parquet", _parquet_counts),
    "declared": Form("csv", _declared, {"zone": "UTC", "columns": NAMES}),
}
