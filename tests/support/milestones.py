"""A small project with its own plan and its own git: what the tests write, sign and tamper with."""

import datetime as dt
import subprocess
from dataclasses import dataclass, replace

from golden_core.milestones.evidence import Result, write_evidence
from golden_core.milestones.place import Place
from golden_core.milestones.registry import Phase, Registry
from golden_core.milestones.signoff import set_owner, sign
from golden_core.milestones.state import standing

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DELIVERABLES = {"report.md": "# Report\n\nGrößer als null.\n", "tables/a.csv": b"x\n1\n", "tables/b.csv": b"y\n2\n"}
PASSED = (Result("counts_equal", 20, "20", True), Result("script_runs", 0, "exit status 0", True))
FIRST = {
    "id": "P0.M1",
    "title": "First",
    "accountable": ["TL"],
    "supporting": ["RL"],
    "duration": "a day",
    "tasks": ["Count."],
    "inputs": [{"title": "the input", "path": "data/*.csv"}, {"title": "a file of the user's", "path": None}],
    "deliverables": [
        {"name": "report.md", "title": "report"},
        {"name": "tables", "files": ["tables/*.csv"], "title": "tables"},
        {"name": "code", "repository": ["*.py"], "title": "what makes them"},
    ],
    "criteria": [
        {"id": "counts_equal", "claim": "Twenty of twenty are equal.", "check": "some/asset:counts_equal"},
        {"id": "script_runs", "claim": "The script runs.", "command": ["python", "-c", "raise SystemExit(0)"]},
        {"id": "reviewed", "claim": "The numbers are right.", "sign_off": ["RL"]},
        {"id": "approved", "claim": "The report is what was asked for.", "sign_off": ["TL", "RL"]},
    ],
}
SECOND = FIRST | {
    "id": "P0.M2",
    "title": "Second",
    "inputs": [],
    "criteria": [{"id": "read", "claim": "It was read.", "sign_off": ["TL"]}],
}
GATE = [
    {"id": "scope_approved", "claim": "The scope is right.", "sign_off": ["TL"]},
    {"id": "owners_known", "claim": "Every milestone has an owner.", "owned": "P0"},
]
# Makes the same deliverables again from the input, wherever it is told to.
MAKE = """
import os
from pathlib import Path
folder = Path(os.environ["GOLDEN_EVIDENCE"]) / "P0.M1"
(folder / "tables").mkdir(parents=True)
(folder / "report.md").write_text("# Report\\n\\nGrößer als null.\\n", encoding="utf-8")
for name, number in (("a", Path("data/input.csv").read_text()), ("b", "2\\n")):
    (folder / "tables" / f"{name}.csv").write_text({"a": "x", "b": "y"}[name] + "\\n" + number)
"""


def plan(**changes):
    """Two milestones in one phase; changes are those of the first."""
    content = {
        "id": "P0", "title": "Beginning", "weeks": "0", "criteria": GATE, "milestones": [FIRST | changes, SECOND],
    }  # fmt: skip
    return Registry({"TL": "Technical Lead", "RL": "Research Lead"}, (Phase.model_validate(content, strict=False),))


@dataclass(frozen=True)
class Project:
    """A checkout with a plan; evidence, signatures and commits in one line each."""

    place: Place
    registry: Registry

    @property
    def milestone(self):
        return self.registry.milestone("P0.M1")

    @property
    def folder(self):
        return self.place.folder("P0.M1")

    @property
    def state(self):
        return standing(self.place, self.milestone).state

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments):
        command = ["git", "-C", str(self.place.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        return self.head

    def write(self, deliverables=DELIVERABLES, *, results=PASSED, day=0, **changes):
        given = {
            "inputs": [self.place.repository / "data" / "input.csv"],
            "command": ["python", "make.py"],
            "results": results,
            "now": START + dt.timedelta(days=day),
        }
        return write_evidence(self.place, self.milestone, deliverables, **(given | changes))

    def own(self, name="Ada Lovelace", day=0):
        set_owner(self.place, self.registry, self.milestone, name=name, date=START + dt.timedelta(days=day))

    def sign(self, criterion="reviewed", **changes):
        given = {
            "role": "RL" if criterion == "reviewed" else "TL",
            "name": "Mary Cartwright",
            "date": START + dt.timedelta(days=9),
            "commit": self.head,
        }
        return sign(self.place, self.registry, self.milestone, criterion, **(given | changes))

    def accept(self):
        """Sign everything that the first milestone asks persons for."""
        for criterion, role in (("reviewed", "RL"), ("approved", "TL"), ("approved", "RL")):
            self.sign(criterion, role=role)

    def with_plan(self, **changes):
        return replace(self, registry=plan(**changes))


def make_project(root):
    (root / "data").mkdir(parents=True)
    (root / "data" / "input.csv").write_text("1\n")
    (root / "constraints.txt").write_text("numpy==2.4.6\n")
    (root / "make.py").write_text(MAKE, encoding="utf-8")
    found = project_at(root)
    for arguments in (
        ["init", "--quiet"],
        ["config", "user.name", "Grace Hopper"],
        ["config", "user.email", "g@h.example"],
    ):
        found.git(*arguments)
    found.commit()
    return found


def project_at(root):
    """The project in a folder that exists."""
    return Project(Place(root, root / "docs" / "golden"), plan())
