"""Whether a file keeps the clock that it is declared to keep, judged by its weekends. No price belongs here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

import polars as pl

from golden_core.market.clock_reading import CLEARLY_EXPLAINED, FEWEST_WEEKENDS, SHOWN, Reading, Segment, read, some
from golden_core.market.local_time import ZoneError, from_utc, parse_clock
from golden_core.market.weekends import Weekends, closed_bars, expected, find_weekends, other_weeks, unended_weeks

# Prices that trickle in after the close do not show an open market. Shares of the week's median.
THIN_VOLUME = 0.02
THIN_RANGE = 0.2
LEAST_EXPLAINED = 0.5  # of the weekends, or the file follows no clock that is known here
CLOSED_DAYS = 0.2  # of the weekends with a bar on a closed day: Sunday's two hours move too little to be told each time
_EVENINGS = "its days seem to be named by the evening on which they begin, and would be known too early; add a day to "
_EVENINGS += "every date, and declare EET_US"


@dataclass(frozen=True, eq=False)
class ZoneEvidence:
    """What the weekends of a file say about its clock.

    ``verdict`` is ``read`` (nothing was declared), ``verified`` (no other clock explains the weekends), ``consistent``
    (others do as well) or ``unverifiable``. ``segments`` are the clocks read, several if the file switches; of
    ``weekends`` the declared clock, else the one read, explains ``agreeing``.
    """

    declared: str | None
    verdict: Literal["read", "verified", "consistent", "unverifiable"]
    segments: tuple[Segment, ...]
    weekends: int
    agreeing: int
    summary: str


def active_times(bars: pl.DataFrame) -> pl.Series:
    """Return the timestamps of the bars in which the market moved, which is what ``read_clock`` wants.

    Left out: no volume, or neither volume nor range reach a share of the week's median of the positive ones. Feeds fill
    weekends with flat bars, let prices trickle in after the close, and change their volume's unit from day to day. A
    copy of the bar before did not move.
    """
    week = pl.col("timestamp").dt.truncate("1w")
    active, tests = pl.lit(True), []
    if "volume" in bars.columns and bool((bars["volume"] > 0).any()):
        active = pl.col("volume") > 0
        tests.append(_reaches(pl.col("volume").cast(pl.Float64), THIN_VOLUME, week))
    bars, moved, ranged = bars.sort("timestamp"), pl.lit(True), {"high", "low"} <= set(bars.columns)
    ranged = ranged and bool((bars["high"] > bars["low"]).any())
    if "close" in bars.columns:
        told = [name for name in ("open", "high", "low", "close", "volume") if name in bars.columns]
        changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in told)
        # Copies of a candle say something where they are few: in a table of one candle, all are.
        moved = changed if bars.select(changed.sum()).item() > (bars.height / 2 if ranged else 1) else moved
    tests.append(_reaches(pl.col("high") - pl.col("low"), THIN_RANGE, week) & moved if ranged else moved)
    return bars.filter(active & pl.any_horizontal(tests))["timestamp"]


def _reaches(activity: pl.Expr, share: float, week: pl.Expr) -> pl.Expr:
    usual = activity.filter(activity > 0).median().over(week)
    return ((activity > 0) & (activity >= share * usual)).fill_null(False)


def read_clock(times: pl.Series) -> ZoneEvidence:
    """Read off the clock of a file of which nothing is declared, from naive opens of ``active_times``, in any order."""
    return _judge(find_weekends(times), None, times)


def verify_zone(naive_times: pl.Series, declared: str) -> ZoneEvidence:
    """Hold a declared clock against the weekends of a file, from naive opens of active bars in any order.

    ZoneError if the weekends contradict it: both readings, what each explains, the first weeks against it.
    """
    parse_clock(declared)
    weekends = find_weekends(naive_times)
    if weekends.bar_hours >= 24:
        _require_ended(naive_times, declared)
        _require_closed(naive_times, declared)
    return _judge(weekends, declared, naive_times)


def doubts(bars: pl.DataFrame, minutes: int, zone: str) -> tuple[str, ...]:
    """Say what is odd of bars, whose opens are instants, and too little to refuse them."""
    naive, bar = bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), datetime.timedelta(minutes=minutes)
    times, notes = active_times(naive), list[str]()
    inside = closed_bars(naive["timestamp"] if minutes >= 1440 else times, "UTC", minutes / 60)
    if len(inside):
        first = f"(first: {inside[0]:%a %Y-%m-%d %H:%M} UTC); cleaning decides"
        notes.append(f"{len(inside)} bars lie where the foreign exchange market is closed {first}")
    local = from_utc(bars["timestamp"], zone)
    lacking, weeks = unended_weeks(local, zone)
    lacking = lacking.filter(lacking < local.max())  # the last week may go on
    if minutes >= 1440 and len(lacking) > CLOSED_DAYS * weeks:
        notes.append(f"{len(lacking)} of {weeks} weeks begin with a Sunday and lack their last day: {_EVENINGS}")
    table = (weekends := find_weekends(times)).table
    closed, opened = expected(weekends, "UTC")
    late = int(((table["last_bar"] == closed) & (table["first_bar"] >= opened + bar)).sum())
    # The silence that is forgiven around a weekend of such bars hides it from every clock.
    if minutes < 30 and late >= max(FEWEST_WEEKENDS, LEAST_EXPLAINED * table.height):
        notes.append(
            f"before {late} of {table.height} weekends the last bar opens when the market closes, and the next one a "
            "bar after it opens: these may be times of the close; export those of the opens"
        )
    return tuple(notes)


def _judge(weekends: Weekends, declared: str | None, times: pl.Series) -> ZoneEvidence:
    count = weekends.table.height
    if weekends.bar_hours >= 24:
        return _silent(declared, count, "a day's bar does not show an hour")
    if not count:
        return _silent(declared, count, "no weekend interrupts its bars")
    if weekends.own_hours > LEAST_EXPLAINED * count:
        habit = f"before {weekends.own_hours} of {count} weekends the bars stop when they had stopped the day before"
        return _silent(declared, count, f"{habit}, at hours of the vendor's own")
    reading = read(weekends, declared)
    verdict, summary = _verdict(reading, weekends, declared)
    if declared and count < FEWEST_WEEKENDS and reading.against > reading.in_favour:
        _require_no_bars_inside(times, weekends, declared, reading)
    if declared and verdict != "unverifiable":
        for week, hours in other_weeks(weekends, declared).head(1).rows():
            raise ZoneError(
                f"the file is declared to keep {declared}, but the week of {week} begins and ends {abs(hours):g} hours "
                f"{'before' if hours > 0 else 'after'} the market's: it seems to be of another clock; leave it out"
            )
    return ZoneEvidence(declared, verdict, reading.segments, count, int(reading.declared_agrees.sum()), summary)


def _require_ended(days: pl.Series, declared: str) -> None:
    """Refuse days named by the evening on which they begin, as Yahoo's of a summer in London, cut to dates of UTC."""
    lacking, weeks = unended_weeks(days, declared)
    ended = lacking.filter(lacking < days.max()).sort()  # the last week may go on
    week, season = ended.dt.truncate("1w"), datetime.timedelta(weeks=FEWEST_WEEKENDS - 1)
    first = ended.filter(week.shift(1 - FEWEST_WEEKENDS) - week == season)
    if len(first):
        raise ZoneError(
            f"the file is declared to keep {declared}, but {len(lacking)} of its {weeks} weeks begin with a Sunday and "
            f"lack their last day, {FEWEST_WEEKENDS} or more in a row from the week to {first[0]:%A %Y-%m-%d} on: "
            f"{_EVENINGS}, or export times with their offset. Fixings of a country whose weekend is Friday and "
            "Saturday are no bars of a market that is closed on its Sundays: take a source that fixes from Monday to "
            "Friday"
        )


