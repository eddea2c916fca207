"""The warehouse: whole loads or none, one writer, patient readers, UTC, and errors that name what is wrong."""

import datetime
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import duckdb
import polars as pl
import pytest

from golden_core.store import warehouse as module
from golden_core.store.health import FullDiskError
from golden_core.store.schema import CALENDAR, CLEANING, FOLDS, HISTORY, TRIALS, WAREHOUSE_TABLES
from golden_core.store.table import SchemaError
from golden_core.store.warehouse import DamagedWarehouseError, Warehouse, WarehouseError


def history(epochs=3, study="demo"):
    facts = {"study": study, "forecaster": "v01", "pair": "EURUSD", "horizon": 1, "seed": 0, "fold": 0}
    facts |= {"train_loss": 1.0, "validation_loss": 1.0, "learning_rate": 1e-3}
    rows = [facts | {"epoch": epoch} for epoch in range(1, epochs + 1)]
    return HISTORY.conform(pl.DataFrame(rows, schema=HISTORY.dtypes))


def calendar(days=2):
    start = datetime.date(2020, 12, 25)
    rows = [("EURUSD", start + datetime.timedelta(days=day), None if day else "Christmas") for day in range(days)]
    return CALENDAR.conform(pl.DataFrame(rows, schema=["pair", "date", "explanation"], orient="row"))


def cleaning(rows=7):
    told = {"pair": "EURUSD", "rule": "weekend", "action": "kept", "rows": rows, "detail": "it's kept"}
    return CLEANING.conform(pl.DataFrame([told]))


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "home" / "warehouse.duckdb", patience=0.3)


def held(warehouse, table="history"):
    return warehouse.query(f"SELECT * FROM {table} ORDER BY ALL")


