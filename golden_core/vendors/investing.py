"""Investing.com's CSV of days: every cell quoted, thousands with commas, newest day first, days in words or digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from golden_core.vendors.columns import has_prices, normal
from golden_core.vendors.delimited import Delimited
from golden_core.vendors.text import Head, Rows


def _fits(head: Head) -> bool:
    names = {normal(name) for name in head.header}
    return {"date", "price", "change"} <= names and has_prices(head.header)


def _without_volume(rows: Rows, _pair: str, _path: Path) -> Rows:
    """Leave out the volume: of a currency it is empty, or rounded to thousands in words, such as 1.2K."""
    return replace(rows, table=rows.table.drop([name for name in rows.table.columns if normal(name) == "vol"]))


CSV = Delimited(
    name="investing_csv",
    example='"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"03/15/2024","1.0890","1.0880","1.0900","1.0870","","0.09%"\n'
    '"03/14/2024","1.0880","1.0945","1.0950","1.0875","","-0.59%"',
    because="its header has Date, Price and Change %, as Investing.com writes it",
    fits=_fits,
    prepare=_without_volume,
    bar="1d",
)
