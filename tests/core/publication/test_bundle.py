"""An archive is whole, says what it holds, and names every byte that somebody has changed."""

import datetime
import os
import re
import shutil
import sys
from pathlib import Path

import bagit
import polars as pl
import pytest
from rocrate.rocrate import ROCrate

from golden_core.publication import reproduction
from golden_core.publication.bundle import write_bundle
from golden_core.publication.declared import PublicationError
from golden_core.publication.integrity import TAG_MANIFEST, TAGS, archive_name, bundle_faults, results, tag_lines
from golden_core.publication.reproduction import compared
from golden_core.publication.tables import PUBLIC, published_tables, table_hash
from golden_core.sources import SOURCES
from golden_core.store.lake import Home, StoredTableError, hash_file, read_json, write_json
from golden_core.store.warehouse import Warehouse
from golden_core.trials.stored import IncompleteError

ROOT = Path.cwd()
NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def archived(_finished, study, tmp_path_factory):
    """An archive of the finished campaign; not to be changed."""
    folder = tmp_path_factory.mktemp("archive") / "bag"
    write_bundle(Home(_finished, _finished / "reports"), study, ROOT, folder, NOW)
    return folder


@pytest.fixture
def copied(archived, tmp_path):
    """A copy of the archive, to be harmed."""
    return Path(shutil.copytree(archived, tmp_path / "bag"))


def test_the_archive_is_a_bag_and_a_crate(archived):
    bagit.Bag(str(archived)).validate()
    crate = ROCrate(archived / "data")
    described = {one.id for one in crate.data_entities}
    files = {p.relative_to(archived / "data").as_posix() for p in (archived / "data").rglob("*") if p.is_file()}
    assert described == files - {"ro-crate-metadata.json"}
    assert bundle_faults(archived) == []


def test_the_rates_keep_the_licence_of_their_source(archived):
    """The archive is under the project's licence; what the central bank published is not the project's to license."""
    entities = {one["@id"]: one for one in read_json(archived / "data" / "ro-crate-metadata.json")["@graph"]}
    assert entities["inputs/raw.parquet"]["license"].startswith("European Central Bank")
    assert [name for name, one in entities.items() if "license" in one] == ["./", "inputs/raw.parquet"]


def test_the_archive_holds_what_it_promises(archived, study):
    data, said = archived / "data", results(archived)
    assert (said["study"], said["study_hash"]) == ("smoke", study.hash())
    assert len(said["tables"]) == len(list((data / "tables").glob("*.parquet"))) == 19
    assert said["tables"]["forecasts"]["rows"] == pl.read_parquet(data / "tables" / "forecasts.parquet").height > 0
    assert len(list((data / "manifests" / "trials").rglob("*.json"))) == (2 + 2) * 2
    for name in ("MODEL_CARD.md", "DATA_CARD.md", "sbom.cdx.json", "CITATION.cff", "source.tar", "external_review.md"):
        assert (data / name).stat().st_size > 0
    assert said["git"]["commit"] in (data / "persistent_identifiers.md").read_text()
    assert (data / "inputs" / "raw.parquet").is_file()


@pytest.mark.parametrize("name", ["data/tables/metrics.parquet", "data/MODEL_CARD.md", *TAGS, TAG_MANIFEST])
@pytest.mark.parametrize("place", [0.9, 1])
def test_a_changed_byte_is_named(name, place, copied):
    path = copied / name
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)
    try:
        said = bundle_faults(copied)
    except PublicationError as error:
        said = [str(error)]  # without bagit.txt or a manifest as they must be, it is no bag
    assert any(name in fault for fault in said)


def test_what_is_missing_or_new_is_named(copied):
    (copied / "data" / "tables" / "claims.parquet").unlink()
    (copied / "data" / "new.txt").write_text("new")
    faults = bundle_faults(copied)
    assert {"data/tables/claims.parquet is missing", "data/new.txt was not archived"} <= set(faults)


@pytest.mark.parametrize("name", ["bag-info.txt", "tagmanifest-sha256.txt", "data/LICENSE"])
def test_a_link_in_place_of_a_file_is_named(name, copied):
    (copied / name).rename(copied / "data" / "elsewhere")
    (copied / name).symlink_to(copied / "data" / "elsewhere")
    assert any(name in fault for fault in bundle_faults(copied))


