"""What yfinance's tables become as CSV: three header rows, of which the second names the ticker, the third the time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import has_prices
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.records import require_yahoo
from golden_core.vendors.text import Head, Rows


def _fits(head: Head) -> bool:
    if len(head.lines) < 3 or head.header[0] != "Price" or not has_prices(head.header[1:]):
        return False
    return head.fields(1)[0] == "Ticker" and head.fields(2)[0] in ("Date", "Datetime")


def _below(rows: Rows, pair: str, path: Path) -> Rows:
    """Take the two further header rows off."""
    table = rows.table
    if table.height < 3 or table.item(0, 0) != "Ticker":
        raise VendorError(f"{path}: line 2: expected the tickers, as yfinance writes them; name another format")
    for ticker in sorted(set(table.row(0)[1:])):
        require_yahoo(ticker, pair, path)
    named = table.rename({table.columns[0]: table.item(1, 0)})
    return replace(rows, table=named[2:].drop("Adj Close", strict=False), line=rows.line[2:])


CSV = Delimited(
    name="yfinance_csv",
    example="Price,Close,High,Low,Open,Volume\nTicker,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X,EURUSD=X\nDate,,,,,\n"
    "2024-03-14,1.0880,1.0950,1.0875,1.0945,0\n2024-03-15,1.0890,1.0900,1.0870,1.0880,0",
    because="below its header stand a row of tickers and one that names the time, as yfinance's tables have them",
    fits=_fits,
    prepare=_below,
    gaps=True,
)
