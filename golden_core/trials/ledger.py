"""What was ever tried on which rates: an append-only file in which every line holds the hash of the one before.

A line is written before a test part is opened, with the protocol that stood then. Nobody can look at the same years
of a pair for the first time twice: rates count as the same where the pair, or its inverse, is the same and test parts
overlap, whatever vendor, length of bar or last day a study names.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.forecasters import forecaster_facts
from golden_core.sources import source
from golden_core.store.health import telling_of
from golden_core.store.lake import Home, hash_bytes, hash_file, hash_frame, read_table, series_name, stored_json
from golden_core.store.locking import only_one
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash
from golden_core.trials.identity import Trial
from golden_core.trials.registration import Standing
from golden_core.trials.stored import EVALUATED

_FIRST = "0" * 64


class LedgerError(RuntimeError):
    """The ledger is not what was written; the message says from which line on."""


@dataclass(frozen=True)
class _Rates:
    """The test parts of one pair."""

    pair: str
    bars: str
    market: str
    first: str
    last: str

    def overlap(self, other: _Rates) -> bool:
        """Whether who saw the one saw something of the other."""
        same = (_currencies(self.pair), self.market) == (_currencies(other.pair), other.market)
        return same and self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class _Asked:
    """What a study asks claims about: every forecaster on every pair at every horizon."""

    forecasters: frozenset[str]
    pairs: frozenset[str]
    horizons: frozenset[int]

    @classmethod
    def of(cls, forecasters: Iterable[str], pairs: Iterable[str], horizons: Iterable[int]) -> _Asked:
        return cls(frozenset(forecasters), frozenset(map(_currencies, pairs)), frozenset(horizons))

    def within(self, other: _Asked) -> bool:
        """Whether the other asks all of this, and perhaps more."""
        return self.forecasters <= other.forecasters and self.pairs <= other.pairs and self.horizons <= other.horizons


@dataclass(frozen=True)
class _Opening:
    """A way to forecast that saw the test part of one horizon, and under which protocol."""

    forecaster: str
    settings: str
    code: str
    horizon: int
    rates: _Rates
    varied: str  # seeds, folds, days, quantiles and costs
    vendor: str  # whose rates, on which clock
    protocol: str | None
    asked: _Asked  # by the study that opened it

    @property
    def way(self) -> tuple[str, str, str, int, str]:
        """What was opened, but for what may be varied with nothing else changed."""
        return self.forecaster, self.settings, self.code, self.horizon, self.rates.pair


def open_test_parts(home: Home, study: Study, trials: Iterable[Trial]) -> None:
    """Write down that these trials are about to see their test parts, and under which protocol; nothing of none.

    Raises
    ------
    LedgerError
        If the ledger was changed by hand.
    """
    opened = sorted({(trial.forecaster, trial.pair, trial.horizon) for trial in trials})
    if opened:
        with _held(home):
            _append(home, _entry(home, study, opened, study.protocol_hash()))


def look_again(home: Home, study: Study, done: Iterable[tuple[str, str, int]]) -> None:
    """Write down what is judged by other costs or claims than when its test part was opened, which trains nothing.

    ``done`` names forecaster, pair and horizon of every finished trial. What this home never saw opened came from
    elsewhere: it is written down under no protocol, since nobody here knows which one stood then.

    Raises
    ------
    LedgerError
        If the ledger was changed by hand.
    """
    protocol = study.protocol_hash()
    entry = _entry(home, study, sorted(set(done)), protocol)
    with _held(home):
        known = list(_known(home, study))
        ways = {one.way for one in known}
        same = {(one.way, one.varied) for one in known if one.protocol == protocol}
        unseen, changed = [], []
        for told, one in zip(entry["opened"], _openings(entry), strict=True):
            if one.way not in ways:
                unseen.append(told)
            elif (one.way, one.varied) not in same:
                changed.append(told)
        for opened, stood in ((unseen, None), (changed, protocol)):
            if opened:
                _append(home, {**entry, "protocol": stood, "opened": opened})


def standing(home: Home, study: Study, done: Iterable[tuple[str, str]]) -> Standing:
    """Return how the study's protocol and rates stand in the ledger.

    ``done`` names forecaster and pair of every finished trial. A protocol is registered if each of them is in the
    ledger, and came under this protocol when it was first opened, by whatever study, of which nothing has been left
    out since: who drops a forecaster, a pair or a horizon that was looked at makes a smaller family of what is left.
    """
    first: dict[tuple[str, str, str], _Opening] = {}
    tried: set[tuple[Any, ...]] = set()
    for one in _known(home, study):
        first.setdefault((one.forecaster, one.settings, _currencies(one.rates.pair)), one)
        tried.add((one.forecaster, one.settings, one.code, one.horizon, one.varied, one.vendor))
    ours = {(name, _settings(study, name), _currencies(pair)) for name, pair in done}
    protocol, asked = study.protocol_hash(), _Asked.of(study.forecasters, study.data.pairs, study.horizons)
    stood = [key in first and first[key].protocol == protocol and first[key].asked.within(asked) for key in ours]
    return Standing(bool(ours) and all(stood), len(tried))


def read_ledger(home: Home) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every entry with its hash; a last line that a killed process left unfinished counts as none.

    Raises
    ------
    LedgerError
        At the first line that does not follow from the one before, and if what stood there when a study of the home was
        evaluated has gone.
    """
    path, digests = ledger_path(home), [_FIRST]
    # Before the file: while it is read, others may write a line and evaluate on it.
    records = sorted(home.root.glob(f"studies/*/{EVALUATED}"))
    known = {record: stored_json(record, ledger=str | None).get("ledger") or _FIRST for record in records}
    for number, line in enumerate(_whole_lines(path).splitlines(), start=1):
        try:
            entry = json.loads(line)
            holds = entry["previous"] == digests[-1]
            list(_openings(entry))  # can be read
        except (ValueError, KeyError, TypeError, AttributeError):
            holds = False
        if not holds:
            raise LedgerError(
                f"{path}, line {number}: does not follow from the line before. What was tried is no longer known: put "
                "the file back from a backup, or move it away and say so wherever results of this home are shown"
            )
        digests.append(hash_bytes(line))
        yield entry, digests[-1]
    for record, last in known.items():
        if last not in digests:
            raise LedgerError(
                f"{path}: what stood there when study {record.parent.name!r} was evaluated has gone. Put the "
                f"file back from a backup, or delete {record}, evaluate the study again and say so wherever it is shown"
            )


