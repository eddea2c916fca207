"""Vendors' file formats by name, one declaration each. What the project makes of the bars does not belong here."""

from __future__ import annotations

import difflib
import importlib

from golden_core.vendors.base import Reader, VendorError

# A new format is one declaration and one line here: its module and its name there.
READERS: dict[str, str] = {
    "alphavantage_json": "services:ALPHAVANTAGE",
    "bi5": "bi5:BI5",
    "ccxt_json": "services:CCXT",
    "dukascopy_csv": "dukascopy:CSV",
    "dukascopy_node_json": "services:DUKASCOPY_NODE",
    "dukascopy_ticks": "dukascopy:TICKS",
    "fixings_csv": "fixings:CSV",
    "histdata_m1": "archives:HISTDATA_M1",
    "histdata_ticks": "archives:HISTDATA_TICKS",
    "hst": "hst:HST",
    "metatrader4_csv": "metatrader:MT4",
    "metatrader5_ticks": "metatrader:MT5_TICKS",
    "oanda_json": "oanda:JSON",
    "plain_csv": "plain:CSV",
    "plain_json": "plain_json:JSON",
    "plain_parquet": "plain:PARQUET",
    "series_csv": "fixings:SERIES",
    "truefx_ticks": "archives:TRUEFX",
    "yahoo_json": "yahoo:JSON",
    "yfinance_csv": "yahoo:YFINANCE",
}
# These read whatever has known column names, so they are asked only where no vendor's own format fits.
GENERAL = ("fixings_csv", "plain_csv", "plain_json", "plain_parquet", "series_csv")


def reader(name: str) -> Reader:
    """Return a reader by its name, or by name and choice, such as ``dukascopy_csv:day_first``."""
    plain, _, choice = name.partition(":")
    if plain not in READERS:
        near = difflib.get_close_matches(plain, READERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise VendorError(f"no format is called {plain!r}; known are {', '.join(READERS)}{hint}")
    module, _, attribute = READERS[plain].partition(":")
    found: Reader = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    return choosing(found, choice)


def choosing(found: Reader, choice: str) -> Reader:
    """Return a reader that takes one of its choices, if one was made."""
    if not choice:
        return found
    if choice not in found.choices:
        offered = f"only {', '.join(found.choices)}" if found.choices else "nothing to choose"
        raise VendorError(f"format {found.name} offers {offered}, got {choice!r}")
    return found.chosen(choice)
