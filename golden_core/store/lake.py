"""Where a file lives, how it is written (whole or not at all), and what identifies its content."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import polars as pl
import psutil

from golden_core.store.health import StorageError, telling_of

PROJECT_ROOT = Path(__file__).resolve().parents[2]

# What a library reads otherwise in a name: Dagster as a pattern or in a URL, DuckDB as a folder, polars as no text.
_MISREAD = re.compile(r"[?*\[\\]|%[0-9A-Fa-f]{2}|[\ud800-\udfff]")

_UMASK = os.umask(0o077)  # of the user: temporary files are nobody else's, and what they become is as others are
os.umask(_UMASK)

FINGERPRINT = "[0-9a-f]" * 16  # what the name of a trial's folder matches, and that of no other or half-written one
LAYOUT = 1  # of lake and warehouse; a home without a stamp was written before there were any, and is laid out like 1


class LayoutError(RuntimeError):
    """A home was laid out by a later release than this one."""


def shipped(*parts: str) -> Path:
    """Return a file or folder of what comes with the code: ``data/`` of a checkout, a copy of it in a wheel."""
    # A link in the checkout, which becomes a folder when a wheel is built.
    return Path(str(importlib.resources.files("golden_core").joinpath("shipped"))).resolve().joinpath(*parts)


def shipped_hashes(*parts: str) -> dict[str, str]:
    """Return the hash of every file of what comes with the code, by its path."""
    place = shipped(*parts)
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place.parent).as_posix(): hash_file(path) for path in files}


def workplace() -> Path:
    """Return the checkout that the code belongs to, or for an installed package the folder one stands in."""
    return PROJECT_ROOT if (PROJECT_ROOT / "pyproject.toml").is_file() else Path.cwd()


def series_name(pair: str, horizon: int) -> str:
    """Return the name of a series: ``EURUSD_h1``."""
    return f"{pair}_h{horizon}"


def parse_series(series: str) -> tuple[str, int]:
    """Return pair and horizon of a series name."""
    pair, _, horizon = series.partition("_h")
    return pair, int(horizon)


@dataclass(frozen=True)
class StudyFolder:
    """Everything generated for one study. Paths only; nothing here touches the disk."""

    root: Path

    @property
    def raw(self) -> Path:
        """The source's table as it was read."""
        return self.root / "raw.parquet"

    @property
    def source(self) -> Path:
        """What the source says about its input: file, hash, range."""
        return self.root / "source.json"

    @property
    def origin(self) -> Path:
        """Which file and command the study was made from."""
        return self.root / "origin.json"

    @property
    def card(self) -> Path:
        """The data card."""
        return self.root / "card.md"

    def table(self, kind: str, key: str) -> Path:
        """Path of one partition of a Parquet table: bars, cleaning, ledger, calendar, folds, scalers."""
        return confined(self.root, kind, f"{key}.parquet")

    def trial(self, forecaster: str, series: str, fingerprint: str) -> Path:
        """Folder of a finished trial. Its name is its identity: it exists whole, or not at all."""
        return confined(self.root, "trials", forecaster, series, fingerprint[:16])

    def explained(self, *names: str) -> Path:
        """Path of a file or folder of explanations; of all of them without a name."""
        return confined(self.root, "explanations", *names)

    def failure(self, forecaster: str, series: str, fingerprint: str) -> Path:
        """Record of a failed trial."""
        return confined(self.root, "failures", forecaster, series, f"{fingerprint[:16]}.json")


