"""Tables: every declaration is complete, and `conform` refuses whatever deviates, all of it at once."""

import polars as pl
import pytest

from golden_core.store import schema
from golden_core.store.schema import BARS, UTC_TIME, WAREHOUSE_TABLES, Column, SchemaError, Table

TABLES = [table for table in vars(schema).values() if isinstance(table, Table)]

TABLE = Table(
    "prices",
    "For these tests.",
    (
        Column("pair", pl.String, "pair"),
        Column("at", UTC_TIME, "when", "UTC"),
        Column("price", pl.Float64, "price"),
        Column("volume", pl.Float64, "volume", optional=True),
    ),
    key=("pair", "at"),
)
FRAME = pl.DataFrame(
    {"pair": ["EURUSD"], "at": [0], "price": [1.1], "volume": [2.0]},
    schema={"pair": pl.String, "at": UTC_TIME, "price": pl.Float64, "volume": pl.Float64},
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_declaration_is_complete(table):
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert table.description.endswith(".")
    assert all(column.description for column in table.columns)
    assert all(name.isidentifier() and name == name.lower() for name in (table.name, *names))
    assert table.key
    assert set(table.key) <= {column.name for column in table.columns if not column.optional}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_all_times_are_utc_microseconds(table):
    times = [column for column in table.columns if isinstance(column.dtype, pl.Datetime) or column.dtype is pl.Datetime]
    assert all(column.dtype == UTC_TIME and column.unit == "UTC" for column in times)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_empty_table_conforms(table):
    assert table.conform(table.empty()).equals(table.empty())
    assert table.empty().height == 0


def test_a_column_means_the_same_in_every_table():
    meanings = {}
    for table in TABLES:
        for column in table.columns:
            if column.name in {"study", "forecaster", "fold", "cutoff", "timestamp"}:
                meanings.setdefault(column.name, set()).add(column.dtype)
    assert all(len(dtypes) == 1 for dtypes in meanings.values())


def test_warehouse_holds_each_table_once():
    names = [table.name for table in WAREHOUSE_TABLES]
    assert len(set(names)) == len(names)
    assert set(WAREHOUSE_TABLES) <= set(TABLES)


def test_forecasts_are_enough_for_every_metric():
    forecasts = next(table for table in WAREHOUSE_TABLES if table.name == "forecasts")
    assert {"last_close", "true_close", "pred_close", "y_true", "y_pred", "cutoff", "target_at"} <= set(
        forecasts.dtypes
    )


def test_conform_orders_the_columns():
    shuffled = FRAME.select("volume", "price", "at", "pair")
    assert TABLE.conform(shuffled).columns == ["pair", "at", "price", "volume"]
    assert TABLE.conform(shuffled).equals(FRAME)


def test_optional_column_may_be_left_out():
    assert TABLE.conform(FRAME.drop("volume")).columns == ["pair", "at", "price"]
    assert "volume" not in TABLE.empty().columns
    assert "volume" in TABLE.dtypes


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (FRAME.drop("price"), "table prices: missing column 'price'"),
        (FRAME.with_columns(extra=1), "table prices: unknown column 'extra'"),
        (FRAME.with_columns(pl.col("price").cast(pl.Float32)), "table prices: 'price' is Float32, expected Float64"),
        (FRAME.with_columns(pl.col("volume").cast(pl.Int64)), "table prices: 'volume' is Int64, expected Float64"),
        (FRAME.with_columns(pair=pl.lit(None, pl.String)), "table prices: 1 nulls in key column 'pair'"),
        (
            FRAME.with_columns(pl.col("at").dt.replace_time_zone(None)),
            "table prices: 'at' is Datetime(time_unit='us', time_zone=None), "
            "expected Datetime(time_unit='us', time_zone='UTC')",
        ),
        (
            FRAME.drop("price").with_columns(extra=1, pair=pl.lit(None, pl.String)),
            "table prices: missing column 'price'; unknown column 'extra'; 1 nulls in key column 'pair'",
        ),
    ],
)
def test_conform_refuses(frame, expected):
    with pytest.raises(SchemaError) as caught:
        TABLE.conform(frame)
    assert str(caught.value) == expected


def test_null_outside_the_key_is_allowed():
    assert TABLE.conform(FRAME.with_columns(price=pl.lit(None, pl.Float64)))["price"].null_count() == 1


def test_conform_does_not_change_its_argument():
    shuffled = FRAME.select("price", "at", "pair")
    TABLE.conform(shuffled)
    assert shuffled.columns == ["price", "at", "pair"]


def test_bars_of_a_source_with_one_fixing_a_day_have_a_close_and_nothing_else():
    assert BARS.empty().columns == ["pair", "timestamp", "available_at", "close"]
