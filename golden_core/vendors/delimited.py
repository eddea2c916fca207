"""A format of delimited text, as data: how to know it, which columns it has, what it states. Formats have own files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from golden_core.vendors.assembly import Known, assemble, of_table, require_instrument, side_of
from golden_core.vendors.base import SIDES, Claim, Reader, VendorError, VendorTable
from golden_core.vendors.columns import PRICES, find_columns
from golden_core.vendors.paired import require_named
from golden_core.vendors.suggestions import has_meaning, require_columns
from golden_core.vendors.text import TWICE, Head, Rows, read_head, read_rows
from golden_core.vendors.times import ORDERS, Dates, Order

_ALONE = "no open, high or low is known or declared: every bar has its close alone"
_ONE_CURRENCY = "{!r} names one currency: that its price is of {} and not of its inverse, the file does not say"


@dataclass(frozen=True, kw_only=True)
class Delimited:
    """One format of delimited text: how it begins (``example``), what shows it (``because``, ``fits``), what it states.

    ``places`` names the columns of a file without header (the last may be missing; ``headed``: above them stand names
    that do not count); ``ours`` are the prices that must
    be there (bid and ask make ticks); ``time`` finds a time column of the format's own name; ``prepare`` leaves the
    rows that hold prices; ``clock`` is what time column and path state; ``convention`` how it writes dates with dots;
    ``gaps`` whether a price may be missing; ``columns``, ``order`` and ``side`` are the user's own word.
    """

    name: str
    example: str
    because: str
    fits: Callable[[Head], bool]
    places: tuple[str, ...] = ()
    headed: bool = False
    ours: tuple[str, ...] = PRICES
    time: Callable[[Sequence[str]], str | None] = lambda _: None
    prepare: Callable[[Rows, str, Path], Rows] = lambda rows, _pair, _path: rows
    clock: Callable[[str, Path], str | None] = lambda _column, _path: None
    bar: str | None = None
    said: str = ""
    convention: Order | None = None
    gaps: bool = False
    columns: Mapping[str, str | None] = field(default_factory=dict)
    order: Order | None = None
    side: str | None = None

    @property
    def choices(self) -> Sequence[str]:
        """Sides of ticks, and orders of day and month."""
        return (*(SIDES if "bid" in self.ours else ()), *(() if self.places and not self.columns else ORDERS))

    def chosen(self, choice: str) -> Reader:
        """Return the reader for one of them."""
        order = next((order for order in ORDERS if order == choice), None)
        return replace(self, order=order) if order else replace(self, side=choice)

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file whose first lines fit."""
        head = read_head(path)
        return Claim(self.name, self.because) if head and self.fits(head) else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all rows."""
        rows = self.prepare(self._rows(path), pair, path)
        names, time = rows.table.columns, self.time(rows.table.columns)
        _require_once(names, path)
        declared = ({"timestamp": time} if time else {}) | dict(self.columns)
        if self.ours == PRICES:
            require_columns(names, path, declared)
        found = find_columns(names, path, declared, self.ours)
        rows = of_table(rows, found)
        require_instrument(rows.table, pair, path)
        alone = "close" in found.numbers and not {"open", "high", "low"} & found.numbers.keys()
        for name in [found.numbers[price] for price in PRICES if price in found.numbers]:
            require_named(name, pair, path)
        close = found.numbers.get("close", "")
        said = _ONE_CURRENCY.format(close, pair) if alone and close in (pair[:3], pair[3:]) else ""
        known = Known(
            format=self.name,
            clock=self.clock(found.time[-1], path),
            bar=self.bar,
            side=self.side or (None if "bid" in self.ours else side_of(found, path)),
            dates=Dates(self.order, self.convention),
            gaps=self.gaps,
            header=self.headed or not self.places,
            notes=tuple(filter(None, (self.said, said, _ALONE if alone and self.columns else ""))),
        )
        return assemble(rows, found, path, known)

    def _rows(self, path: Path) -> Rows:
        if not self.places:
            return read_rows(path, header=True)
        rows = read_rows(path, header=self.headed, named=False)
        width = rows.table.width
        if width not in (len(self.places), len(self.places) - 1):
            raise VendorError(
                f"{path}: line {rows.line[0]}: {width} fields, expected lines like {self.example.splitlines()[0]!r} "
                f"({', '.join(self.places)}); leave the format to detection, or name another"
            )
        return replace(rows, table=rows.table.rename(dict(zip(rows.table.columns, self.places, strict=False))))


def _require_once(names: Sequence[str], path: Path) -> None:
    """Refuse a name that several columns have, if it means something; of others none is used."""
    meant = sorted({one for name in names if "" != (one := name.partition(TWICE)[0]) != name and has_meaning(one)})
    if meant:
        raise VendorError(f"{path}: line 1 names {', '.join(map(repr, meant))} twice; rename one of the columns")