@dataclass(frozen=True)
class Home:
    """The generated world: lake, warehouse, Dagster's storage, and the folder of reports."""

    root: Path
    reports: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Return the home named by GOLDEN_HOME, by default ``.golden`` with ``reports`` beside it.

        A relative name is looked for where one stands and then upwards, as far as the checkout goes: a command given
        in a subfolder must not begin a second home.

        Raises
        ------
        StorageError
            If libraries would look for files of that name elsewhere, it is a file, or the folder of nobody.
        LayoutError
            If a later release has laid it out.
        """
        moved = os.environ.get("GOLDEN_HOME")
        root = Path(os.path.realpath(_nearest(expanded(moved or ".golden"))))  # which takes a link to itself
        if found := _MISREAD.search(str(root)):
            raise StorageError(f"{str(root)!a}: nothing can be kept under a name with {found[0]!a}: name another home")
        if root.exists() and not root.is_dir():
            raise StorageError(f"{root}: is a file, and a home is a folder: name another place, or move it away")
        refuse_newer(stored_json(root / "layout.json").get("layout"), root)
        return cls(root, (root if moved else root.parent) / "reports")

    def stamp(self) -> None:
        """Record how the home is laid out, before anything is written to it."""
        if stored_json(self.root / "layout.json") != {"layout": LAYOUT}:
            write_json({"layout": LAYOUT}, self.root / "layout.json")

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.root / "warehouse.duckdb"

    def study(self, name: str) -> StudyFolder:
        """Folder of one study."""
        return StudyFolder(confined(self.root, "studies", name))

    def instance(self, name: str) -> Path:
        """Folder of one study's Dagster instance: studies have the same asset keys, so each has its own."""
        return confined(self.root, "dagster", name)

    def report(self, name: str) -> Path:
        """Folder of one study's report."""
        return confined(self.reports, name)


