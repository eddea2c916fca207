"""The documentation site: it builds, every link leads somewhere, and what its pages tell people to type works.

Run here: every Python and YAML block, and the commands of ``RUN``. Of the others, which take seconds or a network, the
program's own parser reads every word. Commands of make, export and dagster are looked up where they are defined.
"""

import itertools
import os
import re
import shlex
import textwrap
from pathlib import Path

import polars as pl
import pytest
import typer
from ruamel.yaml import YAML
from support.campaigns import SETTINGS
from support.commands import golden

from golden_core.checks import all_checks
from golden_core.checks.check import Check
from golden_core.preparation.catalogue import load_study, vocabulary
from golden_core.store import schema
from golden_core.store.lake import PROJECT_ROOT
from golden_core.store.table import Table
from golden_core.study import study_schema
from golden_dagster.cli.application import app

DOCS = PROJECT_ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if DOCS / "golden" not in page.parents)
FENCED = [page for page in PAGES if "```" in page.read_text(encoding="utf-8") and page.name != "vendors.md"]
PROGRAM = typer.main.get_command(app)
# Less than a second each, and they change nothing but the folder that a test stands in.
RUN = ("study show", "study validate", "data doctor", "data import", "data show", "leaderboard", "status", "clean")


def named(page):
    return str(page.relative_to(PROJECT_ROOT)).removeprefix("docs/")


