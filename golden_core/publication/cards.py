"""Model card and data card: words of data/publication/cards.yaml, numbers of the warehouse and the lake."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from golden_core.publication.declared import Text, read_declared, words_path
from golden_core.reporting.pages import flatten
from golden_core.store.lake import Home, StoredTableError, read_table, stored_json
from golden_core.store.markdown import markdown_table
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.study.section import Section
from golden_core.trials import all_trials
from golden_core.trials.outputs import finished_trials, read_provenance
from golden_core.trials.stored import require_whole

DIGITS = 4  # significant ones of a number with decimals
FILES = {"model": "MODEL_CARD.md", "data": "DATA_CARD.md"}


class CardSection(Section):
    """One heading of a card: words, then facts or the rows of a query."""

    title: Text
    text: Text | None = None
    facts: str | None = None
    sql: Text | None = None
    none: Text = "None."


class Card(Section):
    """A card: its title and its sections in order."""

    title: Text
    sections: Annotated[tuple[CardSection, ...], Field(min_length=1)]


class Cards(Section):
    """Both of them."""

    model: Card
    data: Card


@functools.cache
def card_words() -> Cards:
    """Return what cards.yaml says."""
    return read_declared(Cards, words_path("cards.yaml"))


def cards(home: Home, study: Study) -> dict[str, str]:
    """Return MODEL_CARD.md and DATA_CARD.md of a study that has been run: file name → Markdown.

    IncompleteError if the warehouse does not hold the whole study, with these settings and by this code.
    """
    require_whole(home, study)
    words, warehouse = card_words(), Warehouse(home.warehouse)
    with warehouse.kept_open():
        return {FILES[kind]: _page(getattr(words, kind), home, study, warehouse) for kind in FILES}


def _page(card: Card, home: Home, study: Study, warehouse: Warehouse) -> str:
    parts = [f"# {card.title}: study {study.name}"]
    given = {"study": study.name, "significance": study.evaluation.significance}
    for section in card.sections:
        parts.append(f"## {section.title}")
        if section.text:
            parts.append(section.text)
        if section.facts:
            parts.append(_table(FACTS[section.facts](home, study)))
        if section.sql:
            asked = {name: value for name, value in given.items() if f"${name}" in section.sql}
            found = warehouse.query(section.sql, asked)
            parts.append(_table(found) if found.height else section.none)
    return "\n\n".join(parts) + "\n"


def _study_facts(_home: Home, study: Study) -> pl.DataFrame:
    data, protocol = study.data, study.protocol
    return _pairs(
        {
            "study": study.name,
            "what for": study.description,
            "SHA-256 of its settings": study.hash(),
            "pairs": ", ".join(data.pairs),
            "bars": data.bar,
            "horizons, in bars": ", ".join(map(str, study.horizons)),
            "from": data.start,
            "to": data.model_dump(mode="json")["end"],  # a day, or that it is the latest
            "root seed": study.seeds.root,
            "seeds": study.seeds.count,
            "significance": study.evaluation.significance,
            "claims asked for": ", ".join(protocol.kinds) if protocol else "none",
        }
    )


def _source_facts(home: Home, study: Study) -> pl.DataFrame:
    path = home.study(study.name).source
    if not (said := stored_json(path)):
        raise StoredTableError(f"{path} is missing or damaged: `golden run STUDY` makes it again")
    return _pairs({"source": study.data.source, **dict(flatten(said))})


def _bar_facts(home: Home, study: Study) -> pl.DataFrame:
    folder = home.study(study.name)
    bars = pl.concat([read_table(folder.table("bars", pair)) for pair in study.data.pairs], how="diagonal")
    return bars.group_by("pair", maintain_order=True).agg(
        pl.len().alias("bars"),
        pl.col("timestamp").min().alias("first"),
        pl.col("timestamp").max().alias("last"),
        pl.col("close").min().alias("lowest close"),
        pl.col("close").max().alias("highest close"),
    )


def _environment_facts(home: Home, study: Study) -> pl.DataFrame:
    """Return on what the trials ran, as each of them recorded it, and how many on each."""
    records = [read_provenance(folder) for folder in finished_trials(home, study, all_trials(study)).values()]
    rows = [
        {
            "commit": (record["git"]["commit"] or "unknown")[:12],
            "tree": {True: "not clean", False: "clean"}.get(record["git"]["dirty"], "unknown"),
            "processor": record["machine"]["cpu"],
            "Python": record["machine"]["python"],
            **{name: record["libraries"][name] for name in ("numpy", "torch", "polars") if name in record["libraries"]},
        }
        for record in records
    ]
    frame = pl.DataFrame(rows)
    return frame.group_by(frame.columns).len("trials").sort(frame.columns)


FACTS: Mapping[str, Callable[[Home, Study], pl.DataFrame]] = {
    "study": _study_facts,
    "source": _source_facts,
    "bars": _bar_facts,
    "environment": _environment_facts,
}


def _pairs(facts: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame({"what": list(facts), "value": [_shown(value) for value in facts.values()]})


def _table(frame: pl.DataFrame) -> str:
    return markdown_table(frame.columns, ([_shown(value) for value in row] for row in frame.iter_rows()))


def _shown(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return " ".join(str(value).split())