def expanded(name: str) -> Path:
    """Return the path that a person named, ``~`` and all; StorageError if that is the folder of nobody."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise StorageError(f"{name}: there is no such user; write the path in full") from None


def refuse_newer(layout: object, place: Path) -> None:
    """Refuse what is stamped with a layout that this release does not know.

    Raises
    ------
    LayoutError
        Naming the place, both versions and the fix.
    """
    if isinstance(layout, int) and layout > LAYOUT:
        raise LayoutError(
            f"{place} has layout {layout}, and this release of golden knows layouts up to {LAYOUT}: install the "
            "release that wrote it, or set GOLDEN_HOME to another folder"
        )


def _nearest(name: Path) -> Path:
    here = Path.cwd()
    upwards = (here, *here.parents)
    found = (place / name for place in upwards if (place / name).is_dir() or (place / "dagster.yaml").is_file())
    return next(found, here / name)


@contextmanager
def temporary_home() -> Iterator[Home]:
    """Yield an empty home that the whole process uses, and delete it afterwards."""
    before = os.environ.get("GOLDEN_HOME")
    with tempfile.TemporaryDirectory(prefix="golden-home-") as folder:
        os.environ["GOLDEN_HOME"] = folder
        try:
            yield Home.from_environment()
        finally:
            os.environ.pop("GOLDEN_HOME")
            if before is not None:
                os.environ["GOLDEN_HOME"] = before


def confined(root: Path, *parts: str) -> Path:
    """Join names to a root and refuse to leave it.

    Raises
    ------
    ValueError
        If a part is empty, holds a separator, or starts with a dot.
    """
    for part in parts:
        if not part or part.startswith(".") or "/" in part or "\\" in part or "\0" in part:
            raise ValueError(f"{part!r} cannot be the name of a file or folder under {root}")
    return root.joinpath(*parts)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the place of ``path`` in one step.

    Raises
    ------
    FullDiskError
        If there is no room for it.
    """
    with telling_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=temporary_prefix(path), suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_UMASK)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, same: bool = True) -> Iterator[Path]:
    """Yield a temporary folder; on success it becomes ``path``, unless another process was first.

    With ``same`` the name is the content's identity: whoever was first wrote the same thing. Else an OSError says so.

    Raises
    ------
    FullDiskError
        If there is no room for it.
    """
    with telling_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=temporary_prefix(path), suffix=".tmp", dir=path.parent))
        try:
            yield temporary
            temporary.chmod(0o777 & ~_UMASK)
            try:
                temporary.rename(path)
            except OSError:
                if not (same and path.is_dir()):
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all."""
    with replacing(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", statistics=True)


class StoredTableError(RuntimeError):
    """A table of the lake is missing or damaged; the message says which, and what to do."""


def read_table(path: Path, *, rows: int | None = None, fix: str = "`golden run STUDY` makes it again") -> pl.DataFrame:
    """Read a table of the lake, or its first rows.

    Raises
    ------
    StoredTableError
        If it is missing or damaged.
    """
    try:
        return pl.read_parquet(path, glob=False, n_rows=rows)
    except (OSError, pl.exceptions.PolarsError) as error:
        state = f"is damaged ({str(error).splitlines()[0]})" if path.exists() else "does not exist"
        raise StoredTableError(f"{path} {state}: {fix}") from None


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_bytes(text.encode(errors="backslashreplace"), path)  # a file's name may hold bytes that are no character


def write_bytes(content: bytes, path: Path) -> None:
    """Write bytes, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Write sorted, indented JSON, whole or not at all."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def stored_json(path: Path, **kinds: type | UnionType) -> dict[str, Any]:
    """Read a JSON object that can be made again; an empty one where the file is missing or damaged.

    Damaged is also one whose value of a name in ``kinds`` is of another type; None stands for no value.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    whole = isinstance(value, dict) and all(isinstance(value.get(name), kind) for name, kind in kinds.items())
    return value if whole else {}


def recorded_csv(folder: Path, name: str) -> tuple[dict[str, Any], bytes]:
    """Return the record of a table and the table, read once; both empty where it is not what was recorded."""
    record, path = stored_json(folder / f"{name}.json"), folder / f"{name}.csv"
    content = path.read_bytes() if path.is_file() else b""
    return (record, content) if hash_bytes(content) == record.get("table") else ({}, b"")


def hash_bytes(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def differing_files(one: Path, other: Path, names: Collection[str]) -> list[str]:
    """Return those of some names under which two folders do not hold the same: the same bytes, or neither a file."""
    held = [{name: hash_file(path / name) for name in names if (path / name).is_file()} for path in (one, other)]
    return [name for name in names if held[0].get(name) != held[1].get(name)]


def identified(path: Path) -> tuple[str, int, int, int]:
    """Return what tells a file from its changed self without reading it: name, bytes, time and inode."""
    state = path.stat()
    return str(path), state.st_size, state.st_mtime_ns, state.st_ino


def hash_frame(frame: pl.DataFrame) -> str:
    """Return a hash of a table's names, dtypes and values, whatever its chunks or the library's file format."""
    digest = hashlib.sha256()
    for column in frame.get_columns():
        digest.update(f"{column.name}\x1f{column.dtype}\x1f{len(column)}\x1e".encode())
        if column.null_count():
            digest.update(column.is_null().to_numpy().tobytes())
        if column.dtype == pl.String:
            digest.update("\x1f".join(column.fill_null("").to_list()).encode())
        else:
            physical = column if column.dtype.is_numeric() else column.to_physical()
            if physical.null_count():
                physical = physical.fill_null(False if physical.dtype == pl.Boolean else 0)
            digest.update(physical.to_numpy().tobytes())
    return digest.hexdigest()


def temporary_prefix(path: Path) -> str:
    """Return how the name of a temporary begins: it says which process writes."""
    return f".{path.name}.{os.getpid()}-"


def remove_temporaries(root: Path, name: str = "*") -> int:
    """Delete what killed processes left under a root of files or folders of a name; return how many.

    What a living process is writing stays: two runs of one study may be under way. So does what others put there.
    """
    left = [path for path in (root.rglob(f".{name}.tmp") if root.is_dir() else ()) if _left_behind(path)]
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def _left_behind(path: Path) -> bool:
    writer = re.search(r"\.(\d+)-\w+\.tmp$", path.name)
    return writer is not None and (int(writer[1]) == os.getpid() or not psutil.pid_exists(int(writer[1])))