@pytest.mark.parametrize("name", ["evil.sh", "fetch.txt", "manifest-md5.txt", "evil/a", "data/new"])
def test_what_lies_beside_the_archived_files_is_named(name, copied):
    (copied / name).parent.mkdir(exist_ok=True)
    (copied / name).write_text("")
    (copied / "folder").symlink_to(copied.parent)
    assert set(bundle_faults(copied)) == {f"{name} was not archived", "folder was not archived"}


@pytest.mark.parametrize("name", ["bad\udcff", "a\nb", "\x1b[2Jwiped"])
def test_a_name_that_no_terminal_can_show_is_told_all_the_same(name, copied):
    (copied / "data" / name).write_text("")
    assert bundle_faults(copied) == [f"data/{repr(name)[1:-1]} was not archived"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", ["data/tables/claims.parquet", "data/results.json", *TAGS])
def test_a_pipe_in_place_of_a_file_is_named_and_not_waited_for(name, copied):
    (copied / name).unlink()
    os.mkfifo(copied / name)
    with pytest.raises(PublicationError, match=f"{name} is neither a file nor a folder"):
        bundle_faults(copied)


def test_a_size_of_the_payload_that_is_none_is_named(copied):
    info = copied / "bag-info.txt"
    info.write_text(re.sub("(?<=Payload-Oxum: ).*", "many", info.read_text()))
    (copied / TAG_MANIFEST).write_bytes(b"".join(tag_lines(copied)))
    assert bundle_faults(copied) == ["bag-info.txt does not say the size of the payload (Payload-Oxum)"]


@pytest.mark.parametrize("name", TAGS)
def test_nobody_may_drop_what_holds_the_other_files(name, copied):
    """Without the manifest of manifests, every file beside the payload could be changed unseen."""
    (copied / TAG_MANIFEST).unlink()
    assert f"{TAG_MANIFEST} is missing" in bundle_faults(copied)
    (copied / TAG_MANIFEST).write_text("")
    assert f"{name} or {TAG_MANIFEST} is not as it was archived" in bundle_faults(copied)


def test_the_name_of_an_archive_does_not_depend_on_the_file_system(archived):
    lines = (archived / TAG_MANIFEST).read_text().splitlines()
    assert [line.split()[1] for line in lines] == sorted(TAGS)


@pytest.mark.parametrize(
    "said", ["{", "[" * 10_000, "[]", "{}", '{"tables": []}', '{"tables": null}', '{"tables": {"claims": 1}}', b"\xff"]
)
def test_results_that_are_none_are_named(said, copied):
    (copied / "data" / "results.json").write_bytes(said if isinstance(said, bytes) else said.encode())
    _sealed(copied)
    (found,) = bundle_faults(copied)
    assert "results.json cannot be read" in found
    assert "pydantic" not in found
    assert "\n" not in found


@pytest.mark.parametrize("name", ["../../../../outside", "demo\n\x1b[31mred", "/etc/outside", ""])
def test_the_archived_study_is_none_outside(name, copied):
    """Its name leads to the file that is run again."""
    said = read_json(copied / "data" / "results.json") | {"study": name}
    write_json(said, copied / "data" / "results.json")
    _sealed(copied)
    (found,) = bundle_faults(copied)
    assert "results.json cannot be read: study: String should match pattern" in found


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("inputs/raw.parquet", "inputs/raw.parquet cannot be read"),
        ("tables/verdicts.parquet", "results.json names no table verdicts"),
    ],
)
def test_what_a_study_that_was_run_again_is_held_against_is_asked_for_before(name, fault, copied):
    """Its run may take hours."""
    path = copied / "data" / name
    path.write_bytes(path.read_bytes()[:-10])
    said = read_json(copied / "data" / "results.json")
    if name.startswith("tables"):
        path.unlink()
        path.with_suffix(".csv").unlink()
        del said["tables"]["verdicts"]
    write_json(said, copied / "data" / "results.json")
    _sealed(copied)
    assert bundle_faults(copied) == [fault]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"claims": None}, "table claims.parquet is not among those of results.json"),
        ({"claims": {"rows": 9, "sha256": None}}, "table claims holds other values than results.json says"),
    ],
)
def test_tables_are_those_of_the_results(table, message, copied):
    results = read_json(copied / "data" / "results.json")
    for name, said in table.items():
        before = results["tables"].pop(name)
        if said:
            results["tables"][name] = {**said, "sha256": before["sha256"]}
    write_json(results, copied / "data" / "results.json")
    _sealed(copied)
    assert message in bundle_faults(copied)