def last_line(home: Home) -> str:
    """Return the hash of the last line, which stands for all before it; zeros where there is none."""
    return [_FIRST, *(digest for _, digest in read_ledger(home))][-1]


def ledger_path(home: Home) -> Path:
    """Return where the ledger of a home lies."""
    return home.root / "ledger.jsonl"


def _held(home: Home) -> contextlib.AbstractContextManager[None]:
    return only_one(ledger_path(home).with_suffix(".lock"), "the ledger of this home")


def _append(home: Home, entry: dict[str, Any]) -> None:
    line = canonical_json({**entry, "previous": last_line(home)})
    path = ledger_path(home)
    with telling_of(path), path.open("ab") as file:
        file.truncate(len(_whole_lines(path)))
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())  # the record of an evaluation that knew of it may outlive a loss of power


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def _entry(home: Home, study: Study, opened: list[tuple[str, str, int]], protocol: str | None) -> dict[str, Any]:
    """Return a line about forecaster, pair and horizon of some trials."""
    named = {name for name, *_ in opened}
    told = {name: {"settings": _settings(study, name), **own_code(study, name)} for name in named}
    drawn = {name for name in named if not forecaster_facts(name, study.forecasters[name]).deterministic}
    data = study.data.model_dump(mode="json", include={"bar", "price", "start", "end"})
    return {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "study": study.name,
        "protocol": protocol,
        "rates": {pair: vars(_rates(home, study, pair)) for pair in sorted({pair for _, pair, _ in opened})},
        "folds": {**data, **study.splits.model_dump(mode="json")},
        "vendor": study.data.model_dump(mode="json", include={"source", "settings", "time_zone"}),
        "seeds": study.seeds.model_dump(mode="json"),
        "economics": study.economics and study.economics.model_dump(mode="json"),
        "quantiles": study.quantiles and study.quantiles.model_dump(mode="json"),
        "asked": {
            "forecasters": sorted(study.forecasters),
            "pairs": list(study.data.pairs),
            "horizons": list(study.horizons),
        },
        "opened": [
            {"forecaster": name, "pair": pair, "horizon": horizon, "drawn": name in drawn, **told[name]}
            for name, pair, horizon in opened
        ],
    }


