"""SVG marks: text, boxes, arrows and badges in one style. What they mean together is picture.py's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

from golden_core.legacy.flow.graph import EdgeKind
from golden_core.legacy.flow.layout import Box, Point
from golden_core.legacy.flow.protocol import Part
from golden_core.legacy.risks import Risk

INK, MUTED, RULE, WHITE = "#1d2733", "#55606d", "#d5dae0", "#ffffff"
_FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Colour:
    """A line and a surface that belong together."""

    strong: str
    pale: str


PARTS: dict[Part | None, Colour] = {
    None: Colour("#8a95a1", "#f5f6f8"),
    "train": Colour("#1f5f8b", "#e9f1f7"),
    "validation": Colour("#8a6d1b", "#f8f2e0"),
    "test": Colour("#7a4a86", "#f4ecf6"),
}
_ARROWS: dict[EdgeKind, tuple[str, str, float]] = {  # colour, dashes, width
    "data": (MUTED, "", 1.4),
    "fit": ("#1f5f8b", "", 3.0),
    "apply": (MUTED, "5 4", 1.4),
    "decide": ("#8a6d1b", "1.5 4", 2.2),
}
ARROW_WORDS: dict[EdgeKind, str] = {
    "fit": "fitted on these rows",
    "apply": "used on these rows, nothing fitted",
    "decide": "a choice is made by this number",
    "data": "rows or numbers move on",
}
BadgeStyle = Literal["leakage", "threat", "leakage?", "threat?", "sound"]
BADGE_WORDS: dict[BadgeStyle, str] = {
    "leakage": "leakage (class of Kapoor & Narayanan 2023)",
    "threat": "another threat to the result",
    "leakage?": "possible leakage: depends on what is not known",
    "threat?": "possible threat",
    "sound": "looked for, not found",
}
_RED, _SLATE, _GREEN = "#b3372a", "#4a5663", "#2f7d4f"
_BADGES: dict[BadgeStyle, tuple[str, str, str]] = {  # surface, line, number
    "leakage": (_RED, _RED, WHITE),
    "threat": (_SLATE, _SLATE, WHITE),
    "leakage?": (WHITE, _RED, _RED),
    "threat?": (WHITE, _SLATE, _SLATE),
    "sound": ("#e3f2e8", _GREEN, _GREEN),
}


def document(title: str, description: str, width: float, height: float, body: Sequence[str]) -> str:
    """Return a stand-alone SVG document of the given size."""
    size = f'width="{_number(width)}" height="{_number(height)}" viewBox="0 0 {_number(width)} {_number(height)}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONTS}">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(description)}</desc>",
        f'<rect width="{_number(width)}" height="{_number(height)}" fill="{WHITE}"/>',
    ]
    return "\n".join([*head, *body, "</svg>", ""])


def group(tooltip: str, drawn: Sequence[str]) -> list[str]:
    """Return marks that show a text when pointed at."""
    return [f"<g><title>{escape(tooltip)}</title>", *drawn, "</g>"]


def text(
    x: float,
    y: float,
    words: str,
    size: float,
    *,
    bold: bool = False,
    fill: str = INK,
    anchor: Literal["start", "middle", "end"] = "start",
) -> str:
    """Return one line of text, (x, y) on its base line."""
    weight = ' font-weight="bold"' if bold else ""
    placed = f'x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}"{weight}'
    return f'<text {placed} fill="{fill}" text-anchor="{anchor}">{escape(words)}</text>'


def rectangle(box: Box, *, fill: str, stroke: str, radius: float = 0) -> str:
    """Return a box."""
    placed = f'x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" height="{_number(box.height)}"'
    return f'<rect {placed} rx="{_number(radius)}" fill="{fill}" stroke="{stroke}"/>'


def polygon(corners: Sequence[Point], *, fill: str) -> str:
    """Return a surface without a line."""
    return f'<polygon points="{_points(corners)}" fill="{fill}" fill-opacity="0.16"/>'


def line(corners: Sequence[Point], *, stroke: str) -> str:
    """Return a thin line."""
    return f'<polyline points="{_points(corners)}" fill="none" stroke="{stroke}"/>'


def arrow(corners: Sequence[Point], kind: EdgeKind) -> str:
    """Return an arrow along corners, its head at the last one."""
    colour, dashes, width = _ARROWS[kind]
    (x, y), (end_x, end_y) = corners[-2], corners[-1]
    length = max(abs(end_x - x), abs(end_y - y))  # all arrows are level or upright
    along = ((end_x - x) / length, (end_y - y) / length)
    reach, half = 7 + width, 3 + width
    base = (end_x - reach * along[0], end_y - reach * along[1])
    head = (
        (end_x, end_y),
        (base[0] - half * along[1], base[1] + half * along[0]),
        (base[0] + half * along[1], base[1] - half * along[0]),
    )
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    shaft = f'points="{_points([*corners[:-1], base])}" fill="none" stroke="{colour}" stroke-width="{_number(width)}"'
    return f'<polyline {shaft}{style}/><polygon points="{_points(head)}" fill="{colour}"/>'


def badge(risk: Risk, x: float, y: float) -> list[str]:
    """Return the numbered disc of a risk, (x, y) its centre."""
    style = badge_style(risk)
    number = f'<text x="{_number(x)}" y="{_number(y + 4)}" font-size="11" font-weight="bold"'
    words = f"{risk.id}: {risk.title}"
    return group(
        words, [*disc(x, y, style), f'{number} fill="{_BADGES[style][2]}" text-anchor="middle">{risk.number}</text>']
    )


def disc(x: float, y: float, style: BadgeStyle) -> list[str]:
    """Return the disc of a badge without its number."""
    surface, stroke, _ = _BADGES[style]
    return [
        f'<circle cx="{_number(x)}" cy="{_number(y)}" r="9.5" fill="{surface}" stroke="{stroke}" stroke-width="1.5"/>'
    ]


def badge_style(risk: Risk) -> BadgeStyle:
    """Return how a risk is marked."""
    if risk.status == "sound":
        return "sound"
    if risk.leakage == "none":
        return "threat" if risk.status == "occurs" else "threat?"
    return "leakage" if risk.status == "occurs" else "leakage?"


def _points(corners: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)


def _number(value: float) -> str:
    """Return a coordinate with at most two decimals: rounding hides the last bit of a sum."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
