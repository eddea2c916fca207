"""Kinds of public files that were read wrong, or refused with a wrong word, when drawn afresh; the numbers are ours."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from golden_core.vendors.base import VendorError


def _days(count: int, price: float, weekdays: Sequence[int] = range(5)) -> Iterator[tuple[dt.date, list[float]]]:
    """Yield days from Monday 3 January 2022 on, each with open, high, low and close of its moves."""
    draw, day, now = random.Random(4), dt.date(2022, 1, 3), price
    while count:
        if day.weekday() in weekdays:
            moves = [now]
            for _ in range(12):
                moves.append(moves[-1] * (1 + draw.gauss(0, 0.001)))
            now, count = moves[-1], count - 1
            yield day, [round(one, 4) for one in (moves[0], max(moves), min(moves), moves[-1])]
        day += dt.timedelta(days=1)


def _series(name: str, price: float = 5.1) -> list[str]:
    return [f"date,{name}", *(f"{day},{bar[3]}" for day, bar in _days(40, price))]


@pytest.mark.parametrize(
    ("name", "asked", "own"),
    [
        ("USDBRL", "BRLUSD", "USDBRL"),
        ("usd_idr", "IDRUSD", "USDIDR"),
        ("jpy_twd_rate", "TWDJPY", "JPYTWD"),
        ("DEXBZUS", "BRLUSD", "USDBRL"),
        ("DEXTAUS", "USDMYR", "USDTWD"),
        ("USD/VND", "USDIDR", "USDVND"),
        ("USDFJD", "FJDUSD", "USDFJD"),
    ],
)
def test_a_price_is_of_the_pair_that_its_column_names_whatever_the_currency(
    name: str, asked: str, own: str, parse: Any
) -> None:
    with pytest.raises(VendorError, match=rf"called '{name}', but {asked} is asked for"):
        parse(_series(name), asked)
    assert parse(_series(name), own).bars.height == 40


def test_a_files_name_says_which_way_round_its_prices_are(parse: Any) -> None:
    with pytest.raises(VendorError, match="the name of the file says USDBRL, but BRLUSD is asked for"):
        parse(_series("price"), "BRLUSD", "USD_BRL Historical Data.csv")


@pytest.mark.parametrize("names", ["base,quote", "from_currency,to_currency", "Base Currency,Target Currency"])
def test_columns_of_base_and_quote_say_which_way_round_prices_are(names: str, parse: Any) -> None:
    lines = [f"date,{names},open,high,low,close"]
    lines += [f"{day},USD,CHF,{','.join(map(str, bar))}" for day, bar in _days(40, 0.98)]
    for one, code in zip(names.split(","), ("USD", "CHF"), strict=True):
        alone = [line.replace(f"{one},", "").replace(f",{one}", "").replace(f",{code}", "") for line in lines]
        assert parse(alone, "USDCHF").bars.height == 40
        with pytest.raises(VendorError, match=r"column '.*' says '\w+', but CHFUSD is asked for"):
            parse(alone, "CHFUSD")
    assert parse(lines, "USDCHF").bars.height == 40
