"""How wide a text is and where it breaks, without a font file: the same answer on every machine."""

from __future__ import annotations

# Advance widths of Helvetica in thousandths of the font size, by groups of characters.
# Adobe Systems (1989), Helvetica.afm; what is not listed is as wide as a digit.
_GROUPS = {
    191: "'",
    222: "ijl‘’",
    260: "|",
    278: " !,./:;I[]\\ft",
    333: "()-r`·",
    355: '"',
    389: "*",
    469: "^",
    500: "Jckvsxyz",
    584: "+<=>~×−±",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "…—→²",
    1015: "@",
}
_WIDTHS = {character: width for width, characters in _GROUPS.items() for character in characters}
_DIGIT = 556
_BOLD = 1.06
# Other sans-serif fonts are up to a seventh wider; boxes are drawn for those.
_RESERVE = 1.1


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in the unit of the font size, on the safe side."""
    width = sum(_WIDTHS.get(character, _DIGIT) for character in text) / 1000
    return width * size * _RESERVE * (_BOLD if bold else 1.0)


def wrap(text: str, width: float, size: float) -> list[str]:
    """Break a text at spaces into the fewest lines that fit; a single longer word stands alone.

    Parameters
    ----------
    text : str
        A space that must not break is a no-break space.
    width, size : float
        Room, and size of the font, in the same unit.
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
