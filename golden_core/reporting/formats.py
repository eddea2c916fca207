"""Numbers to text, and text made safe for Markdown and LaTeX. Nothing is computed here but the rounding."""

from __future__ import annotations

import datetime
import math
import re

ABSENT = "—"
_MINUS = "−"
_THIN_SPACE = "\u202f"
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", _MINUS: "$-$", _THIN_SPACE: r"\,", ABSENT: r"\textemdash{}", "–": r"\textendash{}",
    "²": r"\textsuperscript{2}", "×": r"$\times$", "≤": r"$\leq$", "η": r"$\eta$", "’": "'", "\u00a0": "~", "\n": " ",
}  # fmt: skip


def decimals(value: object, places: int, *, factor: float = 1.0) -> str:
    """Return ``factor`` times a number: fixed decimals, a true minus sign, thin spaces in thousands; else the dash."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ABSENT
    rounded = round(value * factor, places) + 0.0  # + 0.0 turns −0.0 into 0.0: no table shows "−0.00"
    return f"{rounded:,.{places}f}".replace("-", _MINUS).replace(",", _THIN_SPACE)


def count(value: object) -> str:
    """Return a whole number."""
    return decimals(value, 0)


def percent(value: object, places: int = 2) -> str:
    """Return a fraction in percent; the unit stands in the heading."""
    return decimals(value, places, factor=100.0)


def significant(value: object) -> str:
    """Return a number that may be of any size, to three digits that are not leading zeros; whole ones are all shown."""
    if not isinstance(value, int | float) or not math.isfinite(value) or not value:
        return decimals(value, 2)
    return decimals(value, max(0, 2 - math.floor(math.log10(abs(value)))))


def probability(value: object) -> str:
    """Return a p-value with three decimals; below that, only that it is below."""
    if isinstance(value, float) and math.isfinite(value) and value < 0.001:
        return "<" + _THIN_SPACE + "0.001"
    return decimals(value, 3)


def interval(low: object, high: object, places: int = 2) -> str:
    """Return two fractions as an interval in percent, or the dash where an end is absent."""
    ends = (percent(low, places), percent(high, places))
    return ABSENT if ABSENT in ends else f"[{ends[0]}, {ends[1]}]"


def span(first: object, last: object) -> str:
    """Return the days from first to last, or the dash where there are none."""
    return ABSENT if first is None else f"{first} – {last}"


def level(fraction: float) -> str:
    """Return a fraction as a level in words of a page: ``5 %``, ``2.5 %``."""
    return f"{100 * fraction:.10g}{_THIN_SPACE}%"


def plain(value: object) -> str:
    """Return text, a date or an integer as it is; a time to the minute; the dash where there is nothing."""
    if value is None or value == "":
        return ABSENT
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def visible(text: str, kept: str = "\t\n\u00a0\u202f") -> str:
    """Return a text of strangers without what terminals obey and no XML holds: as escapes, but for what is ``kept``."""
    return "".join(one if one.isprintable() or one in kept else ascii(one)[1:-1] for one in text)


def escape_markdown(text: str) -> str:
    """Return text that a Markdown table shows as it is."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return re.sub("-(?=-)", "-{}", "".join(_LATEX.get(one, one) for one in text))  # two hyphens would be a dash
