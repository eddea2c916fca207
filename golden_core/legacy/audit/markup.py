"""Cells without marks of LaTeX, HTML and Markdown: what a reader of the page sees. No text is understood here."""

from __future__ import annotations

import re

_LONGEST = 400  # characters
_SYMBOLS = {
    "pm": "±",
    "times": "×",
    "cdot": "·",
    "dagger": "†",
    "dag": "†",
    "ddagger": "‡",
    "ddag": "‡",
    "ast": "*",
    "star": "*",
    "uparrow": "↑",
    "downarrow": "↓",
    "Delta": "Δ",
    "sqrt": "√",
    "permil": "‰",
    "textpm": "±",
}
# Macros whose last argument is what is printed, by their number of arguments; every other macro prints its only one.
_ARGUMENTS = {"multirow": 3, "textcolor": 2, "rotatebox": 2, "scalebox": 2, "resizebox": 3, "makecell": 1}
_SILENT = r"(?:cite\w*|ref|label|cellcolor|rowcolor|vspace|hspace|footnote\w*|tablefootnote)\*?"
_ARGUMENT = r"\s*\{([^{}]*)\}"
_TAGS = re.compile(r"<(b|i|u|em|strong|sup|sub|span|font|mark|code|s)\b[^<>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)


def unmarked(text: str) -> str:
    """Return the text of a cell without marks of LaTeX, HTML and Markdown; one too long to be a cell stays as it is."""
    if len(text) > _LONGEST:
        return text
    if "\\" in text or "$" in text or "{" in text:
        text = _without_latex(text)
    while (found := _TAGS.search(text)) is not None:
        # R<sup>2</sup> and 10<sup>-3</sup> are powers.
        raised = found[1].casefold() == "sup"
        power = "^" if raised and re.fullmatch(r"[+\-−]?\d+|[a-z]", found[2]) else ""
        text = text[: found.start()] + power + found[2] + text[found.end() :]
    text = re.sub(r"(\*\*|__|~~|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    return re.sub(r"^([*_])(?=\S)([^*_]+)(?<=\S)\1$", r"\2", text.strip())


def _without_latex(text: str) -> str:
    text = re.sub(rf"\\{_SILENT}(?:\[[^\]]*\])*{_ARGUMENT}", "", text)
    for name, symbol in _SYMBOLS.items():
        text = re.sub(rf"\\{name}(?![a-zA-Z])\s*", symbol, text)
    text = re.sub(r"\\([%_&#$])", lambda found: "\0" + found[1], text)  # what is escaped is no mark
    text = re.sub(r"(?<!\0)\$", "", text).replace("\0", "")
    text = re.sub(r"\\[,;:! ]|~", " ", text)
    before = None
    while before != text:  # from the innermost braces outwards
        before = text
        for macro, count in _ARGUMENTS.items():
            text = re.sub(rf"\\{macro}(?:\[[^\]]*\])?{_ARGUMENT * count}(?:\[[^\]]*\])?", rf"\{count}", text)
        text = re.sub(rf"\\(?!(?:{'|'.join(_ARGUMENTS)})\b)[a-zA-Z]+\*?(?:\[[^\]]*\])?{_ARGUMENT}", r"\1", text)
        text = re.sub(r"\^\{\s*([+\-−]?\d+)\s*\}", r"^\1", text)
        text = re.sub(r"[\^_]\{([^{}]*)\}|(?<![}\]a-zA-Z*\s])\{([^{}]*)\}(?!\s*\{)", r"\1\2", text)
    return re.sub(r"\\[a-zA-Z]+\b\s*", "", re.sub(r"[{}]", "", text)).strip()
