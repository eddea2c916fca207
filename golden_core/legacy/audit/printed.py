"""Numbers as they are printed: the text of one cell, and the true values that rounding leaves possible."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML

from golden_core.legacy.audit.intervals import Interval

# How a true value became the printed one. A table is rounded to the nearest; the others are excuses that are looked
# into before a table is called wrong.
Rounding = Literal["nearest", "twice", "cut_off", "single_precision", "padded", "recomputed"]

# The words by which a table is understood, by their purpose.
WORDS: dict[str, Any] = YAML(typ="safe", pure=True).load(
    (files("golden_core.legacy") / "templates" / "table_words.yaml").read_text(encoding="utf-8")
)
ABSENT: frozenset[str] = frozenset(WORDS["absent"])

# A double carries fifteen digits; sums over many errors lose some more. What is printed beyond this is noise.
_MEANINGFUL_DIGITS = 12
_SINGLE_PRECISION_DIGITS = 7  # decimal digits of a 32-bit float
_SINGLE_PRECISION_ERROR = Fraction(1, 10**6)  # of a mean over some thousand errors in 32-bit arithmetic
_TWICE = Fraction(55, 100)  # to one digit more, then to the nearest: half a unit and half a tenth of one
_PADDING = 3  # zeros behind a number that one in a thousand ends with
_LARGEST_EXPONENT = 40  # of ten; a double holds the ratio of two squares of such numbers, headings' powers included
_LONGEST = 60  # characters of a cell

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d*)(?:\.(?P<decimals>\d*))?"
    r"(?:[eE](?P<e>[+-]?\d{1,4})|[x*·]10\^?(?P<ten>[+-]?\d{1,4}))?"
)
_PLAIN = re.compile(r"[A-Za-z0-9.,+-]*")  # nothing here has another form
_SPREAD = re.compile(r"[(\[]?(?:±|\+/-|\+-)([^()\[\]]+)[)\]]?$")
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]$")
_ENDS = re.compile(r"([^,;]+[.][^,;]*)[,;]([^,;]+)|([^;]+);([^;]+)|([+-]?[\d.,]+)-([+-]?[\d.,]+)")  # of an interval
_SIGN = re.compile(r"(?<=[\d.])(%|‰|pips?|bps?|points?|usd|eur|gbp|jpy|cny|chf|dollars?)$", re.IGNORECASE)
# What the errors of other fields are printed in. Where rows are told apart by hours or days, these are names.
_UNIT = re.compile(
    r"(?<=[\d.])(°[CF]?|d[bB]|[kMG]?Wh?|[kKMBT]|[mck]?m|km/h|m/s|k?g|m?s|min|h|[mk]?V|ppm|ppb|[kM]?Pa|[μu]g/m\^?3|W/m\^?2)$"
)
_WORD = re.compile(r"(?<=\d)\s+([^\W\d_]{2,12})\s*$")


class CellError(ValueError):
    """The text of a cell is not a number; the message says what it must be."""


@dataclass(frozen=True)
class Printed:
    """A printed number: its value, the size of its last digit, and what was printed with it."""

    text: str
    value: Fraction
    unit: Fraction
    digits: int  # significant ones, final zeros included
    final_zeros: int  # of a whole number without a decimal point, where they may only hold the place
    spread: bool  # a ± part stood beside it: the number is a mean
    sign: str  # a percent sign or a unit stood beside it; the value is as printed

    def interval(self, rounding: Rounding = "nearest") -> Interval:
        """Return the true values that are printed like this, both ends included."""
        half = self.unit / 2
        if rounding == "twice":
            half = self.unit * _TWICE
        elif rounding == "single_precision" and self.digits >= _SINGLE_PRECISION_DIGITS:
            half += abs(self.value) * _SINGLE_PRECISION_ERROR
        elif rounding == "cut_off":
            below = self.unit if self.value <= 0 else Fraction(0)
            above = self.unit if self.value >= 0 else Fraction(0)
            return Interval(self.value - below, self.value + above)
        elif rounding == "padded" and self.value and self._zeros_behind() >= _PADDING:
            half *= 10 ** self._zeros_behind()
        return Interval(self.value - half, self.value + half)

    def _zeros_behind(self) -> int:
        figures = str(abs(int(self.value / self.unit)))
        return len(figures) - len(figures.rstrip("0"))

    @property
    def is_power_of_ten(self) -> bool:
        """Whether the digits are a one and zeros, at least one of them."""
        return self.digits > 1 and abs(self.value) == self.unit * 10 ** (self.digits - 1)

    def scaled(self, factor: Fraction) -> Printed:
        """Return the number in another unit."""
        return replace(self, value=self.value * factor, unit=self.unit * abs(factor))

    def at_most(self, digits: int) -> Printed:
        """Return the number with the final zeros beyond so many digits taken for place holders."""
        holders = min(self.final_zeros, max(0, self.digits - digits))
        return replace(self, unit=self.unit * 10**holders, digits=self.digits - holders)


def parse(text: str, *, decimal_comma: bool, physical: bool = False) -> Printed | None:
    """Read one cell; None for an empty one or a dash.

    Digits count, final zeros included: ``0.50`` is a number from 0.495 to 0.505. Read are signs, thousands separators
    (comma, point, space, apostrophe), scientific notation (``3.3e-3``, ``3.3×10⁻³``), a percent sign or a unit, a part
    behind ± or in brackets, and marks of emphasis (``**0.5**``, ``0.5†``). With ``decimal_comma``, 0,5 is one half;
    with ``physical``, the number may be in one of the units of other fields (``0.7 °C``) or before a word (``7 cars``).

    Raises ``CellError`` if the cell holds anything else.
    """
    bare = plain(re.sub(r"[₀-₉]", "", text))  # a small digit below is a note, none of the number's
    if bare.casefold() in ABSENT or re.fullmatch(r"\(.*[^\W\d].*\)", bare):  # a remark in place of a number
        return None
    if len(bare) > _LONGEST:
        raise CellError(f"expected a number, got {len(bare)} characters")
    if bare[0] in "<>≤≥~≈":
        raise CellError(f"{text.strip()!r} is a bound or an estimate, not a number; write - to leave it out")
    if re.search(r"\d\s+(?!\d{3}(?!\d))\d", text):
        raise CellError(f"{text.strip()!r} holds more than one number")
    unit = (_UNIT.search(bare) or _WORD.search(text)) if physical else None
    if unit is not None:
        bare = bare.replace(unit[1], "")
    main, spread = _without_spread(bare, text, decimal_comma)
    main, sign = _without_sign(main)
    sign = sign or _without_sign(bare)[1] or (unit[1] if unit else "")
    return _number(_ungrouped(main, text, decimal_comma), text, spread=spread, sign=sign)


def is_number(text: str) -> bool:
    """Whether a cell can be read as a number, of whatever country."""
    return _reads(text) is not None


def is_word(text: str) -> bool:
    """Whether a cell holds what no reading takes for a number or its absence."""
    return bool(text.strip()) and _reads(text) is None and plain(text).casefold() not in ABSENT


@lru_cache(maxsize=8192)
def _reads(text: str) -> Printed | None:
    try:
        return parse(text, decimal_comma=says_decimal_comma(text) is True)
    except CellError:
        return None


@lru_cache(maxsize=8192)  # every cell of a table is asked about several times
def plain(text: str) -> str:
    """Return a cell without spaces and emphasis, its superscripts, signs and digits in their plain forms."""
    if _PLAIN.fullmatch(text):
        return text
    text = re.sub(r"[⁻⁺]?[⁰¹²³⁴-⁹]+", lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    text = re.sub(r"[ªºʰ-ʸᴬ-ᵪᶛ-ᶿⁱⁿ]", "", text)  # small letters behind a number are notes
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[−‐-―➖](?=[\d.,∞-]|$)", "-", text)
    text = re.sub(r"[×✕✖⨯]", "x", re.sub(r"[⋅∙•]", "·", text))
    text = re.sub(r"10\*\*(?=[({]?[+-]?\d)", "10^", text)  # nothing follows the stars of 2.10**
    text = re.sub(r"10\^[({]([+-]?\d+)[)}]", r"10^\1", text)
    # An asterisk is a mark of emphasis unless it multiplies, as in 3*10^-3.
    text = re.sub(r"[\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]", "", text)  # cups, stars, ticks
    return re.sub(r"[\s†‡§¶#‖↑↓▲▼$€£¥₹₿]|\*(?!10\^)|\^[a-z]$", "", text)


def says_decimal_comma(text: str) -> bool | None:
    """Whether a comma in a cell is a decimal comma; None where the cell leaves it open."""
    bare = re.sub(r"^[+-]", "", plain(text))
    if not re.match(r"[\d.]*,\d", bare):
        # 0.987 is nobody's way to write nine hundred and eighty-seven.
        return (
            False if re.match(r"(0|\d+)?\.\d", bare) and not re.match(r"[1-9]\d{0,2}(\.\d{3})+(\D|$)", bare) else None
        )
    if re.match(r"[1-9]\d{0,2}(\.\d{3})+,\d", bare):
        return True
    if re.match(r"[1-9]\d{0,2}(,\d{3})+(\D|$)", bare):
        return False if re.match(r"[1-9]\d{0,2}((,\d{3}){2,}|(,\d{3})+\.)", bare) else None
    return True


def _without_spread(bare: str, text: str, decimal_comma: bool) -> tuple[str, bool]:
    """Return the cell without its ± part or what stands in brackets, and whether that was a spread."""
    found = _SPREAD.search(bare) or _IN_BRACKETS.search(bare)
    if found is None or found.start() == 0:
        return bare, False
    main, bracketed = bare[: found.start()], found[0][0] in "(["
    if bracketed and re.fullmatch(r"[+-]\d+", found[1]):
        raise CellError(
            f"{text.strip()!r}: {found[0]} may be a power of ten or a change; write 1.2e-3, or leave it out"
        )
    ends = bracketed and _ENDS.fullmatch(found[1])
    for part in [end for end in ends.groups() if end] if ends else [found[1]]:
        if part != "nan":  # of one run
            _number(_ungrouped(_without_sign(part)[0], text, decimal_comma), text, spread=False, sign="")
    # In brackets a whole number may be a rank, or count units of the last digit; only a decimal is a spread, unless
    # it is a percentage of something else.
    changed = found[1].endswith("%") and not main.endswith("%")
    return main, not bracketed or (not changed and ("." in found[1] or "," in found[1]))


def _without_sign(bare: str) -> tuple[str, str]:
    """Return a number without the percent sign or unit behind it, and that."""
    found = _SIGN.search(bare)
    return (bare, "") if found is None else (bare[: found.start()], found[0].casefold())


def _ungrouped(bare: str, text: str, decimal_comma: bool) -> str:
    """Return a number without thousands separators, with a decimal point."""
    mark, group = (",", r"\.") if decimal_comma else (".", ",")
    grouped = re.match(rf"[+-]?\d{{1,3}}(?:(?:{group}|'|’)\d{{3}})+(?=\D|$)", bare)
    if grouped:
        bare = re.sub(rf"{group}|'|’", "", grouped[0]) + bare[grouped.end() :]
    stray = "." if decimal_comma else ","
    if stray in bare:
        raise CellError(f"{text.strip()!r} is not a number: {stray!r} stands where no thousands are separated")
    return bare.replace(mark, ".")


def _number(bare: str, text: str, *, spread: bool, sign: str) -> Printed:
    found = _NUMBER.fullmatch(bare)
    whole, decimals = (found["whole"], found["decimals"]) if found else ("", None)
    if found is None or not (whole or decimals):
        raise CellError(f"{text.strip()[:_LONGEST]!r} is not a number; write - to leave it out")
    written = found["e"] or found["ten"]
    exponent, figures = int(written or 0) - len(decimals or ""), (whole + (decimals or "")).lstrip("0")
    if max(exponent + len(figures), -exponent) > _LARGEST_EXPONENT:
        raise CellError(f"{text.strip()!r} is beyond 10^±{_LARGEST_EXPONENT}, as no error is; write - to leave it out")
    unit = Fraction(10) ** (exponent + max(0, len(figures) - _MEANINGFUL_DIGITS))
    value = int(figures or "0") * Fraction(10) ** exponent
    zeros = len(figures) - len(figures.rstrip("0")) if decimals is None and written is None else 0
    return Printed(
        text=text.strip(),
        value=-value if found["sign"] == "-" else value,
        unit=unit,
        digits=min(len(figures), _MEANINGFUL_DIGITS),
        final_zeros=zeros,
        spread=spread,
        sign=sign,
    )
