"""`end: latest`: the last day of which the source has every bar, found when data are prepared and kept beside them."""

import datetime as dt
import io
import json
import zipfile

import polars as pl
import pytest

from golden_core.preparation import dated_study, prepare_pair, prepare_quality, prepare_raw
from golden_core.preparation.catalogue import load_study, vocabulary
from golden_core.preparation.steps import PreparationError, bars_of_pairs
from golden_core.sources import SourceError, dated
from golden_core.sources.ecb_history import refreshed_path
from golden_core.sources.files import Files
from golden_core.store.lake import Home, read_json
from golden_core.store.schema import BARS
from golden_core.study import StudyError, describe, study_schema
from golden_core.study.values import NEWEST

DAYS = [day for n in range(620) if (day := dt.date(2023, 1, 2) + dt.timedelta(n)).weekday() < 5]


def history(days, without=()):
    """The ECB's archive of two currencies, the yen missing on some days."""
    rows = [f"{d},{1.1 + i / 1000},{'N/A' if d in without else 155 + i / 100}," for i, d in enumerate(days)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("eurofxref-hist.csv", "\n".join(["Date,USD,JPY,", *reversed(rows)]) + "\n")
    return buffer.getvalue()


@pytest.fixture
def home():
    found = Home.from_environment()
    refreshed_path(found.root).parent.mkdir(parents=True)
    return found


def prepared(home, end, days, without=()):
    refreshed_path(home.root).write_bytes(history(days, without))
    study = load_study("smoke", [f"data.end={end}"])
    prepare_raw(home, study)
    for pair in study.data.pairs:
        prepare_pair(home, study, pair)
    prepare_quality(home, study)
    folder = home.study(study.name)
    bars = {pair: folder.table("bars", pair).read_bytes() for pair in study.data.pairs}
    return study, bars, read_json(folder.source)


def test_who_has_no_bar_left_is_told_which_rules_took_its_rows(home):
    study = load_study("smoke")
    prepare_raw(home, study)
    given = bars_of_pairs(study, pl.read_parquet(home.study(study.name).raw))
    named = {**given, "EURUSD": given["EURUSD"].with_columns(close=-pl.col("close"))}
    count = given["EURUSD"].height
    said = f"EURUSD: no bar is left between 2023-01-02 and 2024-12-31 of {count} raw rows: .* took {count}"
    with pytest.raises(PreparationError, match=f"^{said}$"):
        prepare_pair(home, study, "EURUSD", given=named)


def test_the_bars_are_those_of_a_study_that_names_the_day_and_the_source_says_which(home):
    study, bars, source = prepared(home, "latest", DAYS)
    assert source["end"] == str(DAYS[-1]) == str(dated_study(home, study).data.end)
    assert pl.read_parquet(home.study("smoke").table("calendar", "EURUSD")).is_empty()  # no day is missing
    _, named, source = prepared(home, DAYS[-1], DAYS)
    assert named == bars
    assert "end" not in source


def test_a_day_on_which_a_currency_lacks_is_not_the_latest(home):
    _, bars, source = prepared(home, "latest", DAYS, without=DAYS[-2:])
    assert source["end"] == str(DAYS[-3])
    assert prepared(home, DAYS[-3], DAYS)[1] == bars


def test_a_longer_history_moves_the_end_and_the_same_history_does_not(home):
    study, bars, _ = prepared(home, "latest", DAYS[:-1])
    assert not prepare_raw(home, study, write=False).changed
    refreshed_path(home.root).write_bytes(history(DAYS))
    assert prepare_raw(home, study, write=False).changed
    _, longer, source = prepared(home, "latest", DAYS)
    assert source["end"] == str(DAYS[-1])
    assert longer != bars


def test_bars_wait_for_a_source_that_says_which_day_it_is(home):
    study, _, _ = prepared(home, "latest", DAYS)
    home.study("smoke").source.unlink()
    with pytest.raises(PreparationError, match=r"source\.json does not say which day is the latest: materialise"):
        prepare_pair(home, study, "EURUSD")


@pytest.mark.parametrize(("end", "said"), [(NEWEST, "latest"), (dt.date(2024, 1, 2), "2024-01-02")])
def test_a_file_that_has_not_been_asked_for_its_last_day_names_none(tmp_path, make_data, end, said):
    (tmp_path / "eur.csv").write_text("2024.01.01,00:00,1,1,1,1,1\n")
    settings = {"format": "auto", "paths": {"EURUSD": "eur.csv"}, "columns": None}
    data = make_data(source="files", pairs=("EURUSD",), end=end, settings=settings)
    assert Files().describe(data, tmp_path)["last_day"] == said


def test_of_a_file_the_last_day_that_is_over_in_all_pairs(make_data):
    hours = {"EURUSD": "2024-01-04T09", "USDJPY": "2024-01-03T23"}
    starts = {pair: dt.datetime.fromisoformat(last + ":00") for pair, last in hours.items()}
    rows = [
        {"pair": pair, "timestamp": (last - dt.timedelta(hours=n)).replace(tzinfo=dt.UTC), "close": 1.0}
        for pair, last in starts.items()
        for n in range(60)
    ]
    raw = BARS.conform(pl.DataFrame(rows).with_columns(available_at=pl.col("timestamp").dt.offset_by("1h")))
    data = make_data(source="files", pairs=("EURUSD", "USDJPY"), start=dt.date(2024, 1, 1), time_zone="UTC", bar="1h")
    assert Files().last_day(raw, data) == dt.date(2024, 1, 2)
    with pytest.raises(SourceError, match="that a later bar shows to be over"):
        Files().last_day(raw, data.model_copy(update={"start": dt.date(2024, 1, 3)}))


def test_a_source_that_makes_its_bars_has_no_latest(make_data):
    process = {"process": "garch", "initial_price": 1.1, "volatility": 0.006, "alpha": 0.05, "beta": 0.9}
    overrides = ["data.source=synthetic", f"data.settings={json.dumps(process)}", "data.end=latest"]
    with pytest.raises(StudyError, match=r"data\.end: must be a day: source synthetic makes its bars"):
        load_study("smoke", overrides)


@pytest.mark.parametrize("end", ["newest", "Latest", "2024-13-01", "20240101", "null", "9999-12-31"])
def test_another_word_or_no_day_is_refused(end):
    with pytest.raises(StudyError, match=r"data\.end"):
        load_study("smoke", [f"data.end={end}"])


def test_it_is_shown_described_and_hashed_as_it_was_written(make_data):
    study = load_study("smoke", ["data.end=latest"])
    assert "end: latest" in describe(study)
    assert study.hash() != load_study("smoke").hash()
    end = study_schema(vocabulary())["$defs"]["DataSection"]["properties"]["end"]
    assert end["anyOf"] == [{"type": "string", "format": "date"}, {"const": "latest"}]
    assert dated(make_data(), 1, Home.from_environment().root) == make_data()