def _openings(entry: dict[str, Any]) -> Iterator[_Opening]:
    """Yield what a line says was opened."""
    protocol = entry["protocol"]
    rates = {pair: _Rates(**told) for pair, told in entry["rates"].items()}
    others = [entry["folds"], entry["economics"], entry["quantiles"]]
    varied = {drawn: canonical_json([entry["seeds"] if drawn else None, *others]) for drawn in (True, False)}
    vendor = canonical_json(entry["vendor"])
    asked = _Asked.of(**entry["asked"])
    for one in entry["opened"]:
        way = one["forecaster"], one["settings"], one.get("code", ""), one["horizon"]
        yield _Opening(*way, rates[one["pair"]], varied[one["drawn"]], vendor, protocol, asked)


def _known(home: Home, study: Study) -> Iterator[_Opening]:
    """Yield what the ledger says was opened of the rates of a study, by whatever study."""
    ours = [_rates(home, study, pair) for pair in study.data.pairs if _folds(home, study, pair)]
    seen: dict[_Rates, bool] = {}
    for entry, _ in read_ledger(home):
        for one in _openings(entry):
            if one.rates not in seen:
                seen[one.rates] = any(one.rates.overlap(own) for own in ours)
            if seen[one.rates]:
                yield one


def _rates(home: Home, study: Study, pair: str) -> _Rates:
    """Return the hash of the clean bars of a pair, whatever study they were cleaned for, and its test parts' days."""
    bars = hash_frame(read_table(home.study(study.name).table("bars", pair)))
    test = pl.concat(map(read_table, _folds(home, study, pair))).filter(part="test")
    first = str(test["first_timestamp"].dt.date().min())
    last = str(test["last_timestamp"].dt.date().max())
    made_up = source(study.data.source).made_up
    return _Rates(pair, bars, bars if made_up else "traded", first, last)


def _currencies(pair: str) -> str:
    """Return the name that a pair and its inverse share: who has seen USDEUR has seen EURUSD."""
    return "".join(sorted((pair[:3], pair[3:])))


def _folds(home: Home, study: Study, pair: str) -> list[Path]:
    paths = (home.study(study.name).table("folds", series_name(pair, horizon)) for horizon in study.horizons)
    return [path for path in paths if path.exists()]


def _settings(study: Study, forecaster: str) -> str:
    """Return the identity of a way to forecast: what the forecaster is told, whatever study asks for it."""
    trained = forecaster_facts(forecaster, study.forecasters[forecaster]).trained
    told = [study.forecasters[forecaster], study.target, study.features, study.context_length]
    training = study.training.model_dump(mode="json", exclude={"device"})  # where is no other way to forecast
    return hash_bytes(canonical_json([forecaster, *told, training if trained else None]).encode())


def own_code(study: Study, forecaster: str) -> dict[str, str]:
    """Return the hash of a forecaster's source and files where they are one's own: who rewrites them tries anew."""
    facts = forecaster_facts(forecaster, study.forecasters[forecaster])
    if facts.module.startswith("golden_core."):
        return {}
    code = "".join([code_hash((facts.module,)), *map(hash_file, facts.files)])
    return {"code": hash_bytes(code.encode()) if facts.files else code}  # the code alone in older lines
