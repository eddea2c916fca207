"""How long the bars of a file are: as its format says, or as they follow each other. No clock is read here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.market.clock import MINUTES
from golden_core.vendors.base import VendorError, told

STRETCH = 20  # steps in a row that another length must explain: gaps, holidays and changed clocks never do so often
EPOCH = 1970  # the year of times that were never written
SPARSE = 5 * 1440  # minutes between bars that are no days: a month's mean, dated its first, would be known too early
QUARTER = 15  # minutes: every zone is whole quarters of an hour from UTC
_LONG = {"4h": 3, "1d": 2}  # how many must follow each other; in shorter gaps a quiet market may stand still
_FEWEST_STEPS = 3  # between longer bars, weekends included
_FOLLOWS = 0.1  # of a bar's range: how far a bar opens from the close before it, if it is the next one
_MOST = 0.8  # share of longer bars that open so, or hold those that follow, for them to be believed
_FEWEST_HELD = 5  # longer bars, each in the place of the first shorter one
_UNCOPIED = 0.6  # share of bars that are no copy of the one before, or longer ones were filled in
_BY_CHANCE, _SURE = 0.4, 1e-4  # share of bars elsewhere that hold others so, and how rarely all of a place do by chance
_NEARLY = 0.25  # of its range: how far a day's bar, of another source, misses the range and close of its hours
SHORTER = 0.25  # share of steps below the length that no file has: Sunday's stubs among daily bars make up a sixth


def bar_length(bars: pl.DataFrame, stated: str | None, wanted: str | None, path: Path) -> str:
    """Return the length of a file's bars; refuse a file of several lengths, and longer bars than ``wanted``.

    A bar is known when it is over: a day's bar among hours would be known a day too early. ``stated`` is what the
    format says, None to take the median step; both are keys of ``clock.MINUTES``.
    """
    if wanted and wanted not in MINUTES:
        raise VendorError(f"{path}: a bar of {wanted!r} is none of {', '.join(MINUTES)}")
    if stated and stated not in MINUTES:
        raise VendorError(f"{path}: bars of {stated} are none of {', '.join(MINUTES)}; export shorter ones")
    ordered = bars.unique("timestamp", keep="first").sort("timestamp")
    _require_times(bars, path)
    steps = ordered["timestamp"].diff().drop_nulls().dt.total_seconds().to_numpy() / 60
    if stated is None and not len(steps):
        if wanted:
            return wanted
        raise VendorError(f"{path}: a single row does not show how long a bar is; declare it with --bar")
    names = {float(count): name for name, count in MINUTES.items()}
    usual = float(np.percentile(steps, 50, method="lower")) if len(steps) else 0.0
    if len(steps) and usual not in names and usual < SPARSE:  # most minutes of a quiet pair have no tick, and no bar
        often, counts = np.unique(steps, return_counts=True)
        usual = float(often[counts.argmax()])
    length = stated or names.get(usual)
    if usual >= SPARSE:
        raise VendorError(
            f"{path}: most bars are {usual / 1440:g} days apart: they are weeks or months, known only at their end; "
            "export days"
        )
    if length is None:
        raise VendorError(
            f"{path}: bars are {usual:g} minutes apart (median), which is none of {', '.join(MINUTES)}; "
            "export one of these"
        )
    _require_grid(ordered, length, path)
    _require_one(ordered, steps, length, f"as {'the format says' if stated else 'most are'}", path)
    _require_no_longer_run(bars, length, path)
    _require_none_held(ordered, length, path)
    if wanted and MINUTES[wanted] < MINUTES[length]:
        raise VendorError(
            f"{path}: bars are {length} long, but {wanted} is asked for: longer bars cannot be cut; declare their "
            "length (--bar, in a study data.bar), or export shorter ones"
        )
    return length


def _require_times(bars: pl.DataFrame, path: Path) -> None:
    """Refuse a file with far more rows that differ than times; rows of the epoch have none."""
    written = bars.filter(pl.col("timestamp").dt.year() > EPOCH)
    times, rows = written["timestamp"].n_unique(), written.drop("line").n_unique()
    if 2 * rows > 3 * times or 2 * times < written.height:
        raise VendorError(
            f"{path}: {rows} rows have only {times} times: their time of day is lost, as of a clock without "
            "AM and PM, or they are of several instruments or both sides; export times in full, of one pair and side, "
            "or declare both halves with --column timestamp=DAY+TIME"
        )


def _require_grid(ordered: pl.DataFrame, length: str, path: Path) -> None:
    """Refuse a file most of whose bars begin where no clock has a bar begin: those are times of closing."""
    grid = min(MINUTES[length], QUARTER)
    off = ordered.filter(pl.col("timestamp").dt.truncate(f"{grid}m") != pl.col("timestamp"))
    if 2 * off.height > ordered.height:
        row = off.row(0, named=True)
        raise VendorError(
            f"{path}: line {row['line']}: no bar of {length} begins at {row['timestamp']:%H:%M:%S}, but "
            f"{off.height} of {ordered.height} rows are off a grid of {grid} minutes: is this the time of the close? "
            "Export the times of the opens"
        )


def off_grid(bars: pl.DataFrame, length: str) -> tuple[str, ...]:
    """Say how many bars begin at another minute of the hour than the others, as of a broker who opens late."""
    grid = min(MINUTES[length], MINUTES["1h"])
    phase = bars["timestamp"] - bars["timestamp"].dt.truncate(f"{grid}m")
    off = phase != phase.mode().sort()[0]
    return told(bars, off, f"bars begin off the grid of {grid} minutes on which the others do")


def disordered(bars: pl.DataFrame) -> tuple[str, ...]:
    """Say how many rows do not come after all above them, as where files were joined, or a bar was fetched twice."""
    back = (bars["timestamp"] <= bars["timestamp"].cum_max().shift(1)).fill_null(value=False)
    return told(bars, back, "rows are not later than all rows above them", "; cleaning decides")


def alone(bars: pl.DataFrame, length: str) -> tuple[str, ...]:
    """Say which bars with gaps before and behind them seem to be of a day: most have the range of all that follow."""
    if not {"high", "low", "close"} <= set(bars.columns) or length == "1d":
        return ()
    ordered = bars.unique("timestamp", keep="first").sort("timestamp")
    rest = ordered.rolling("timestamp", period="1d", offset="0d", closed="none").agg(
        pl.len(), top=pl.max("high"), bottom=pl.min("low"), end=pl.last("close")
    )
    gap = pl.col("timestamp").diff() > pl.duration(minutes=MINUTES[length])
    both = pl.concat([ordered, rest.drop("timestamp")], how="horizontal")
    single = both.filter(gap.fill_null(value=True) & gap.shift(-1) & (pl.col("len") > 2))
    ends = (("high", "top"), ("low", "bottom"), ("close", "end"))
    misses = [(pl.col(own) - pl.col(all_)).abs() for own, all_ in ends]
    range_ = pl.col("high") - pl.col("low")
    days = single.select((range_ > 0) & (pl.max_horizontal(misses) <= _NEARLY * range_)).to_series()
    said = "bars that stand alone have the range of all that follow within a day"
    then = ": a day's bar would be known too early; leave such lines out"
    return told(single, days, said, then) if 2 * days.sum() > single.height else ()


def _require_one(ordered: pl.DataFrame, steps: npt.NDArray[np.float64], length: str, why: str, path: Path) -> None:
    shorter = steps < MINUTES[length]
    # The longest first: days are also whole hours apart.
    longer = [name for name in reversed(MINUTES) if MINUTES[name] > MINUTES[length]]
    others = {f"whole multiples of {name} apart": steps % MINUTES[name] == 0 for name in longer}
    others |= {"weeks or months apart": steps >= SPARSE, "closer to each other": shorter}
    for how, fits in others.items():
        first, count = _longest_run(fits)
        if count >= STRETCH:
            begin, end = ordered.row(first, named=True), ordered.row(first + count, named=True)
            raise VendorError(
                f"{path}: bars are {length} long, {why}, but the {count + 1} bars from line {begin['line']} "
                f"({begin['timestamp']:%Y-%m-%d %H:%M}) to line {end['line']} "
                f"({end['timestamp']:%Y-%m-%d %H:%M}) are {how}: they are of another length; split the file, "
                "or export bars of one length"
            )
    if shorter.sum() > max(1, SHORTER * len(steps)):
        raise VendorError(
            f"{path}: bars are {length} long, {why}, but {int(shorter.sum())} of {len(steps)} are followed by another "
            "within that time; export bars of one length"
        )


def _require_no_longer_run(bars: pl.DataFrame, length: str, path: Path) -> None:
    """Refuse a few longer bars above, below or between the others: each opens where the one before it closed.

    Shorter ones with gaps between them, or filled in below the others, do not: the price moved in the hours between.
    """
    if not {"open", "high", "low", "close"} <= set(bars.columns):
        return
    steps = bars.select(
        pl.col("line").shift(1),
        step=pl.col("timestamp").diff().dt.total_seconds() / 60,
        jump=(pl.col("open") - pl.col("close").shift(1)).abs(),
        range=pl.col("high") - pl.col("low"),
    )
    for name, fewest in _LONG.items():
        if MINUTES[name] <= MINUTES[length]:
            continue
        apart = (pl.col("step") > 0) & (pl.col("step") % MINUTES[name] == 0)  # over a weekend several of them
        runs = steps.with_columns(run=(~apart).fill_null(value=True).cum_sum()).filter(apart)
        next_, range_ = pl.col("step") == MINUTES[name], pl.col("range").median()
        follows = (pl.col("jump") <= _FOLLOWS * range_) & (range_ > 0)
        found = runs.group_by("run").agg(
            pl.col("line").first(), steps=pl.len(), next=next_.sum(), following=(next_ & follows).sum()
        )
        found = found.filter(
            (pl.col("steps") >= _FEWEST_STEPS)
            & (pl.col("next") >= fewest)
            & (2 * pl.col("next") > pl.col("steps"))
            & (pl.col("following") >= _MOST * pl.col("next"))
        )
        if found.height:
            first = found["line"].sort()[0]
            raise VendorError(
                f"{path}: bars are {length} long, but those from line {first} on are {name} apart and each opens where "
                "the one before it closed: they are of another length, and would be known too early; split the file, "
                "or export bars of one length"
            )


def _require_none_held(ordered: pl.DataFrame, length: str, path: Path) -> None:
    """Refuse longer bars, each in the place of the first shorter one, or of copies, whose range and close it has."""
    if not {"high", "low", "close"} <= set(ordered.columns):
        return
    minute, high, low, close = pl.col("timestamp").dt.epoch("s") // 60, pl.col("high"), pl.col("low"), pl.col("close")
    copy = ((high.diff() == 0) & (low.diff() == 0) & (close.diff() == 0) & (high > low)).fill_null(value=False)
    copies, begun = ordered.select(copy.sum().cast(int), begun=(copy & ~copy.shift(1)).sum().cast(int)).row(0)
    firsts = ordered.height - copies  # of which nearly each has its copy, as of bars of a peg that are alike none has
    regular = 2 * copies * (firsts - begun) < begun * firsts
    if _FEWEST_HELD <= firsts < _UNCOPIED * ordered.height and regular:
        raise VendorError(
            f"{path}: {copies} of {ordered.height} bars repeat the one before, with its high and its low: longer bars "
            "were filled in, and would be known too early; export bars of one length"
        )
    for name, span in reversed(MINUTES.items()):
        rest = span // MINUTES[length] - 1  # bars that follow the longer one
        if rest < 1:
            continue
        top, bottom, end = (one.shift(-rest) for one in (high.rolling_max(rest), low.rolling_min(rest), minute))
        windows = ordered.select(
            "line",
            phase=minute // MINUTES[length] % (rest + 1),
            held=(top <= high) & (bottom >= low) & (close.shift(-rest) == close),
            # Frozen bars hold each other: a longer one has more range than the next, or is the first of its copies.
            whole=(end - minute == rest * MINUTES[length])
            & (top > bottom)
            & ((high - low > (high - low).shift(-1)) | (copy.shift(-1) & ~copy)),
        ).filter("whole")
        run = pl.col("held").cast(pl.Int64).rolling_sum(STRETCH).max() == STRETCH
        believed = (pl.len() >= _FEWEST_HELD) & (pl.col("held").mean() >= _MOST) | run
        found = windows.group_by("phase").agg(
            pl.col("line").filter("held").first(), pl.len(), pl.col("held").sum(), believed=believed
        )
        others = (1 + pl.col("held").sum() - pl.col("held")) / (1 + pl.col("len").sum() - pl.col("len"))
        rare = (others < _BY_CHANCE) & (others ** pl.col("held") * (rest + 1) < _SURE)
        lines = found.filter(pl.col("believed") & rare)["line"].sort()
        if len(lines):
            raise VendorError(
                f"{path}: bars are {length} long, but the one of line {lines[0]} and others {name} apart hold the "
                f"range and the close of the {rest} that follow: they are of {name}, and would be known too early; "
                "export bars of one length"
            )


def _longest_run(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of true flags begins, and its length."""
    breaks = np.concatenate(([-1], np.flatnonzero(~flags), [len(flags)]))
    runs = np.diff(breaks) - 1
    place = int(runs.argmax())
    return int(breaks[place]) + 1, int(runs[place])
