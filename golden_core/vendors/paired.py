"""Names that hold a pair: of files, and of columns in tables of several (``EURUSD_Open``). No reader is here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import CURRENCIES, has_prices

# Brokers put the kind of account or the length of a bar behind the pair: EURUSDm, EURUSDpro, EURJPYh1.
_BEHIND = rf"(?:(?![A-Z])|(?!{CURRENCIES})[A-Z]{{1,6}}\d*(?![A-Z]))"
_PAIR = re.compile(rf"(?<![A-Z])({CURRENCIES})[_/-]?({CURRENCIES}){_BEHIND}")
_BETWEEN = r"[ _./-]?"
_PAIRED = re.compile(
    rf"(?i)(?:FX)?(?P<before>(?:[^\W\d]| )*?){_BETWEEN}(?P<base>{CURRENCIES})[/_.-]?(?P<quote>{CURRENCIES})(?:=X)?"
    rf"{_BETWEEN}(?P<after>(?:[^\W\d]| )*)"
)

# DEXJPUS: yen for a dollar. FRED's countries, by their letters there.
_FRED = re.compile(r"DEX(?P<quote>[A-Z]{2})(?P<base>[A-Z]{2})")
_LETTERS = {
    "AL": "AUD", "BZ": "BRL", "CA": "CAD", "CH": "CNY", "DN": "DKK", "EU": "EUR", "HK": "HKD", "IN": "INR", "JP": "JPY",
    "KO": "KRW", "MA": "MYR", "MX": "MXN", "NO": "NOK", "NZ": "NZD", "SD": "SEK", "SF": "ZAR", "SI": "SGD", "SL": "LKR",
    "SZ": "CHF", "TA": "TWD", "TH": "THB", "UK": "GBP", "US": "USD",
}  # fmt: skip
_CODES = re.compile(rf"(?<![A-Za-z])(?:{CURRENCIES})(?![A-Za-z])")


def pairs_in(text: str) -> list[str]:
    """Return the pairs that a text mentions, in its order."""
    return [base + quote for base, quote in _PAIR.findall(text.upper()) if base != quote]


def pair_of(name: str) -> tuple[str, str] | None:
    """Return the pair that a column names, and the rest of its name; None where it names none."""
    fred = _FRED.fullmatch(name)
    if fred and {fred["base"], fred["quote"]} <= _LETTERS.keys():
        return _LETTERS[fred["base"]] + _LETTERS[fred["quote"]], ""
    found = _PAIRED.fullmatch(name)
    if found is None or (found["before"] and found["after"]):
        return None
    return f"{found['base']}{found['quote']}".upper(), found["before"] or found["after"]


def require_named(name: str, pair: str, path: Path) -> None:
    """Refuse a price whose column names another pair, a currency that is none of the pair's, or many units of one."""
    found, turned = pair_of(name), re.search(rf"(?i)^(?:FX)?{pair[3:]}[/_-]?{pair[:3]}", name)
    if (found and found[0] != pair) or turned or set(_CODES.findall(name)) - {pair[:3], pair[3:]}:
        raise VendorError(f"{path}: its price is called {name!r}, but {pair} is asked for; give the right pair")
    if re.search(rf"(?i)(?<![a-z\d])(10+ ?({pair[:3]}|{pair[3:]})|({pair[:3]}|{pair[3:]}) ?10+)(?![a-z\d])", name):
        raise VendorError(f"{path}: {name!r} is the price of several units: write what one costs, and rename it")


def pairs_with_prices(names: Sequence[str]) -> Sequence[str]:
    """Return the pairs of which there are four prices under names of their own."""
    paired = [found for name in names if (found := pair_of(name))]
    pairs = dict.fromkeys(pair for pair, _ in paired)
    return [pair for pair in pairs if has_prices([rest for other, rest in paired if other == pair])]


def of_pair(table: pl.DataFrame, pair: str, path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the columns of one pair under their plain names beside those that name none, and what was decided."""
    pairs = pairs_with_prices(table.columns)
    if has_prices(table.columns) or not pairs:
        return table, ()
    if pair not in pairs:
        raise VendorError(f"{path}: its columns have prices of {', '.join(pairs)}, but {pair} is asked for")
    named = {name: pair_of(name) for name in table.columns}
    own = {name: found[1] for name, found in named.items() if found and found[0] == pair}
    kept = table.select(name for name, found in named.items() if found is None or name in own)
    if len({own.get(name, name) for name in kept.columns}) < kept.width:
        raise VendorError(f"{path}: two of its columns would have one name without {pair}: {', '.join(kept.columns)}")
    return kept.rename(own), (f"of the columns those of {pair} are read",)
