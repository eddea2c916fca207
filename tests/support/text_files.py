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
from golden_core.market.plausible import plausible_pairs

PRICES = ("open", "high", "low", "close")
Columns = dict[str, Any]


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


def _csv(
    made: Callable[[pl.DataFrame, int], Columns], separator: str = ",", *, suffix: str = "csv", header: bool = True,
    end: str = "\n", **said: Any,
) -> Form:  # fmt: skip
    def write(bars: pl.DataFrame, path: Path, digits: int) -> None:
        table = made(bars, digits)
        lines = [separator.join(table)] if header else []
        lines += [separator.join(row) for row in zip(*table.values(), strict=True)]
        path.write_bytes(end.join(lines).encode() + end.encode())

    return Form(suffix, write, said)


def _parquet(change: Callable[[pl.DataFrame], pl.DataFrame], **said: Any) -> Form:
    return Form("parquet", lambda bars, path, _digits: change(bars).write_parquet(path), said)


def _zoned(bars: pl.DataFrame, zone: str, form: str) -> pl.Series:
    return bars["timestamp"].dt.convert_time_zone(zone).dt.strftime(form)


def _counts(bars: pl.DataFrame, size: int) -> pl.Series:
    return (bars["timestamp"].dt.epoch("us") // size).cast(pl.String)


def _titled(bars: pl.DataFrame, digits: int) -> dict[str, list[str]]:
    return {name.title(): values for name, values in _cells(bars, digits).items()}


def _dukascopy_eet(bars: pl.DataFrame, digits: int) -> Columns:
    """As JForex writes it: another order of columns, and spaces at the ends of names and values."""
    cells = _cells(bars, digits)
    times = {"Time (EET)": _text(bars, "EET", "%Y.%m.%d %H:%M:%S"), "Volume ": [f"{one} " for one in cells["volume"]]}
    return times | {"Close": cells["close"], "Open": cells["open"], "Low": cells["low"], "High ": cells["high"]}


def _dukascopy_semicolon(bars: pl.DataFrame, digits: int) -> Columns:
    cells = {k: [cell.replace(".", ",") for cell in v] for k, v in _cells(bars, digits).items()}
    times = {"EET time": _text(bars, "EET", "%Y.%m.%d %H:%M"), "open": cells["open"], "CLOSE": cells["close"]}
    return times | {"High": cells["high"], "Low": cells["low"], "Volume": cells["volume"]}


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


def _histdata_m1(bars: pl.DataFrame, digits: int) -> Columns:
    # From each of the four prices to the next; the volume is always 0.
    minutes = _minutes(bars).with_columns(open=pl.col("close").shift(1).over(pl.col("timestamp").dt.truncate("1h")))
    minutes = minutes.with_columns(pl.col("open").fill_null(pl.col("close")))
    ends = pl.col("open", "close")
    minutes = minutes.with_columns(high=pl.max_horizontal(ends), low=pl.min_horizontal(ends))
    times = _text(minutes, "UTC-05:00", "%Y%m%d %H%M%S")
    return {"time": times, **_cells(minutes, digits + 1), "volume": ["0"] * minutes.height}


def _histdata_ticks(bars: pl.DataFrame, _digits: int) -> Columns:
    minutes = _minutes(bars)
    bids = {"bid": [f"{one:.6f}" for one in minutes["open"]], "ask": [f"{one * 1.0001:.6f}" for one in minutes["open"]]}
    times = _text(minutes, "UTC-05:00", "%Y%m%d %H%M%S371")
    return {"time": times, **bids, "volume": [f"{one:g}" for one in minutes["volume"]]}


def _dukascopy_ticks(bars: pl.DataFrame, digits: int) -> Columns:
    minutes = _minutes(bars)
    return {
        "Gmt time": _text(minutes, "UTC", "%d.%m.%Y %H:%M:%S.371"),
        "Ask": [f"{one * 1.0001:.{digits}f}" for one in minutes["open"]],
        "Bid": [f"{one:.{digits}f}" for one in minutes["open"]],
        "AskVolume": ["7"] * minutes.height,
        "BidVolume": [f"{one:g}" for one in minutes["volume"]],
    }


def _metatrader4(bars: pl.DataFrame, digits: int) -> Columns:
    times = {"date": _text(bars, "EET_US", "%Y.%m.%d"), "time": _text(bars, "EET_US", "%H:%M")}
    return {**times, **_cells(bars, digits)}


def _metatrader5(bars: pl.DataFrame, digits: int) -> Columns:
    cells = _cells(bars, digits)
    times = {"<DATE>": _text(bars, "EET_US", "%Y.%m.%d"), "<TIME>": _text(bars, "EET_US", "%H:%M:%S")}
    prices = {f"<{name.upper()}>": cells[name] for name in PRICES}
    return (
        times | prices | {"<TICKVOL>": cells["volume"], "<VOL>": ["0"] * bars.height, "<SPREAD>": ["7"] * bars.height}
    )


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


def _plain_iso(bars: pl.DataFrame, digits: int) -> Columns:
    cells = _cells(bars, digits)
    first = {"l": cells["low"], "h": cells["high"], "DateTime": _text(bars, "Europe/Berlin", "%Y-%m-%d %H:%M:%S")}
    return {**first, "C": cells["close"], "O": cells["open"], "Tick Volume": cells["volume"]}


def _declared(bars: pl.DataFrame, digits: int) -> Columns:
    cells = _cells(bars, digits)
    first = {"when": _text(bars, "UTC", "%Y-%m-%d %H:%M:%S"), "vier": cells["close"], "eins": cells["open"]}
    return {**first, "zwei": cells["high"], "drei": cells["low"], "fünf": cells["volume"]}


def _london(bars: pl.DataFrame) -> pl.DataFrame:
    local = from_utc(bars["timestamp"], "Europe/London").dt.cast_time_unit("ns")
    return bars.with_columns(local).rename({"timestamp": "Date", "open": "Open"})


NAMES = {"timestamp": "when", "open": "eins", "high": "zwei", "low": "drei", "close": "vier", "volume": "fünf"}
FORMS: dict[str, Form] = {
    "dukascopy_gmt": _csv(
        lambda bars, n: {"Gmt time": _text(bars, "UTC", "%d.%m.%Y %H:%M:%S.000"), **_titled(bars, n)}, end="\r\n"
    ),
    "dukascopy_local": _csv(
        lambda bars, n: {"Local time": _zoned(bars, "Europe/Berlin", "%d.%m.%Y %H:%M:%S.000 GMT%z"), **_titled(bars, n)}
    ),
    "dukascopy_eet": _csv(_dukascopy_eet),
    "dukascopy_semicolon": _csv(_dukascopy_semicolon, ";"),
    "dukascopy_ticks": _csv(_dukascopy_ticks, bar="1h"),
    "histdata_m1": _csv(_histdata_m1, ";", header=False, bar="1h"),
    "histdata_ticks": _csv(_histdata_ticks, header=False, bar="1h"),
    "metatrader4": _csv(_metatrader4, header=False, end="\r\n", zone="EET_US"),
    "metatrader5": _csv(_metatrader5, "\t", zone="EET_US"),
    "oanda_json": Form("json", _oanda_json),
    "oanda_csv": _csv(lambda bars, n: {"time": _zoned(bars, "UTC", "%Y-%m-%d %H:%M:%S%:z"), **_cells(bars, n)}),
    "plain_iso": _csv(_plain_iso, zone="Europe/Berlin"),
    "plain_american": _csv(
        lambda bars, n: {"Date": _text(bars, "America/New_York", "%m/%d/%Y %I:%M:%S %p"), **_cells(bars, n)},
        zone="America/New_York",
    ),
    "plain_seconds": _csv(lambda bars, n: {"timestamp": _counts(bars, 10**6), **_cells(bars, n)}),
    "plain_milliseconds": _csv(lambda bars, n: {"timestamp": _counts(bars, 1000), **_cells(bars, n)}),
    "plain_integers": _csv(
        lambda bars, n: {
            "time (utc)": _text(bars, "UTC", "%Y-%m-%d %H:%M"),
            **_cells(bars.with_columns((pl.col(PRICES) * 10**n).round()), 0),
        },
        "\t",
        suffix="tsv",
    ),
    "parquet_aware": _parquet(lambda bars: bars.with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo"))),
    "parquet_naive": _parquet(_london, zone="Europe/London"),
    "parquet_counts": _parquet(lambda bars: bars.with_columns(pl.col("timestamp").dt.epoch("us"))),
    "declared": _csv(_declared, ";", zone="UTC", columns=NAMES),
}
