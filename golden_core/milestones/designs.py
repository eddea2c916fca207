"""Pages of P2.M1, P3.M1 and P5.M1, from the code: the configuration, the orchestrator, and how it all is used."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from ruamel.yaml import YAML

from golden_core.forecasters import ENTRY_POINT_GROUP
from golden_core.milestones.evidence import Result, all_held, render
from golden_core.milestones.interfaces import Interface, interfaces, svg
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.preparation.catalogue import load_study, study_names, vocabulary
from golden_core.store.lake import shipped
from golden_core.store.markdown import markdown_table
from golden_core.store.provenance import describe_environment
from golden_core.store.randomness import Stream
from golden_core.store.schema import COMPARISONS, FORECASTS, METRICS, SUMMARY, TRIALS
from golden_core.store.table import Table
from golden_core.study import Section, Study, study_schema
from golden_core.study.anatomy import sections
from golden_core.trials.identity import Status, all_trials, dependencies

TEXTS = shipped("backbone")
PROGRAM = (sys.executable, "-m", "typer", "golden_dagster.cli.application", "utils", "docs", "--name", "golden")
SECONDS = 120
FEWEST_SEEDS = 5  # of the plan
MEANING: dict[Status, str] = {
    "done": "its folder is there, whole; reading it again compares every file with its hash",
    "failed": "the data cannot carry the forecaster: one record says why, and the campaign goes on",
    "missing": "neither is there: it was never run, or something it depends on has changed",
}


def configuration_pages() -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P2.M1, and whether every rule is documented."""
    said, rules = _yaml("rules.yaml"), dict(_rules())
    documented = [name for name in rules if name in said]
    rows = ((f"`{name}`", said.get(name, "not documented"), ", ".join(rules[name]) or "—") for name in rules)
    table = markdown_table(("blamed", "rule", "also reads"), rows)
    studies = [load_study(name) for name in study_names()]
    sampled = ((study.name, str(study.checks.reproduced_trials)) for study in studies)
    checklist = {
        "checklist": _yaml("reproducibility_checklist.yaml"),
        "seeds": _seeds(studies),
        "samples": markdown_table(("study", "trials"), sampled),
    }
    pages = {
        "config_schema.yaml": config_schema(),
        "validation_rules.md": render(TEXTS / "validation_rules.md.jinja", {"rules": table}),
        "reproducibility_checklist.md": render(TEXTS / "reproducibility_checklist.md.jinja", checklist),
    }
    value = f"{len(documented)} of {len(rules)}"
    return pages, (Result("rules_documented", value, "all", 0 < len(documented) == len(rules)),)


def config_schema() -> str:
    """Return the JSON schema of a study as YAML, under a comment that says what it is."""
    text = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = False, 120
    writer.dump(study_schema(vocabulary()), text)
    return f"# Schema of a study (JSON Schema 2020-12), made from golden_core.study.\n{text.getvalue()}"


