"""Tables: every declaration is complete, and `conform` refuses whatever deviates, all of it at once."""

import polars as pl
import pytest

from golden_core.store import schema
from golden_core.store.schema import BARS, UTC_TIME, WAREHOUSE_TABLES
from golden_core.store.table import Column, SchemaError, Table

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
    times = [column for column in table.columns if isinstance(column.dtype, pl.Datetime) or column.dtype is pl.Datetime]
    assert all(column.dtype == UTC_TIME and column.unit == "UTC" for column in times)
    assert table.conform(table.empty()).equals(table.empty())
    assert table.empty().height == 0


def test_a_name_means_one_thing_and_the_warehouse_holds_each_table_once():
    for name in ("study", "forecaster", "fold", "cutoff", "timestamp"):
        assert len({table.dtypes[name] for table in TABLES if name in table.dtypes}) == 1
    assert len({table.name for table in WAREHOUSE_TABLES}) == len(WAREHOUSE_TABLES)
    assert set(WAREHOUSE_TABLES) <= set(TABLES)
    assert all(getattr(schema, table.name.upper()) is table for table in TABLES)


def test_forecasts_are_enough_for_every_metric():
    forecasts = next(table for table in WAREHOUSE_TABLES if table.name == "forecasts")
    assert {"last_close", "true_close", "pred_close", "y_true", "y_pred", "cutoff", "target_at"} <= set(
        forecasts.dtypes
    )


def test_conform_orders_the_columns_of_a_copy_and_lets_optional_ones_and_nulls_be():
    shuffled = FRAME.select("volume", "price", "at", "pair")
    assert TABLE.conform(shuffled).columns == ["pair", "at", "price", "volume"]
    assert TABLE.conform(shuffled).equals(FRAME)
    assert shuffled.columns == ["volume", "price", "at", "pair"]
    assert TABLE.conform(FRAME.drop("volume")).columns == ["pair", "at", "price"]
    assert TABLE.conform(FRAME.with_columns(price=pl.lit(None, pl.Float64)))["price"].null_count() == 1
    assert BARS.empty().columns == ["pair", "timestamp", "available_at", "close"]  # what a source of fixings has


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