def _require_closed(days: pl.Series, declared: str) -> None:
    """Refuse daily bars if many a weekend has one in which the clock has the market closed all day."""
    weekends = days.dt.truncate("1w").n_unique()
    inside = closed_bars(days, declared, 24)
    weeks = inside.dt.truncate("1w").n_unique()
    if weeks >= FEWEST_WEEKENDS and weeks > CLOSED_DAYS * weekends:
        saturdays = 2 * (inside.dt.weekday() == 6).sum() >= len(inside)  # which no clock behind has open
        where = "ahead of it Friday's end is Saturday's" if saturdays else "behind that one a week begins on Sunday"
        behind = "UTC" if parse_clock(declared) != parse_clock("UTC") else "America/New_York"
        such = "Europe/Moscow or Asia/Tokyo" if saturdays else behind
        clock = f"On a clock {where}: declare the clock of the vendor's midnight, such as {such}. "
        if saturdays and 2 * (days.dt.weekday() == 1).sum() < weekends:
            clock = "If days are named by the next one, as rates in force from then on, take a day off every date. "
        raise ZoneError(
            f"the file is declared to keep {declared}, but {weeks} of its {weekends} weeks end with a day's bar that "
            f"moved although {declared} has the market closed all day, first {inside[0]:%A %Y-%m-%d}. "
            f"{'' if inside[0].time() > datetime.time() else clock}If these are times of the close, export those of "
            "the opens; if a feed wrote on while the market was closed, leave those rows out"
        )