def orchestrator_pages() -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P3.M1 and what is found for its machine criteria."""
    studies, found = [load_study(name) for name in study_names()], interfaces()
    smoke = load_study("smoke")
    recorded = _yaml("provenance.yaml")
    facts = {
        "states": {state: MEANING[state] for state in get_args(Status)},
        "dependencies": list(dependencies(smoke, all_trials(smoke)[0], "")),
        "seeds": _seeds(studies),
        "group": ENTRY_POINT_GROUP,
        "interfaces": [_described(one) for one in found],
        "provenance": markdown_table(("recorded", "what it is"), ((f"`{k}`", v) for k, v in recorded.items())),
        "tables": [_columns(table) for table in (FORECASTS, TRIALS, METRICS, SUMMARY, COMPARISONS)],
    }
    pages = {
        "orchestrator_design.md": render(TEXTS / "orchestrator_design.md.jinja", facts),
        "interfaces.svg": svg(found),
    }
    asked, environment = ("git.commit", "machine.cpu", "machine.gpu"), describe_environment()
    known = {f"{section}.{key}" for section in ("git", "machine") for key in environment[section]}
    specified = all_held("metadata_specified", dict(zip(asked, asked, strict=True)), [recorded, known])
    return pages, (_seeds_result(studies), specified)


def usage_page(place: Place) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return usage.md, and whether it has every command; the program is asked, since it stands above this package."""
    status, said = place.run(PROGRAM, timeout_s=SECONDS)
    if status:
        raise EvidenceError(f"P5.M1: the program does not say how it is used: {said[-300:]}")
    commands = re.sub(r"^(#+) ", r"#\1 ", said, flags=re.MULTILINE)  # one level further down
    listed = re.findall(r"^\* `([a-z][a-z-]*)`:", said, flags=re.MULTILINE)
    described = re.findall(r"^#+ `golden [a-z -]*?([a-z-]+)`$", said, flags=re.MULTILINE)
    missing = sorted(set(listed) - set(described))
    names = ", ".join(f"`{name}`" for name in study_names())
    page = render(TEXTS / "usage.md.jinja", {"commands": commands, "studies": names})
    value = f"{len(described)} commands" + (f", without {', '.join(missing)}" if missing else "")
    result = Result("usage_documented", value, "every command", bool(described) and not missing)
    return {"usage.md": page}, (result,)


def _rules() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every rule across settings by its section and the setting that is blamed, with what else it reads."""
    named = vocabulary()
    seen: dict[type[BaseModel], None] = {}
    roots: tuple[type[BaseModel], ...] = (Study, *named.sources.values(), *named.forecasters.values())
    for root in roots:
        _collect(root, seen)
    for model in seen:
        for rule in model.RULES if issubclass(model, Section) else ():
            yield f"{model.__name__}.{rule.reads[0]}", rule.reads[1:]
        for name in model.__pydantic_decorators__.model_validators:
            if name != "_obey_rules":
                yield f"{model.__name__}.{name}", ()  # a validator of the section's own: the whole section is blamed


def _collect(model: type[BaseModel], seen: dict[type[BaseModel], None]) -> None:
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for inner in sections(field.annotation):
                _collect(inner, seen)


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXTS / name)
    return found


def _streams(study: Study) -> set[int]:
    """Return the number that seeds each run of a study's first trial."""
    trial = all_trials(study)[0]
    stream = Stream(study.seeds.root).child(trial.forecaster, trial.pair, trial.horizon)
    return {stream.child(f"seed {number}").integer() for number in range(study.seeds.count)}


def _seeds(studies: Sequence[Study]) -> str:
    rows = ((s.name, str(s.seeds.root), str(s.seeds.count), str(len(_streams(s)))) for s in studies)
    return markdown_table(("study", "root seed", "seeds of a trial", "different streams"), rows)


def _seeds_result(studies: Sequence[Study]) -> Result:
    asked = [study for study in studies if not study.is_smoke]
    enough = [s for s in asked if s.seeds.count >= FEWEST_SEEDS and len(_streams(s)) == s.seeds.count]
    value = ", ".join(f"{study.name} {study.seeds.count}" for study in asked)
    return Result("seeds_deterministic", value, f"{FEWEST_SEEDS} at least, all different", asked == enough)


def _described(one: Interface) -> dict[str, str]:
    rows = ((f"`{name}`", f"`{said.removeprefix(': ')}`") for name, said in one.members.items())
    return {"name": one.name, "module": one.module, "says": one.says, "table": markdown_table(("member", "type"), rows)}


def _columns(table: Table) -> dict[str, str]:
    rows = ((f"`{c.name}`", str(c.dtype), c.description, c.unit or "—") for c in table.columns)
    columns = markdown_table(("column", "type", "what it is", "unit"), rows)
    return {"name": table.name, "description": table.description, "columns": columns}
