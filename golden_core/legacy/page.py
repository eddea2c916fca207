"""The texts of this room, from their templates. What they say is computed elsewhere; equal inputs give equal text."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from golden_core.legacy.audit.headings import NAMES
from golden_core.legacy.audit.intervals import between, names, number
from golden_core.store.markdown import cell, markdown_table
from golden_core.study.faults import plural


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is; a table comes from strangers."""
    for character in "\\`*_<>|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.replace("](", "]\\(").split())


def page(template: str, **shown: Any) -> str:
    """Return a page; whatever a template names must be there."""
    return TEMPLATES.get_template(template).render(shown)


TEMPLATES = Environment(
    loader=PackageLoader("golden_core.legacy"),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.globals["METRICS"] = NAMES
TEMPLATES.filters |= {
    "between": between, "cell": cell, "escaped": escaped, "names": names, "number": number, "plural": plural,
    "grouped": lambda number: f"{number:,}",
    "heads": lambda heads: markdown_table(heads, []),
    "row": lambda cells: f"| {' | '.join(cell(escaped(str(text))) for text in cells)} |",
}  # fmt: skip
