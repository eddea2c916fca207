"""Trials carried from one home to another: every byte as it was, and nothing that is not."""

import itertools
import json
import shutil
import zipfile

import pytest
from support.campaigns import OVERRIDES, SETTINGS
from support.commands import golden

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home, LayoutError, hash_bytes
from golden_core.trials import all_trials, trial_status
from golden_core.trials.transfer import MANIFEST, Taken, TransferError, export_trials, import_trials

STUDY = load_variant("smoke", OVERRIDES)


@pytest.fixture
def archive(finished, tmp_path):
    path = tmp_path / "trials.zip"
    export_trials(finished, STUDY, path)
    return path


@pytest.fixture
def elsewhere(tmp_path):
    return Home(tmp_path / "elsewhere", tmp_path / "elsewhere" / "reports")


def files(home):
    root = home.study("smoke").root / "trials"
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def rewritten(archive, path, change):
    """Write an archive again, entry by entry, as ``change`` of name and content says."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if changed := change(name, old.read(name)):
                new.writestr(*changed)
    return path


def test_what_arrives_is_what_left_and_the_same_trials_are_the_same_bytes(finished, archive, elsewhere, tmp_path):
    distinct = {row[0] for row in trial_status(finished, STUDY, all_trials(STUDY)).select("fingerprint").rows()}
    assert import_trials(elsewhere, STUDY, archive) == Taken(len(distinct), 0)
    assert files(elsewhere) == files(finished)
    assert import_trials(elsewhere, STUDY, archive) == Taken(0, len(distinct))
    again = tmp_path / "again.zip"
    export_trials(finished, STUDY, again)
    assert again.read_bytes() == archive.read_bytes()


def test_a_study_finds_what_arrived_and_trains_nothing(broken, archive):
    before = trial_status(broken, STUDY, all_trials(STUDY))
    gone = list((broken.study("smoke").root / "trials").glob("dlinear/*/*"))
    for folder in gone:
        shutil.rmtree(folder)
    assert (trial_status(broken, STUDY, all_trials(STUDY))["status"] == "missing").any()
    assert import_trials(broken, STUDY, archive).new == len(gone)
    assert trial_status(broken, STUDY, all_trials(STUDY)).equals(before)


def altered(name, content):
    return (name, content[:-1] + b"?") if name.endswith("history.parquet") else (name, content)


def listed(content, change):
    """Return a manifest whose entries, name and hash, are as ``change`` says; None leaves one out."""
    said = json.loads(content)
    return json.dumps(said | {"sha256": dict(filter(None, itertools.starmap(change, said["sha256"].items())))})


def altered_with_its_manifest(name, content):
    """As somebody does who changes a result and the manifest: the trial's own provenance still knows."""
    if name == MANIFEST:
        return name, listed(content, lambda key, h: (key, hash_bytes(b"?") if key.endswith("history.parquet") else h))
    return (name, b"?") if name.endswith("history.parquet") else (name, content)


def outside(name, content):
    if name == MANIFEST:
        return name, listed(content, outside)
    return ("../../../../outside.parquet" if name.endswith("history.parquet") else name), content


def moved(name, content):
    """As somebody does who passes one trial off for another."""
    if name == MANIFEST:
        return name, listed(content, moved)
    return name.replace("dlinear/EURUSD_h1/", "dlinear/USDJPY_h1/"), content


def unsaid(name, content):
    """The tables of a study are made from what a trial says of itself: without it, the next run would end there."""
    if name == MANIFEST:
        return name, listed(content, lambda key, h: (key, SHORT.get(key, h)))
    if name.endswith("provenance.json"):
        short = json.dumps({**json.loads(content), "parameters": None}).encode()
        SHORT[name] = hash_bytes(short)
        return name, short
    return name, content