def blocks(page, *languages):
    """The fenced blocks of a page in some languages, with the files put in that it shows."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(\w+)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    for _, language, body in found:
        if language in languages:
            whole = re.sub(r" *\\\n *", " ", textwrap.dedent(body)) if language == "bash" else textwrap.dedent(body)
            yield re.sub(r'--8<-- "(.+)"', lambda shown: (DOCS / shown[1]).read_text("utf-8"), whole)


def commands(text):
    """The words of every simple command of a script, redirections and settings of variables taken off."""
    for part in itertools.chain.from_iterable(line.split(" && ") for line in text.splitlines()):
        words = shlex.split(part, comments=True)
        words = words[: words.index(">")] if ">" in words else words
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words:
            yield words


def of_program(arguments):
    """Return the command that arguments lead to, and what is left for it."""
    command, left = PROGRAM, list(arguments)
    while hasattr(command, "commands"):
        command, left = command.commands[left[0]], left[1:]
    return command, left


def accept(words):
    """Fail unless whoever types these words is understood."""
    program, *arguments = words
    if program.removeprefix(".venv/bin/") == "golden":
        command, left = of_program(arguments)
        command.make_context(command.name, [word for word in left if word != "--help"])
    elif program == "make":
        assert re.search(rf"^{arguments[0]}:", (PROJECT_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    elif program == "dagster":
        from dagster._cli.asset import asset_cli

        command = asset_cli.commands[arguments[1]]
        command.make_context("dagster", arguments[2:])
    elif program == ".venv/bin/python":
        assert arguments[:2] == ["-m", "pytest"]
        assert all((PROJECT_ROOT / one).exists() for one in arguments[2:])
    else:
        assert program == "export", words


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a link that leads nowhere, or a page that is in no menu, ends the build."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    reason = "mkdocs-material is not installed: pip install '.[docs]'"
    pytest.importorskip("material", reason=reason)
    config = pytest.importorskip("mkdocs.config", reason=reason)
    from mkdocs.commands.build import build

    folder = tmp_path_factory.mktemp("site")
    build(config.load_config(str(PROJECT_ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_the_reference_is_the_code(site):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html")}
    for name, command in PROGRAM.commands.items():
        for inner in getattr(command, "commands", [None]):
            assert f"<code>golden {name}{f' {inner}' if inner else ''}</code>" in pages["commands"]
    tables = [one.name for one in vars(schema).values() if isinstance(one, Table)]
    assert all(f'<h2 id="{name}">' in pages["tables"] for name in tables)
    study = load_study("smoke")
    assert all(f"<code>{check.name}</code>" in pages["checks"] for check in all_checks(study))
    assert all(f"<code>{name}</code>" in pages["study"] for name in [*type(study).model_fields, "gradient_clip"])
    assert all(f"<code>forecasters.{name}</code>" in pages["study"] for name in ("ar", "dlinear", "random_walk"))
    assert all(f'id="{name.lower()}"' in pages["study"] for name in study_schema(vocabulary())["$defs"])


def test_every_question_is_answered_one_click_away(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    answers = re.findall(r"<li>(.+?\?) (.*?)</li>", page, re.DOTALL)
    asked = [(question, re.findall(r'href="([^"#]+)', answer)) for question, answer in answers]
    assert len(asked) == 19
    found = set(re.findall(r'href="([^"]+)"', "".join(answer for _, answer in answers)))
    assert {"usage.html#the-home", "usage.html#when-something-fails", "how_to/gate_in_ci.html"} <= found
    assert {"explanation/claims.html#why-the-random-walk-wins", "how_to/accelerator.html"} <= found
    for question, targets in asked:
        assert targets, question
        assert all((site / target).exists() for target in targets)


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text(encoding="utf-8"))
        assert not found, page


@pytest.mark.parametrize("page", FENCED, ids=named)
def test_every_command_is_understood(page):
    for text in blocks(page, "bash"):
        for words in commands(text):
            accept(words)


@pytest.mark.parametrize("page", [*PAGES, PROJECT_ROOT / "README.md"], ids=named)
def test_commands_of_indented_blocks_are_understood(page):
    """As a shell reads them: what explains a command to its right is a comment."""
    for line in re.findall(r"^    golden (\w.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        accept(["golden", *shlex.split(line.replace("\\", ""), comments=True)])


def test_a_command_with_a_wrong_option_is_not_understood():
    with pytest.raises(Exception, match="No such option"):
        accept(["golden", "run", "smoke", "--fast"])


def run(line, folder):
    """Run a command of a page in process; what goes to a file goes there."""
    words, _, target = line.partition(" > ")
    result = golden(*shlex.split(words)[1:])
    assert result.exit_code == 0, result.output
    if target:
        (folder / target).write_text(result.output, encoding="utf-8")
    return result.output


def follow(page, folder, replace=lambda line: line):
    """Do what a page says from top to bottom, as far as it is quick; return what was printed."""
    said, names = [], {}
    for text in blocks(page, "python", "bash"):
        if not any(re.match(r"(golden|make|export|GOLDEN|\.venv)", line) for line in text.splitlines()):
            exec(compile(text, page.name, "exec"), names)
            continue
        for line in text.splitlines():
            if line.removeprefix("golden ").startswith(RUN) and "&&" not in line:
                said.append(run(replace(line), folder))
    return said, names


def test_the_tutorial_on_candles_word_by_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))

    def with_the_name(line):
        found = [path.name for path in (tmp_path / "home").rglob("mine_*.parquet")]
        return line.replace("FILE", *found) if "FILE" in line else line

    page = DOCS / "tutorials/bring_your_own_candles.md"
    said, _ = follow(page, tmp_path, with_the_name)
    assert len(said) == 5
    assert "smoke_candles" in said[3]


def test_the_tutorial_on_reports(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".golden").symlink_to(finished.root)
    page = DOCS / "tutorials/read_a_report.md"
    said, _ = follow(page, tmp_path, lambda line: shlex.join([*shlex.split(line), *SETTINGS]))
    assert "random_walk" in said[0]
    template = (PROJECT_ROOT / "golden_core/reporting/templates/report.html.jinja").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z][^|]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == re.findall(r'call section\("[^"]+", "([^"]+)"\)', template)


def test_what_lies_in_a_home_is_on_the_usage_page(finished):
    page = (DOCS / "usage.md").read_text("utf-8").partition("## The home\n")[2].partition("\n## ")[0]
    found = {one.name for one in finished.root.iterdir() if one.suffix not in {".json", ".lock"}}
    assert found <= set(re.findall(r"`([\w.]+)[/`]", page))


def test_the_check_of_the_page_decides(finished, capsys):
    _, names = follow(DOCS / "how_to/extend_a_check.md", Path())
    check = names["CLOSES_MOVE"]
    assert isinstance(check, Check)
    found = check.decide(finished, load_study("smoke"))
    assert found.faults("bars") == []
    assert found.examined > 400


@pytest.mark.parametrize("name", ["how_to/accelerator.md", "explanation/placebo.md", "how_to/backfill.md", "hourly.md"])
def test_the_blocks_of_other_pages(name, finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    follow(DOCS / name, tmp_path)


def test_every_page_with_python_is_followed():
    followed = {"accelerator.md", "placebo.md", "extend_a_check.md", "read_a_report.md", "bring_your_own_candles.md"}
    followed |= {"hourly.md", "your_forecaster.md"}  # the last by the tests of forecasters
    assert {page.name for page in FENCED if any(blocks(page, "python"))} == followed


def test_no_block_is_of_another_kind():
    for page in FENCED:
        found = re.findall(r"^ *```(\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(found) <= {"bash", "python", "yaml"}, page


def test_the_filed_counts_are_on_the_page(site):
    page = (site / "explanation/placebo.html").read_text(encoding="utf-8")
    filed = [pl.read_csv(DOCS / f"golden/P3.M2/{name}.csv") for name in ("placebo", "power")]
    assert page.count("<tr>") == sum(table.height + 1 for table in filed)
    assert all(f"<th>{name}</th>" in page for table in filed for name in table.columns)


def test_the_workflow_is_one_and_its_commands_are_understood():
    [text] = blocks(DOCS / "how_to/gate_in_ci.md", "yaml")
    workflow = YAML(typ="safe", pure=True).load(text)
    assert set(workflow) == {"name", "on", "permissions", "jobs"}
    steps = workflow["jobs"]["gate"]["steps"]
    assert all(set(step) & {"uses", "run"} for step in steps)
    lines = [step["run"] for step in steps if "run" in step]
    for words in itertools.chain.from_iterable(map(commands, lines)):
        accept(words)
    assert lines[0] == "make setup"
    assert "--junit gate.xml" in lines[-1]
    assert steps[-1]["with"]["path"] == "gate.xml"
