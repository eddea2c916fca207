"""The site's reference pages, made from the code when it is built: commands, study, tables, checks. None is a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from golden_core.checks import Check, all_checks
from golden_core.milestones.designs import configuration_pages
from golden_core.preparation.catalogue import load_study, study_names, vocabulary
from golden_core.store import schema
from golden_core.store.markdown import markdown_table
from golden_core.store.table import Table
from golden_core.study import study_schema
from golden_dagster.cli.application import app

_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_RULES = "## Rules across settings"
_SHOWN = 4  # places of a section in its heading


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference pages to those that are files."""
    pages = {"commands": commands(), "study": study(), "tables": tables(), "checks": checks()}
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: object) -> str:
    """Put tables in the place of comments that name a file, and perhaps columns: `<!-- table golden/….csv n p -->`."""
    return re.sub(
        r"<!-- table (\S+)(.*?) -->", lambda named: _filed(Path(config.docs_dir, named[1]), named[2].split()), markdown
    )


def commands() -> str:
    """Return every command with its arguments and options, as `--help` says them."""
    program = typer.main.get_command(app)
    said = get_docs_for_click(obj=program, ctx=typer.Context(program), name="golden", title="Commands")
    # Lists of commands cut every line at 45 letters, and each is explained below.
    return re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", said)


def study() -> str:
    """Return every setting of a study: sections, what sources and forecasters take, then rules across settings."""
    found = study_schema(vocabulary())
    parts = ["# Settings of a study", "A study is one YAML file with these sections.", _settings(found)]
    for name, paths in _places(found).items():
        parts.append(f"## {_heading(paths)}{_variant(found['$defs'][name])} {{#{name.lower()}}}")
        parts += [f"At {', '.join(f'`{path}`' for path in paths)}."] if len(paths) > _SHOWN else []
        parts.append(_settings(found["$defs"][name]))
    rules = configuration_pages()[0]["validation_rules.md"].partition(_RULES)[2]
    return "\n\n".join([*parts, f"{_RULES}{rules}"])


def tables() -> str:
    """Return every table, column by column."""
    found = [one for one in vars(schema).values() if isinstance(one, Table)]
    start = "# Tables\n\nWhat Parquet files and the warehouse hold. Key columns are **bold**."
    return "\n\n".join([start, *(_table(one) for one in sorted(found, key=lambda one: one.name))])


def checks() -> str:
    """Return every check of the studies that come with the project, by the asset that it is about."""
    known = [check for name in study_names() for check in all_checks(load_study(name))]
    found = {(_asset(check), check.name): check for check in known}
    start = (
        f"# Checks\n\n{len(found)} claims that can fail. One that *blocks* stops whatever would be built on its asset; "
        "an *error* closes the gate; a *warn* is shown and closes nothing. Which of them a study has depends on its "
        "sections."
    )
    parts = [start]
    for asset in sorted({asset for asset, _ in found}):
        own = (check for (about, _), check in sorted(found.items()) if about == asset)
        rows = ((f"`{c.name}`", c.says, c.unit, "blocks" if c.blocking else c.severity) for c in own)
        parts += [f"## {asset}", markdown_table(("check", "what it claims", "counts", "when it fails"), rows)]
    return "\n\n".join(parts)


def _filed(path: Path, columns: list[str]) -> str:
    table = pl.read_csv(path, columns=columns or None).with_columns(pl.col(pl.Float64).round(4))
    rows = (["—" if cell is None else str(cell) for cell in row] for row in table.iter_rows())
    return markdown_table(table.columns, rows)


def _asset(check: Check) -> str:
    return "models/…" if check.asset.startswith("models/") else check.asset


def _table(table: Table) -> str:
    rows = (
        (f"**`{c.name}`**" if c.name in table.key else f"`{c.name}`", str(c.dtype), c.description, c.unit or "—")
        for c in table.columns
    )
    columns = markdown_table(("column", "type", "what it is", "unit"), rows)
    return f"## {table.name}\n\n{table.description}\n\n{columns}"


def _settings(part: Mapping[str, Any]) -> str:
    required, settings = part.get("required", ()), part.get("properties", {})
    rows = (
        (f"`{name}`", _type(said), said.get("description", "—"), "yes" if name in required else "no")
        for name, said in settings.items()
    )
    table = (
        markdown_table(("setting", "takes", "what it is", "required"), rows) if settings else "It takes no settings."
    )
    return "\n\n".join([text for text in (part.get("description"), table) if text])


def _places(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return where in a study each section stands, in the order of the study."""
    places: dict[str, list[str]] = {}

    def enter(part: Mapping[str, Any], path: str) -> None:
        for name in _sections(part):
            places.setdefault(name, []).append(path)
            for choice in _choices(found["$defs"][name]):
                enter(choice, path)
            for key, said in found["$defs"][name].get("properties", {}).items():
                enter(said, f"{path}.{key}")
            for one in found["$defs"][name].get("allOf", ()):  # what a source takes
                source = one["if"]["properties"]["source"]["const"]
                enter(one["then"]["properties"]["settings"], f"{path}.settings of {source}")

    for key, said in found["properties"].items():
        enter(said, key)
        for name, forecaster in said.get("properties", {}).items():
            enter(forecaster, f"{key}.{name}")
    return places


def _sections(part: Mapping[str, Any]) -> list[str]:
    """Return the names of the sections that a setting may be, or may hold."""
    inner = [*_choices(part), *_values(part), *([part["items"]] if "items" in part else [])]
    own = [str(part["$ref"]).rpartition("/")[2]] if "$ref" in part else []
    return [*own, *(name for one in inner for name in _sections(one))]


def _variant(part: Mapping[str, Any]) -> str:
    """Return what tells a section from others that may stand in its place, such as its method."""
    fixed = (f", {key} `{said['const']}`" for key, said in part.get("properties", {}).items() if "const" in said)
    return next(fixed, "")


def _choices(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*part.get("anyOf", ()), *part.get("oneOf", ())]


def _values(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the values of a mapping with free keys may be."""
    found = [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]
    return [one for one in found if isinstance(one, dict)]


def _heading(paths: list[str]) -> str:
    shown = paths if len(paths) <= _SHOWN else [paths[0], "…", paths[-1]]
    return ", ".join(f"`{path}`" if path != "…" else path for path in shown)


def _type(said: Mapping[str, Any]) -> str:
    """Return in words what a setting may be, limits included, with a link where it is a section."""
    if "$ref" in said:
        [name] = _sections(said)
        return f"[{re.sub('(Section|Settings)$', '', name.rpartition('__')[2])}](#{name.lower()})"
    if choices := _choices(said):
        return " or ".join(_type(one) for one in choices)
    if "const" in said or "enum" in said:
        return ", ".join(f"`{one}`" for one in said.get("enum", [said.get("const")]))
    limits = " and ".join(f"{sign} {said[name]:g}" for name, sign in _LIMITS.items() if name in said)
    return " ".join([_kind(said), *([limits] if limits else [])])


def _kind(said: Mapping[str, Any]) -> str:
    kind = str(said.get("format") or said.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(said.get('items', {}))}"
    if "properties" not in said and (values := _values(said)):
        return f"mapping to {' or '.join(map(_type, values))}"
    return {"object": "mapping", "string": "text", "boolean": "`true`, `false`"}.get(kind, kind)