def run(code, *arguments, **options):
    """Start Python on a piece of code; the caller waits for it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **options
    )


# What is stored


def test_rows_come_back_as_they_went_in(warehouse):
    warehouse.load("demo", {"history": history(), "calendar": calendar()})
    assert held(warehouse).equals(history())
    with run("import sys, duckdb; duckdb.connect(sys.argv[1]); print('free')", warehouse.path) as process:
        assert process.stdout.read() == "free\n"  # a query lets go of the file
    assert held(warehouse, "calendar").equals(calendar().select(pl.lit("demo").alias("study"), pl.all()))


def test_tables_and_columns_are_those_of_the_schema_with_their_descriptions(warehouse):
    warehouse.load("demo", {})
    columns = warehouse.query(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal"
    )
    for table in WAREHOUSE_TABLES:
        comments = dict(columns.filter(table_name=table.name).select("column_name", "comment").iter_rows())
        assert set(comments) == {"study", *table.dtypes}
        for column in table.columns:
            assert column.description in comments[column.name]
    assert set(columns["table_name"]) == {"layout", *(table.name for table in WAREHOUSE_TABLES)}
    kinds = dict(columns.filter(table_name="folds").select("column_name", "data_type").iter_rows())
    assert kinds["label_end"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["fold"] == "INTEGER"


def test_every_table_takes_its_own_empty_frame(warehouse):
    warehouse.load("demo", {table.name: table.empty() for table in WAREHOUSE_TABLES})
    assert all(held(warehouse, table.name).is_empty() for table in WAREHOUSE_TABLES)
    assert held(warehouse).equals(HISTORY.empty())


def test_a_load_replaces_the_rows_of_its_study_and_no_others(warehouse):
    warehouse.load("demo", {"history": history(5), "calendar": calendar()})
    warehouse.load("other", {"history": history(2, "other"), "calendar": calendar(1)})
    for _ in range(2):  # loading twice is loading once
        warehouse.load("demo", {"history": history(1)})
    counts = warehouse.query("SELECT study, count(*) AS n FROM history GROUP BY ALL ORDER BY ALL")
    assert counts.rows() == [("demo", 1), ("other", 2)]
    counts = warehouse.query("SELECT study, count(*) AS n FROM calendar GROUP BY ALL ORDER BY ALL")
    assert counts.rows() == [("demo", 2), ("other", 1)]  # not given again, not touched


def test_rows_are_stored_in_the_order_of_their_key(warehouse):
    shuffled = history(200).sample(fraction=1.0, shuffle=True, seed=1)
    warehouse.load("demo", {"history": shuffled})
    assert warehouse.query("SELECT * FROM history").equals(history(200))


def test_a_table_without_a_study_takes_the_study_of_the_load(warehouse):
    warehouse.load("demo", {"calendar": calendar(), "cleaning": cleaning()})
    with_study = calendar().with_columns(study=pl.lit("demo"))
    warehouse.load("demo", {"calendar": with_study})
    assert held(warehouse, "calendar")["study"].to_list() == ["demo", "demo"]
    assert held(warehouse, "cleaning")["detail"].to_list() == ["it's kept"]


def test_210_times_1000_rows_load_in_a_second(warehouse):
    every = pl.concat([history(1000).with_columns(seed=pl.lit(seed, pl.Int32)) for seed in range(210)])
    for _ in range(2):  # the second deletes 210,000 rows first
        begun = time.process_time()
        warehouse.load("demo", {"history": every})
        assert time.process_time() - begun < 2  # processor time, which a busy machine does not stretch as much


# What is refused


def bad_tables():
    yield "history", history().drop("train_loss"), "table history: missing column 'train_loss'"
    yield "history", history().with_columns(pl.col("epoch").cast(pl.Int64)), "table history: 'epoch' is Int64"
    yield "history", history().with_columns(pair=pl.lit(None, pl.String)), "3 nulls in key column 'pair'"
    yield "history", pl.concat([history(), history()]), "table history: 6 rows share a key"
    yield "history", history(study="other"), "table history: rows of study other in a load of 'demo'"
    yield "calendar", calendar().with_columns(extra=1), "table calendar: unknown column 'extra'"
    yield "rates", history(), "no table of the warehouse is called 'rates'"


@pytest.mark.parametrize(("name", "frame", "message"), list(bad_tables()))
def test_a_bad_table_is_refused_and_nothing_changes(warehouse, name, frame, message):
    warehouse.load("demo", {"trials": TRIALS.empty(), "cleaning": cleaning(), "history": history()})
    with pytest.raises(SchemaError, match=message):
        warehouse.load("demo", {"cleaning": cleaning(8), "folds": FOLDS.empty(), name: frame})
    assert held(warehouse).equals(history())
    assert held(warehouse, "cleaning")["rows"].to_list() == [7]


def test_a_file_of_another_schema_is_refused(warehouse):
    warehouse.path.parent.mkdir()
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("CREATE TABLE history (study VARCHAR, loss DOUBLE)")
    with pytest.raises(WarehouseError, match=r"table history of .*warehouse.duckdb was written with another schema"):
        warehouse.load("demo", {"history": history()})


def test_a_file_that_is_no_warehouse_is_refused(warehouse):
    warehouse.path.parent.mkdir()
    warehouse.path.write_text("not a database" * 1000)
    for action in (lambda: warehouse.query("SELECT 1"), lambda: warehouse.load("demo", {})):
        with pytest.raises(WarehouseError, match=r"warehouse\.duckdb is damaged .*not a valid DuckDB"):
            action()


def test_a_log_of_another_moment_is_damage(warehouse, tmp_path):
    """As in a home that was copied while a run wrote to it: the tables can be made again, so they are."""
    warehouse.load("demo", {"history": history()})
    copy = tmp_path / "copy.wal"
    with duckdb.connect(str(warehouse.path), config={"wal_autocheckpoint": "1GB"}) as connection:
        connection.execute("INSERT INTO history SELECT * FROM history")
        shutil.copy(f"{warehouse.path}.wal", copy)
    shutil.copy(copy, f"{warehouse.path}.wal")
    for action in (lambda: warehouse.query("SELECT 1"), lambda: warehouse.load("demo", {})):
        with pytest.raises(DamagedWarehouseError, match=r"warehouse\.duckdb is damaged .*WAL"):
            action()


# What survives


def test_an_error_in_the_middle_of_a_load_changes_nothing(warehouse, monkeypatch):
    warehouse.load("demo", {"history": history(), "calendar": calendar(), "cleaning": cleaning()})
    replace, done = module._replace_rows, []

    def fail_on_the_third(connection, name, study, frame):
        if len(done) == 2:
            raise RuntimeError("the disk is full")
        done.append(name)
        replace(connection, name, study, frame)

    monkeypatch.setattr(module, "_replace_rows", fail_on_the_third)
    with pytest.raises(FullDiskError, match=r"warehouse\.duckdb: the disk is full"):
        warehouse.load("demo", {"history": history(9), "calendar": calendar(9), "cleaning": cleaning(9)})
    assert done == ["history", "calendar"]
    monkeypatch.undo()
    assert held(warehouse).equals(history())
    assert len(held(warehouse, "calendar")) == 2
    assert held(warehouse, "cleaning")["rows"].to_list() == [7]


KILLED = """
import os, signal, sys
from pathlib import Path
import polars as pl
from golden_core.store import warehouse as module

path, new = Path(sys.argv[1]), Path(sys.argv[2])
replace, done = module._replace_rows, []

def die_in_the_middle(*arguments):
    replace(*arguments)
    done.append(arguments)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