def test_a_number_changed_where_people_read_it_is_named(copied):
    path = copied / "data" / "tables" / "verdicts.csv"
    path.write_text(path.read_text().replace("no difference", "better", 1))
    _sealed(copied)
    assert bundle_faults(copied) == ["verdicts.csv holds other values than verdicts.parquet"]


def test_who_forges_everything_changes_the_name(copied):
    before = archive_name(copied)
    (copied / "data" / "MODEL_CARD.md").write_text("Beats the random walk.\n")
    _sealed(copied)
    assert bundle_faults(copied) == []
    assert archive_name(copied) != before


def _sealed(folder):
    """Make every manifest again, as somebody would who has changed a file and knows how."""
    bagit.Bag(str(folder)).save(manifests=True)


def test_a_table_changed_together_with_its_manifest_is_named(copied):
    """Somebody who edits a number can make the bag again; the table's own hash is another thing to forge."""
    path = copied / "data" / "tables" / "metrics.parquet"
    pl.read_parquet(path).with_columns(pl.col("value") * 1.01).write_parquet(path)
    _sealed(copied)
    assert bundle_faults(copied) == ["table metrics holds other values than results.json says"]


def test_nothing_outside_an_archive_is_read(copied):
    """Who made it may be anybody: a name that leads out of it is not followed, and a link makes it no archive."""
    outside = copied.parent / "outside.parquet"
    outside.write_bytes((copied / "data" / "tables" / "claims.parquet").read_bytes())
    results = read_json(copied / "data" / "results.json")
    results["tables"]["../../../outside"] = results["tables"]["claims"]
    write_json(results, copied / "data" / "results.json")
    assert "table ../../../outside cannot be read" in bundle_faults(copied)

    (copied / "data" / "tables" / "claims.parquet").unlink()
    (copied / "data" / "tables" / "claims.parquet").symlink_to(outside)
    with pytest.raises(PublicationError, match="is unsafe"):
        bundle_faults(copied)


def test_times_and_memory_are_not_part_of_a_tables_hash(archived):
    trials = pl.read_parquet(archived / "data" / "tables" / "trials.parquet")
    assert table_hash("trials", trials) == table_hash("trials", trials.with_columns(pl.col("wall_seconds") + 1))
    assert table_hash("trials", trials) != table_hash("trials", trials.with_columns(pl.col("parameters") + 1))


def test_the_same_study_at_the_same_time_is_the_same_archive(archived, finished, study, tmp_path):
    write_bundle(finished, study, ROOT, tmp_path / "bag", NOW)
    assert hash_file(tmp_path / "bag" / "tagmanifest-sha256.txt") == hash_file(archived / "tagmanifest-sha256.txt")


def test_a_home_is_held_against_the_archive(archived, broken, study):
    found = compared(broken, study, archived)
    assert (found.reproduced, found.lines) == (True, [])
    assert found.summary.startswith("reproduced: 19 of 19 tables have the archived hash; 4 of 4 verdicts")
    warehouse = Warehouse(broken.warehouse)
    table = warehouse.query("SELECT * FROM comparisons WHERE study = 'smoke'")
    flipped = table.with_columns(p_holm=pl.lit(0.001), mean_difference=-pl.col("mean_difference").abs())
    warehouse.load("smoke", {"comparisons": flipped})
    again = compared(broken, study, archived)
    assert not again.reproduced
    assert again.other_tables == ("comparisons", "verdicts")
    assert any("now better" in line for line in again.lines)


