"""Investing.com's CSV of days: every cell quoted, thousands with commas, newest day first, days in words or digits."""

from __future__ import annotations

from dataclasses import replace

from golden_core.vendors.columns import has_prices, normal
from golden_core.vendors.delimited import Delimited

CSV = Delimited(
    name="investing_csv",
    example='"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"03/15/2024","1.0890","1.0880","1.0900","1.0870","","0.09%"\n'
    '"03/14/2024","1.0880","1.0945","1.0950","1.0875","","-0.59%"',
    because="its header has Date, Price and Change %, as Investing.com writes it",
    fits=lambda head: {"date", "price", "change"} <= set(map(normal, head.header)) and has_prices(head.header),
    # The volume of a currency is empty, or rounded to thousands in words, such as 1.2K.
    prepare=lambda rows, _pair, _path: replace(
        rows, table=rows.table.select(name for name in rows.table.columns if normal(name) != "vol")
    ),
    bar="1d",
)