def _require_no_bars_inside(times: pl.Series, weekends: Weekends, declared: str, reading: Reading) -> None:
    """Refuse a clock that explains weekends, too few to tell it from others, worse than those: bars lie inside them."""
    inside = closed_bars(times, declared, weekends.bar_hours)
    if 2 * inside.dt.truncate("1w").n_unique() > weekends.table.height:
        raise ZoneError(
            f"the file is declared to keep {declared}, but {len(inside)} bars that moved lie where {declared} has "
            f"every market closed, first {inside[0]:%a %Y-%m-%d %H:%M}. Its weekends fit better, as far as so few "
            f"can tell: {some(reading.segments[0].zones)}. Ask the vendor, and declare one of these"
        )


def _verdict(
    reading: Reading, weekends: Weekends, declared: str | None
) -> tuple[Literal["read", "verified", "consistent", "unverifiable"], str]:
    count, found = weekends.table.height, ", then ".join(map(str, reading.segments))
    eras = reading.segments
    clear = [_clear(segment) for segment in eras if declared not in segment.zones]
    if declared and any(clear):
        raise ZoneError(_contradiction(reading, weekends, declared, found))
    if not all(clear) or reading.agrees.mean() < LEAST_EXPLAINED:
        return "unverifiable", f"no known clock explains the {count} weekends well; the best is {found}"
    if declared is None:
        return "read", f"the weekends read {found}"
    explains = f"{declared} explains {int(reading.declared_agrees.sum())} of {count} weekends"
    if len(eras) > 1:
        return "unverifiable", f"{explains}, but not by one habit: {_changed(eras, declared)}"
    others = [zone for zone in eras[0].zones if zone != declared]
    if reading.against > reading.in_favour:
        return "unverifiable", f"{explains}; too little to tell it from what fits better: {some(others)}"
    if others:
        return "consistent", f"{explains}; they cannot distinguish {declared} from {some(others)}"
    if count < FEWEST_WEEKENDS:
        return "consistent", f"{explains}; no other clock does, but {FEWEST_WEEKENDS} would be needed to verify it"
    return "verified", f"{explains}, and no other clock as many"


def _changed(eras: tuple[Segment, ...], declared: str) -> str:
    """Name the week in which the vendor's week began to end at another hour, and the two readings of that."""
    before, after = eras[:2]
    other = next((f": {a} and then {b}" for a in before.zones for b in after.zones if a != b), "")
    return (
        f"from the week of {after.first} its weeks end at another hour than before. Either the vendor's hours changed "
        f"then and the clock is {declared} throughout, or the clock changed{other}. Nothing is verified: split "
        f"the file at that week, or hold it against a second source"
    )


def _clear(segment: Segment) -> bool:
    """Say whether a segment is read clearly enough to contradict a clock that is not among its zones."""
    share = segment.agreeing / segment.weekends
    return share >= LEAST_EXPLAINED and (share >= CLEARLY_EXPLAINED or 2 * segment.declared <= segment.agreeing)


def _contradiction(reading: Reading, weekends: Weekends, declared: str, found: str) -> str:
    speak = reading.agrees & ~reading.declared_agrees
    table = weekends.table.filter(pl.Series(speak))
    closed, opened = (times.filter(pl.Series(speak)) for times in expected(weekends, declared))
    steady = f"on {declared} weeks begin later in one half of the year, on another clock they do not"
    weeks = "; ".join(
        f"week of {row['week']}: last bar {row['last_bar']:%a %H:%M}, first bar {row['first_bar']:%a %H:%M}, where "
        f"{declared} has the market close at {close:%a %H:%M} and open at {open_:%a %H:%M}"
        for row, close, open_ in zip(table.head(SHOWN).iter_rows(named=True), closed, opened, strict=False)
    )
    more = f"; and {table.height - SHOWN} more" if table.height > SHOWN else "" if weeks else steady
    fitting = reading.segments[0].zones
    remedy = f"Declare {'one of ' * (len(fitting) > 1)}{some(fitting)}, or get a file that keeps the clock it names"
    if len(reading.segments) > 1:
        cut = f"Split the file at the week of {reading.segments[1].first} and declare a clock for each part"
        remedy = f"{cut}, or hold it against a second source"
    return (
        f"the file is declared to keep {declared}, but its weekends read {found}. {declared} explains "
        f"{int(reading.declared_agrees.sum())} of {weekends.table.height} weekends, the reading "
        f"{int(reading.agrees.sum())}. Against {declared}: {weeks}{more}. {remedy}"
    )


def _silent(declared: str | None, count: int, why: str) -> ZoneEvidence:
    return ZoneEvidence(declared, "unverifiable", (), count, 0, f"{declared or 'the clock'} cannot be verified: {why}")