SHORT = {}
CHANGES = {
    "another trial's name": (moved, "is the trial dlinear/EURUSD_h1/.* under another name"),
    "a changed byte": (altered, "history.parquet is not what was exported"),
    "a changed byte and manifest": (altered_with_its_manifest, "history.parquet is not what the trial wrote"),
    "a trial that says less of itself": (unsaid, "provenance.json is not what the trial wrote"),
    "an entry fewer": (
        lambda name, content: None if name.endswith("history.parquet") else (name, content),
        "not those",
    ),
    "no manifest": (lambda name, content: None if name == MANIFEST else (name, content), "has no manifest"),
    "a later layout": (lambda name, content: (name, content.replace(b'"layout": 1', b'"layout": 99')), "layout"),
    "another study": (lambda name, content: (name, content.replace(b'"study": "smoke"', b'"study": "demo"')), "'demo'"),
    "a way out": (outside, "is no file of a trial"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_refused_and_nothing_is_added(archive, elsewhere, tmp_path, change):
    alter, said = CHANGES[change]
    with zipfile.ZipFile(archive) as old:
        single = [n for n in old.namelist() if n == MANIFEST or n.startswith("dlinear/EURUSD_h1/")]
        prints = sorted({n.split("/")[2] for n in single if n != MANIFEST})[:1]
    kept = rewritten(archive, tmp_path / "one.zip", lambda name, content: only(name, content, prints[0]))
    with pytest.raises((TransferError, LayoutError), match=said):
        import_trials(elsewhere, STUDY, rewritten(kept, tmp_path / "changed.zip", alter))
    assert not list(elsewhere.root.rglob("*.parquet"))
    assert not list(tmp_path.rglob("outside.parquet"))


def only(name, content, print_):
    if name != MANIFEST:
        return (name, content) if name.startswith("dlinear/EURUSD_h1/") and print_ in name else None
    return name, listed(content, lambda key, h: only(key, h, print_))


def test_what_is_compressed_is_refused_before_it_is_read(archive, elsewhere, tmp_path):
    path = tmp_path / "compressed.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr(MANIFEST, old.read(MANIFEST))
    with pytest.raises(TransferError, match=r"manifest\.json is compressed or locked"):
        import_trials(elsewhere, STUDY, path)


@pytest.mark.parametrize("place", [-3, 6, 10, 16, 42])
def test_a_damaged_list_of_entries_is_refused_by_name(archive, elsewhere, place):
    """At its end, or where the last entry says who can read it, what it is and where it lies."""
    content = bytearray(archive.read_bytes())
    content[place if place < 0 else content.rindex(b"PK\x01\x02") + place] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(TransferError, match=r"trials\.zip"):
        import_trials(elsewhere, STUDY, archive)


def test_a_trial_that_came_out_otherwise_elsewhere_is_counted_and_kept(archive, broken):
    """Two machines that disagree about the same trial are evidence: nobody is to learn of it by chance."""
    folder = next((broken.study("smoke").root / "trials").glob("dlinear/*/*"))
    (folder / "history.parquet").write_bytes(b"of another machine")
    said = json.loads((folder / "provenance.json").read_text())
    said["sha256"]["history.parquet"] = hash_bytes(b"of another machine")
    (folder / "provenance.json").write_text(json.dumps(said))
    result = golden("lake", "import", "smoke", str(archive), *SETTINGS)
    assert "1 of them with other results, kept as they are here" in result.output
    assert (folder / "history.parquet").read_bytes() == b"of another machine"


def test_a_home_that_cannot_be_written_is_not_the_archives_fault(archive, tmp_path):
    (tmp_path / "elsewhere").write_text("a file, where the home should be")
    home = Home(tmp_path / "elsewhere", tmp_path / "reports")
    with pytest.raises(OSError, match="elsewhere"):
        import_trials(home, STUDY, archive)


def planted(name, content):
    """As somebody does who adds a file to a trial, and to the manifest: the trial's own provenance does not name it."""
    if name == MANIFEST:
        said = json.loads(content)
        place = next(iter(said["sha256"])).rpartition("/")[0]
        said["sha256"][f"{place}/quantiles.parquet"] = hash_bytes(b"planted")
        return name, json.dumps(said)
    return name, content


def test_a_file_that_no_trial_wrote_is_not_imported(archive, elsewhere, tmp_path):
    path = rewritten(archive, tmp_path / "planted.zip", planted)
    with zipfile.ZipFile(path) as read:
        place = next(iter(json.loads(read.read(MANIFEST))["sha256"])).rpartition("/")[0]
    with zipfile.ZipFile(path, "a") as changed:
        changed.writestr(f"{place}/quantiles.parquet", b"planted")
    with pytest.raises(TransferError, match=rf"{place}: quantiles\.parquet is not what the trial wrote"):
        import_trials(elsewhere, STUDY, path)
    assert not list(elsewhere.root.rglob("*.parquet"))


def test_a_file_that_no_trial_wrote_is_not_exported(broken, tmp_path):
    folder = next((broken.study("smoke").root / "trials").glob("dlinear/*/*"))
    (folder / "quantiles.parquet").write_bytes(b"planted")
    said = rf"{folder}: quantiles\.parquet was not written by the trial, move it elsewhere$"
    with pytest.raises(TransferError, match=said):
        export_trials(broken, STUDY, tmp_path / "trials.zip")


def test_damage_is_not_exported(broken, tmp_path):
    damaged = next((broken.study("smoke").root / "trials").glob("dlinear/*/*/history.parquet"))
    damaged.write_bytes(b"damage")
    with pytest.raises(TransferError, match=r"history\.parquet is not what the trial wrote"):
        export_trials(broken, STUDY, tmp_path / "trials.zip")
    assert not (tmp_path / "trials.zip").exists()


def test_the_commands_say_what_they_did_and_what_is_wrong(broken, elsewhere, tmp_path):
    path = tmp_path / "trials.zip"
    result = golden("lake", "export", "smoke", "--to", str(path), *SETTINGS)
    assert result.exit_code == 0, result.output
    assert " trials, " in result.output
    result = golden("lake", "import", "smoke", str(path), *SETTINGS)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("0 trials added")
    path.write_text("no archive")
    result = golden("lake", "import", "smoke", str(path), *SETTINGS)
    assert result.exit_code == 2
    assert "is no archive of `golden lake export`" in result.output
