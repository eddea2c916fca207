"""What the name of a file says: its pair, and whether its prices are bids or asks. A name is a hint, never a proof."""

from __future__ import annotations

import re
from pathlib import Path

_CURRENCIES = (
    "AUD|CAD|CHF|CNH|CNY|CZK|DKK|EUR|GBP|HKD|HUF|ILS|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|RUB|SEK|SGD|THB|TRY|USD|ZAR"
    "|XAG|XAU|XPD|XPT"
)
# Brokers put the kind of account or the length of a bar behind the pair: EURUSDm, EURUSDpro, EURJPYh1.
_BEHIND = rf"(?:(?![A-Z])|(?!{_CURRENCIES})[A-Z]{{1,6}}\d*(?![A-Z]))"
_PAIR = re.compile(rf"(?<![A-Z])({_CURRENCIES})[_/-]?({_CURRENCIES}){_BEHIND}")


def pairs_in_name(path: Path) -> set[str]:
    """Return the pairs that a file's name mentions."""
    return {base + quote for base, quote in _PAIR.findall(path.name.upper()) if base != quote}


def side_in_name(path: Path) -> str | None:
    """Return ``bid`` or ``ask`` where exactly one of them is a word of the file's name."""
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    found = [side for side in ("bid", "ask") if side in words]
    return found[0] if len(found) == 1 else None