module._replace_rows = die_in_the_middle
tables = {name: pl.read_parquet(new / f"{name}.parquet") for name in ("history", "calendar", "cleaning")}
module.Warehouse(path).load("demo", tables)
"""


def test_a_kill_in_the_middle_of_a_load_changes_nothing(warehouse, tmp_path):
    warehouse.load("demo", {"history": history(), "calendar": calendar(), "cleaning": cleaning()})
    for name, frame in {"history": history(300_000), "calendar": calendar(9), "cleaning": cleaning(9)}.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    with run(KILLED, warehouse.path, tmp_path) as process:
        assert process.wait() == -signal.SIGKILL
    assert held(warehouse).equals(history())
    assert len(held(warehouse, "calendar")) == 2
    warehouse.load("demo", {"history": history(4)})
    assert held(warehouse).equals(history(4))


# Who may open it when

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[3] == "reading")
print("open", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold(warehouse):
    """Hold the file in another process for some seconds."""
    processes = []

    def start(seconds, how="writing"):
        process = run(HOLD, warehouse.path, seconds, how)
        processes.append(process)
        assert process.stdout.readline() == "open\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


ACTIONS = {
    "query": lambda warehouse: warehouse.query("SELECT 1 AS one"),
    "load": lambda warehouse: warehouse.load("demo", {"history": history()}),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_held_file_is_waited_for(warehouse, hold, action):
    warehouse.load("demo", {})
    hold(0.5)
    ACTIONS[action](Warehouse(warehouse.path, patience=30))


def test_a_writer_waits_for_readers(warehouse, hold):
    warehouse.load("demo", {})
    hold(0.5, "reading")
    warehouse.query("SELECT 1")  # readers do not wait for readers
    Warehouse(warehouse.path, patience=30).load("demo", {"history": history()})
    assert len(held(warehouse)) == 3


@pytest.mark.parametrize("action", ACTIONS)
def test_the_end_of_patience_is_one_error_with_the_file_and_the_process(warehouse, hold, action):
    warehouse.load("demo", {})
    holder = hold(60)
    begun = time.monotonic()
    message = rf"warehouse.duckdb is still held by another process \(PID {holder.pid}\)"
    with pytest.raises(WarehouseError, match=message):
        ACTIONS[action](warehouse)
    assert time.monotonic() - begun < 5


def test_a_connection_of_the_same_process_is_waited_for_too(warehouse):
    warehouse.load("demo", {})
    with duckdb.connect(str(warehouse.path)), pytest.raises(WarehouseError, match=f"this process .PID {os.getpid()}."):
        warehouse.query("SELECT 1")
    assert warehouse.query("SELECT 1 AS one")["one"].item() == 1


def test_threads_that_load_and_query_take_turns(warehouse):
    patient = Warehouse(warehouse.path, patience=60)
    failures = []

    def work(number):
        try:
            patient.load("demo", {"history": history(50 + number)})
            assert 50 <= len(patient.query("SELECT * FROM history")) < 56
        except Exception as error:  # noqa: BLE001 — a thread must hand its failure to the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# What a query sees


def test_values_are_parameters(warehouse):
    warehouse.load("demo", {"history": history()})
    by_place = warehouse.query("SELECT epoch FROM history WHERE study = ? AND epoch > ?", ["demo", 1])
    by_name = warehouse.query(
        "SELECT epoch FROM history WHERE study = $study AND epoch > $epoch", {"study": "demo", "epoch": 1}
    )
    assert by_place["epoch"].to_list() == by_name["epoch"].to_list() == [2, 3]
    assert len(warehouse.query("SELECT * FROM history WHERE study = ?", ["' OR true --"])) == 0


def test_a_query_cannot_write(warehouse):
    warehouse.load("demo", {"history": history()})
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        warehouse.query("DELETE FROM history")
    assert len(held(warehouse)) == 3


def test_there_is_no_warehouse_before_the_first_load(warehouse):
    with pytest.raises(WarehouseError, match=r"no warehouse at .*warehouse.duckdb: `golden run STUDY` makes it"):
        warehouse.query("SELECT 1")
    assert not warehouse.path.exists()


ZONE = """
import sys
from pathlib import Path
from golden_core.store.warehouse import Warehouse
row = Warehouse(Path(sys.argv[1])).query(
    "SELECT current_setting('TimeZone') AS zone, CAST(first_timestamp AS DATE) AS day, first_timestamp, "
    "TIMESTAMPTZ '2020-01-01 00:30:00' = first_timestamp AS same FROM folds"
)
print(*row.row(0), row.schema["first_timestamp"])
"""


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_session_is_in_utc_whatever_the_zone_of_the_machine(warehouse, zone):
    moment = datetime.datetime(2020, 1, 1, 0, 30, tzinfo=datetime.UTC)
    fold = pl.DataFrame(
        {name: [moment if "Datetime" in str(kind) else 0] for name, kind in FOLDS.dtypes.items()}
    ).with_columns(pl.col(name).cast(kind) for name, kind in FOLDS.dtypes.items())
    warehouse.load("demo", {"folds": fold.with_columns(study=pl.lit("demo"))})
    with run(ZONE, warehouse.path, env=os.environ | {"TZ": zone}) as process:
        printed = process.stdout.read().strip()
    assert printed == ("UTC 2020-01-01 2020-01-01 00:30:00+00:00 True Datetime(time_unit='us', time_zone='UTC')")
