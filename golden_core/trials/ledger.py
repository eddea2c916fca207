"""What was ever tried on which bars: an append-only file in which every line holds the hash of the one before.

A line is written before a test part is opened, with the protocol that stood then.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_core.forecasters import forecaster_facts
from golden_core.store.lake import Home, hash_bytes, hash_frame, read_table
from golden_core.store.locking import only_one
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash
from golden_core.trials.identity import Trial

_FIRST = "0" * 64


class LedgerError(RuntimeError):
    """The ledger is not what was written; the message says from which line on."""


@dataclass(frozen=True)
class Standing:
    """What the ledger says of a study: was its protocol there first, and how much was tried on its bars."""

    registered: bool
    tried: int


def open_test_parts(home: Home, study: Study, trials: Iterable[Trial]) -> None:
    """Write down that these trials are about to see their test parts, and under which protocol; nothing of none.

    Raises
    ------
    LedgerError
        If the ledger was changed by hand.
    """
    opened = sorted({(trial.forecaster, trial.series, trial.pair, trial.horizon) for trial in trials})
    if not opened:
        return
    bars = _bars(home, study, {pair for *_, pair, _ in opened})
    settings = {name: _settings(study, name) for name, *_ in opened}
    code = {name: _own_code(study, name) for name, *_ in opened}
    entry = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "study": study.name,
        "protocol": study.protocol_hash(),
        "opened": [[settings[name], name, series, bars[pair], *code[name]] for name, series, pair, _ in opened],
    }
    path = ledger_path(home)
    with only_one(path.with_suffix(".lock"), "the ledger of this home"):
        previous = [_FIRST, *(digest for _, digest in read_ledger(path))][-1]
        line = canonical_json({**entry, "previous": previous})
        with path.open("ab") as file:
            file.truncate(len(_whole_lines(path)))
            file.write(line.encode() + b"\n")


def read_ledger(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every entry with its hash; a last line that a killed process left unfinished counts as none.

    Raises
    ------
    LedgerError
        At the first line that does not follow from the one before.
    """
    previous = _FIRST
    for number, line in enumerate(_whole_lines(path).splitlines(), start=1):
        try:
            entry = json.loads(line)
            holds = entry["previous"] == previous
        except (ValueError, KeyError, TypeError):
            holds = False
        if not holds:
            raise LedgerError(
                f"{path}, line {number}: does not follow from the line before. What was tried is no longer known: put "
                "the file back from a backup, or move it away and say so wherever results of this home are shown"
            )
        previous = hash_bytes(line)
        yield entry, previous


def standing(home: Home, study: Study, done: Iterable[tuple[str, str]]) -> Standing:
    """Return how the study's protocol and bars stand in the ledger.

    ``done`` names forecaster and pair of every finished trial. A protocol is registered if each of them is in the
    ledger, and came under this protocol when it was first opened, by whatever study.
    """
    of_pair = _bars(home, study, study.data.pairs)
    bars = set(of_pair.values())
    ours = {(_settings(study, name), of_pair[pair]) for name, pair in done}
    tried: set[tuple[str, ...]] = set()
    first: dict[tuple[str, str], str | None] = {}
    for entry, _ in read_ledger(ledger_path(home)):
        for settings, name, _, bar, *code in entry["opened"]:
            if bar in bars:
                tried.add((name, settings, *code))
                first.setdefault((settings, bar), entry["protocol"])
    protocol = study.protocol_hash()
    return Standing(bool(ours) and all(first.get(key, "") == protocol for key in ours), len(tried))


def _bars(home: Home, study: Study, pairs: Iterable[str]) -> dict[str, str]:
    """Return the hash of the clean bars of each pair, whatever study they were cleaned for."""
    folder = home.study(study.name)
    return {pair: hash_frame(read_table(folder.table("bars", pair))) for pair in sorted(pairs)}


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def ledger_path(home: Home) -> Path:
    """Return where the ledger of a home lies."""
    return home.root / "ledger.jsonl"


def _settings(study: Study, forecaster: str) -> str:
    """Return the identity of a way to forecast: what the forecaster is told, whatever study asks for it."""
    told = [study.forecasters[forecaster], study.target, study.features, study.context_length]
    training = study.training.model_dump(mode="json", exclude={"device"})  # where is no other way to forecast
    return hash_bytes(canonical_json([forecaster, *told, training]).encode())


def _own_code(study: Study, forecaster: str) -> list[str]:
    """Return the hash of a forecaster's source where it is one's own: who rewrites it tries another way to forecast."""
    module = forecaster_facts(forecaster, study.forecasters[forecaster]).module
    return [] if module.startswith("golden_core.") else [code_hash((module,))]