def test_verdicts_that_only_one_side_has_are_counted_once(archived, broken, study):
    warehouse = Warehouse(broken.warehouse)
    table = warehouse.query("SELECT * FROM comparisons WHERE study = 'smoke'")
    warehouse.load("smoke", {"comparisons": table.with_columns(pl.col("forecaster") + "_two")})
    assert compared(broken, study, archived).summary.endswith("0 of 8 verdicts are the archived ones")


def test_another_table_needs_another_machine(archived, broken, study, monkeypatch):
    """The last digit of a number: to be explained on the machine that archived it, and expected on another."""
    warehouse = Warehouse(broken.warehouse)
    table = warehouse.query("SELECT * FROM summary WHERE study = 'smoke'")
    warehouse.load("smoke", {"summary": table.with_columns(pl.col("mean") * (1 + 1e-15))})
    here = compared(broken, study, archived)
    assert (here.reproduced, here.lines) == (False, ["table     summary has another hash"])
    monkeypatch.setattr(reproduction, "machine", lambda: {"cpu": "another one"})
    there = compared(broken, study, archived)
    assert there.reproduced
    assert any(line.endswith("here is another one") for line in there.lines)


def test_a_damaged_manifest_of_a_trial_excuses_nothing(copied, broken, study):
    for path in (copied / "data" / "manifests" / "trials").rglob("*.json"):
        path.write_text('{"machine": "another one"}')
    assert compared(broken, study, copied).causes == ()


def test_a_newer_file_with_the_same_rates_excuses_nothing(archived, broken, study, monkeypatch):
    """After `golden data refresh` another file is read, of which the study takes the same days."""
    place = broken.study(study.name)
    write_json({**read_json(place.source), "sha256": "another"}, place.source)
    assert compared(broken, study, archived).causes == ()
    pl.read_parquet(place.raw).with_columns(pl.col("rate") * 2).write_parquet(place.raw)
    assert len(compared(broken, study, archived).causes) == 1


def test_prices_of_a_source_that_is_not_public_stay_at_home(finished, study):
    imported = study.model_copy(update={"data": study.data.model_copy(update={"source": "files"})})
    warehouse = Warehouse(finished.warehouse)
    public, private = (published_tables(warehouse, one).keys() for one in (study, imported))
    assert public - private == {"forecasts", "quantiles"}


def test_nothing_is_written_over(archived, finished, study):
    with pytest.raises(PublicationError, match="exists already"):
        write_bundle(finished, study, ROOT, archived, NOW)


def test_damaged_rates_are_not_archived(broken, study, tmp_path):
    raw = broken.study(study.name).raw
    raw.write_bytes(raw.read_bytes()[:300])
    with pytest.raises(StoredTableError, match=r"raw\.parquet is damaged .*: `golden run STUDY` makes it again"):
        write_bundle(broken, study, ROOT, tmp_path / "bag", NOW)
    assert not (tmp_path / "bag").exists()


def test_a_report_of_other_numbers_is_not_archived(broken, study, tmp_path):
    page = broken.report(study.name) / "index.html"
    page.write_text(page.read_text().replace("0.", "9."))
    with pytest.raises(PublicationError, match=r"index\.html is not what was written; delete .* run the study again"):
        write_bundle(broken, study, ROOT, tmp_path / "bag", NOW)


def test_an_archive_does_not_hold_itself(broken, study):
    report = broken.report(study.name)
    with pytest.raises(PublicationError, match="is in the report that it would hold"):
        write_bundle(broken, study, ROOT, report / "sub" / "bag", NOW)
    assert not (report / "sub").exists()


def test_no_archive_without_a_warehouse(study, tmp_path):
    home = Home.from_environment()
    home.report(study.name).mkdir(parents=True)
    with pytest.raises(IncompleteError, match="not in the warehouse yet"):
        write_bundle(home, study, ROOT, tmp_path / "bag", NOW)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_bag_is_refused(tmp_path):
    with pytest.raises(PublicationError, match="is no archive"):
        bundle_faults(tmp_path)


def test_without_the_extra_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bagit", None)
    with pytest.raises(PublicationError, match=r"pip install 'golden\[publish\]'"):
        bundle_faults(tmp_path)


def test_bars_that_the_project_makes_up_are_public():
    assert {name for name in SOURCES if name.startswith("synthetic")} <= set(PUBLIC)
