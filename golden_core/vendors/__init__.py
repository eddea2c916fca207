"""Vendors' file formats, one reader per file, by name. What the project makes of the bars does not belong here."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from golden_core.vendors.base import Reader, VendorError

# A new format is one file and one line here.
READERS: dict[str, str] = {
    "bi5": "golden_core.vendors.bi5:BI5",
    "dukascopy_csv": "golden_core.vendors.dukascopy_csv:DUKASCOPY_CSV",
    "dukascopy_ticks": "golden_core.vendors.dukascopy_ticks:DUKASCOPY_TICKS",
    "histdata_m1": "golden_core.vendors.histdata:HISTDATA_M1",
    "histdata_ticks": "golden_core.vendors.histdata:HISTDATA_TICKS",
    "hst": "golden_core.vendors.hst:HST",
    "metatrader4_csv": "golden_core.vendors.metatrader_csv:METATRADER4_CSV",
    "metatrader5": "golden_core.vendors.metatrader_csv:METATRADER5",
    "oanda_csv": "golden_core.vendors.oanda:OANDA_CSV",
    "oanda_json": "golden_core.vendors.oanda:OANDA_JSON",
    "plain_csv": "golden_core.vendors.plain:PLAIN_CSV",
    "plain_parquet": "golden_core.vendors.plain:PLAIN_PARQUET",
}
# These read whatever has known column names, so they are asked only where no vendor's own format fits.
GENERAL = ("plain_csv", "plain_parquet")


@runtime_checkable
class Choosing(Protocol):
    """A reader of files that can be read in several ways, which the user may choose from: ``oanda_json:bid``."""

    @property
    def choices(self) -> Sequence[str]:
        """Its readings."""
        ...

    def chosen(self, choice: str) -> Reader:
        """Return the reader that takes this reading."""
        ...


def reader(name: str) -> Reader:
    """Return a reader by its name, or by name and choice, such as ``dukascopy_csv:day_first``.

    Raises
    ------
    VendorError
        If no reader has that name, or it does not offer that choice.
    """
    plain, mark, choice = name.partition(":")
    if plain not in READERS:
        near = difflib.get_close_matches(plain, READERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise VendorError(f"no format is called {plain!r}; known are {', '.join(READERS)}{hint}")
    module, _, attribute = READERS[plain].partition(":")
    found: Reader = getattr(importlib.import_module(module), attribute)
    if not mark:
        return found
    choices = found.choices if isinstance(found, Choosing) else ()
    if not isinstance(found, Choosing) or choice not in choices:
        offered = f"only {', '.join(choices)}" if choices else "nothing to choose"
        raise VendorError(f"format {plain} offers {offered}, got {choice!r}")
    return found.chosen(choice)
