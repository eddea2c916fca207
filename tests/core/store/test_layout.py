"""What the release before the first stamp wrote is read as ever, and what a later one wrote is refused."""

import gzip
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from support.commands import golden

from golden_core.reporting.tables import leaderboard
from golden_core.store.lake import LAYOUT, Home, LayoutError
from golden_core.store.schema import BARS, FOLDS, FORECASTS, HISTORY, SCALERS
from golden_core.store.warehouse import DamagedWarehouseError, Warehouse
from golden_core.trials.outputs import altered_files

# Written by release 0.1.0 before homes were stamped:
# golden run smoke --as smoke_old --set data.pairs=[EURUSD] --set seeds.count=1 and two forecasters.
WRITTEN = Path(__file__).parents[2] / "fixtures" / "first_layout"


@pytest.fixture
def home(tmp_path, monkeypatch):
    shutil.copytree(WRITTEN, tmp_path / "home")
    packed = gzip.decompress((WRITTEN / "warehouse.duckdb.gz").read_bytes())
    (tmp_path / "home" / "warehouse.duckdb").write_bytes(packed)
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def test_its_lake_is_read(home):
    folder = home.study("smoke_old")
    for table, key in ((BARS, "EURUSD"), (FOLDS, "EURUSD_h1"), (SCALERS, "EURUSD_h1")):
        frame = pl.read_parquet(folder.table(table.name, key))
        assert table.conform(frame).equals(frame)
        assert frame.height
    trials = [path.parent for path in (folder.root / "trials").rglob("provenance.json")]
    assert len(trials) == 2
    for trial in trials:
        assert altered_files(trial) == []
        for table in (FORECASTS, HISTORY):
            table.conform(pl.read_parquet(trial / f"{table.name}.parquet"))


def test_its_warehouse_is_read_written_and_stamped(home):
    warehouse = Warehouse(home.warehouse)
    before = leaderboard(warehouse, "smoke_old", significance=0.05).frame
    said = pl.read_csv(home.root / "reports" / "leaderboard.csv")
    assert before["forecaster"].to_list() == said["forecaster"].to_list()
    history = warehouse.query("SELECT * FROM history")
    # Its comparisons lack the columns of this release, and nothing is written beside what would be misread.
    with pytest.raises(DamagedWarehouseError, match=r"comparisons .* was written with another schema"):
        warehouse.load("smoke_old", {"history": history})
    warehouse.set_aside()
    warehouse.load("smoke_old", {"history": history})
    assert warehouse.query("SELECT * FROM history").equals(history)
    assert warehouse.query("SELECT version FROM layout").rows() == [(LAYOUT,)]


def test_a_later_lake_is_refused_with_one_message(home):
    home.stamp()
    assert Home.from_environment() == home
    (home.root / "layout.json").write_text(json.dumps({"layout": LAYOUT + 1}), encoding="utf-8")
    with pytest.raises(LayoutError, match=rf"layout {LAYOUT + 1}, and this release .* up to {LAYOUT}: install"):
        Home.from_environment()
    said = golden("status", "smoke")
    assert (said.exit_code, said.output.count("\n")) == (2, 1)
    assert "set GOLDEN_HOME" in said.output


def test_a_later_warehouse_is_refused_before_anything_is_written(home):
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"CREATE TABLE layout AS SELECT {LAYOUT + 1} AS version")
    warehouse = Warehouse(home.warehouse)
    for attempt in (
        lambda: warehouse.query("SELECT 1"),
        lambda: warehouse.load("smoke_old", {"history": HISTORY.empty()}),
    ):
        with pytest.raises(LayoutError, match=f"warehouse.duckdb has layout {LAYOUT + 1}"):
            attempt()
    with duckdb.connect(str(home.warehouse)) as connection:
        assert connection.execute("SELECT version FROM layout").fetchall() == [(LAYOUT + 1,)]
