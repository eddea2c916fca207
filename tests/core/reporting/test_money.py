"""What the report says of money: numbers of the warehouse, who is idle, that a fixing is no price; nothing unasked."""

import datetime

import numpy as np
import polars as pl
import pytest
from support.money import section

from golden_core.economics.strategies import strategies
from golden_core.economics.tables import economics_table, equity_table
from golden_core.reporting.exhibits import exhibit
from golden_core.reporting.pages import write_report
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse


@pytest.fixture(scope="module")
def made(builders, tables, forecasts, tmp_path_factory):
    """Two hundred days of fixings, known an hour later, of two pairs."""
    study = builders.make_study(economics=section().model_dump())
    days = [builders.FIRST_DAY + datetime.timedelta(days=day) for day in range(206)]
    draw = Stream(15).child("fixings").generator()
    frames = [
        pl.DataFrame({"pair": pair, "timestamp": days, "close": np.exp(np.cumsum(draw.normal(0, 0.005, 206)))})
        for pair in study.data.pairs
    ]
    bars = pl.concat(frames).with_columns(timestamp=pl.col("timestamp") - pl.duration(hours=1))
    traded = list(strategies(forecasts, bars, study.economics))
    money = economics_table(study, traded, 12, Stream(1))
    folder = tmp_path_factory.mktemp("money")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.load(study.name, tables | {"economics": money, "equity": equity_table(study.name, traded)})
    write_report(warehouse, study, folder / "report", builders.PROVENANCE)
    page = builders.Page((folder / "report" / "index.html").read_text(encoding="utf-8"))
    return page, money, warehouse, study, folder / "report"


def test_a_strategy_is_shown_as_the_warehouse_has_it(made):
    page, money, *_ = made
    shown = next(row for row in page.cells["economics"] if row[:2] == ["ar", "EURUSD_h5"])
    (held,) = money.filter(forecaster="ar", pair="EURUSD", horizon=5).to_dicts()
    assert shown[2] == f"{100 * held['net']:.2f}".replace("-", "−")
    assert shown[4] == f"{held['sharpe']:.2f}".replace("-", "−")
    assert shown[9:11] == [f"{held['deflated']:.3f}", "12"]
    assert shown[-2:] == [f"{held['break_even_pips']:.2f}".replace("-", "−"), "—"]


def test_who_never_trades_is_said_to_be_idle(made):
    page, *_ = made
    walk = next(row for row in page.cells["economics"] if row[0] == "random_walk")
    assert walk[4:8] == ["—"] * 4
    assert walk[-1].startswith("never in the market")
    assert "random_walk" not in page.queries["equity"]


def test_a_fixing_is_said_to_be_no_price_and_an_open_is_not(made):
    page, money, warehouse, study, _ = made
    assert "A fixing is not a tradable price" in page.words
    opens = money.with_columns(filled_at=pl.lit("open of the next bar"))
    warehouse.load("other", {"economics": opens.with_columns(study=pl.lit("other"))})
    other = exhibit("economics", warehouse, study.model_copy(update={"name": "other"}))
    assert "filled at the open of the next bar;" in other.caption
    assert "fixing" not in other.caption


def test_equity_has_a_panel_per_series_that_says_where_it_ends(made):
    page, money, *_ = made
    labels = [attributes.get("aria-label", "") for tag, attributes in page.elements if tag == "svg"]
    ends = [label for label in labels if "equity net of costs" in label]
    assert len(ends) == 4
    days = money.filter(forecaster="ar", pair="EURUSD", horizon=1)
    total = days["net"][0] * days["n"][0] / 365.25
    assert f"ar {100 * total:.2f} %".replace("-", "−") in ends[0].replace("\u202f", " ")


def test_the_table_is_there_in_full_as_a_file(made):
    *_, folder = made
    assert pl.read_csv(folder / "economics.csv").height == 12


def test_a_study_that_trades_nothing_does_not_speak_of_money(page):
    assert "economics" not in page.cells
    assert "Money" not in page.words
