"""Detection: one claim decides, two are refused, a vendor's own format comes before a plain table."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.text_files import FORMS, hourly

from golden_core.bars.reading import read_bars
from golden_core.vendors import GENERAL, READERS, detect, reader
from golden_core.vendors.base import Claim, VendorError
from golden_core.vendors.detect import detect as decide


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """One file of every form."""
    bars = hourly("2024-03-03", 1)
    paths = {name: tmp_path / f"{name}.{form.suffix}" for name, form in FORMS.items() if name != "declared"}
    for name, path in paths.items():
        FORMS[name].write(bars, path, 5)
    return paths


def test_every_reader_is_what_its_name_says() -> None:
    for name in READERS:
        assert reader(name).name == name
    assert set(GENERAL) < set(READERS)


def test_no_file_is_claimed_by_two_vendors(files: dict[str, Path]) -> None:
    vendors = [reader(name) for name in READERS if name not in GENERAL]
    for name, path in files.items():
        claims = [claim.format for found in vendors if (claim := found.sniff(path))]
        assert len(claims) <= 1, (name, claims)
        assert decide(path, "EURUSD")[1].format == (claims or [f"plain_{'parquet' if 'parquet' in name else 'csv'}"])[0]


def test_two_claims_are_refused_with_both(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    class Greedy:
        name = "greedy"

        def sniff(self, path: Path) -> Claim:
            return Claim(self.name, "it wants everything")

    known = detect.reader
    monkeypatch.setitem(READERS, "greedy", "nowhere:GREEDY")
    monkeypatch.setattr(detect, "reader", lambda name: Greedy() if name == "greedy" else known(name))
    path = files["histdata_m1"]
    with pytest.raises(VendorError) as caught:
        decide(path, "EURUSD")
    assert "2 ways: histdata_m1, because its lines are a compact time" in str(caught.value)
    assert "or greedy, because it wants everything. Declare one of them as the format" in str(caught.value)
    assert decide(path, "EURUSD", "histdata_m1")[1] == Claim("histdata_m1", "the format was declared")


@pytest.mark.parametrize("name", ["metatrader4", "histdata_m1", "histdata_ticks"])
def test_a_bad_row_among_the_first_is_named(name: str, files: dict[str, Path]) -> None:
    lines = files[name].read_text().splitlines()
    files[name].write_text("\n".join([*lines[:4], lines[4].replace("1.", "1_", 1).replace("0.", "0_", 1), *lines[5:]]))
    with pytest.raises(VendorError, match=r"line 5: column '(open|bid)': '[01]_"):
        read_bars(files[name], "EURUSD", zone=FORMS[name].said.get("zone"))


def test_a_format_that_does_not_look_like_the_file_is_told(files: dict[str, Path]) -> None:
    _, _, notes = decide(files["metatrader5"], "EURUSD", "dukascopy_csv")
    assert notes == ("the file was declared to be dukascopy_csv; its beginning does not look like it",)
    for name, message in {
        "histdata_m1": "line 1: 9 fields, expected lines like '20240315 050000;1",
        "histdata_ticks": "line 1: 9 fields, expected lines like '20240315 050000371,",
        "metatrader4_csv": "line 1: 9 fields, expected lines like .*date, time, open",
        "oanda_json": "the JSON is broken",
    }.items():
        with pytest.raises(VendorError, match=message):
            decide(files["metatrader5"], "EURUSD", name)[0].read(files["metatrader5"], "EURUSD")


@pytest.mark.parametrize(
    ("name", "pair", "refused"),
    [
        ("EURUSD_2024.csv", "EURUSD", None), ("eur-usd.csv", "EURUSD", None), ("data.csv", "EURUSD", None),
        ("EURUSD_and_USDJPY.csv", "EURUSD", None), ("SEURUSDX.csv", "USDJPY", None),
        ("EURUSD_2024.csv", "USDJPY", "EURUSD"), ("eur_usd.csv", "USDJPY", "EURUSD"),
    ],
)  # fmt: skip
def test_a_name_that_says_another_pair_is_refused(name: str, pair: str, refused: str | None, tmp_path: Path) -> None:
    FORMS["dukascopy_gmt"].write(hourly("2024-03-03", 1), tmp_path / name, 5)
    if refused is None:
        assert decide(tmp_path / name, pair)[1].format == "dukascopy_csv"
        return
    with pytest.raises(VendorError, match=f"the name of the file says {refused}, but {pair} is asked for"):
        decide(tmp_path / name, pair)


def test_what_is_not_there_or_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="there is no file"):
        decide(tmp_path / "nothing.csv", "EURUSD")
    with pytest.raises(VendorError, match="is a folder, and holds no files of a format that comes in folders"):
        decide(tmp_path, "EURUSD")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(VendorError, match=r"begins with 'a,b'. Known are .*bi5, .* --format plain_csv --column"):
        decide(tmp_path / "x.csv", "EURUSD")
    with pytest.raises(
        VendorError, match=r"no format is called 'dukascopy'; known are .*; did you mean 'dukascopy_csv'"
    ):
        decide(tmp_path / "x.csv", "EURUSD", "dukascopy")
    with pytest.raises(VendorError, match="format hst offers nothing to choose, got 'bid'"):
        decide(tmp_path / "x.csv", "EURUSD", "hst:bid")
