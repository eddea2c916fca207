"""Pages of milestones: a template of data/ and tables made from the code, so that equal code gives equal text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from golden_core.bars.cleaning.rules import RULES
from golden_core.inputs.features import FEATURES
from golden_core.market.clock import SESSIONS
from golden_core.market.holidays import CLOSURES
from golden_core.store.lake import shipped
from golden_core.store.markdown import markdown_table
from golden_core.vendors import GENERAL, READERS

LOADER = shipped("loader", "specification.md")


def render(template: Path, facts: Mapping[str, Any]) -> str:
    """Fill in a template, which asks for nothing that is not given, and end it with one line end."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(template.read_text(encoding="utf-8")).render(facts).rstrip("\n") + "\n"


def loader_specification() -> str:
    """Return data_loader_spec.md."""
    tables = {
        "sessions": markdown_table(
            ("centre", "clock", "opens", "closes"),
            ((name, s.zone, f"{s.opens:%H:%M}", f"{s.closes:%H:%M}") for name, s in SESSIONS.items()),
        ),
        "closures": markdown_table(
            ("closure", "trading day", "from", "to", "worldwide", "known from"),
            (
                (c.name, f"{c.day}.{c.month}.", _hour(c.start), _hour(c.stop), "yes" if c.worldwide else "no", c.source)
                for c in CLOSURES
            ),
        ),
        "formats": markdown_table(
            ("format", "asked"), ((name, "last" if name in GENERAL else "first") for name in sorted(READERS))
        ),
        "rules": markdown_table(
            ("rule", "fate", "what it sees", "needs"),
            ((rule.name, rule.action, rule.detail, ", ".join(rule.needs) or "—") for rule in RULES),
        ),
        "features": markdown_table(
            ("feature", "what it is", "unit", "warm-up in bars"),
            ((name, f.description, f.unit or "—", str(f.warm_up)) for name, f in FEATURES.items()),
        ),
    }
    return render(LOADER, tables)


def _hour(minutes: int) -> str:
    """Return minutes from the beginning of a trading day as what a clock in New York shows."""
    hours, rest = divmod(minutes + 17 * 60, 60)
    return f"{hours % 24:02d}:{rest:02d}"
