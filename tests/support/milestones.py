"""A small project with its own plan and its own git: what the tests write, sign and tamper with."""

import datetime as dt
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from golden_core.milestones.evidence import Result, Written, write_evidence
from golden_core.milestones.people import set_owner
from golden_core.milestones.place import Place
from golden_core.milestones.records import SignOff
from golden_core.milestones.registry import Milestone, Phase, Registry
from golden_core.milestones.signoff import sign
from golden_core.milestones.state import State, standing

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DELIVERABLES = {"report.md": "# Report\n\nGrößer als null.\n", "tables/a.csv": b"x\n1\n", "tables/b.csv": b"y\n2\n"}
PASSED = (Result("counts_equal", 20, "20", True), Result("script_runs", 0, "exit status 0", True))
SPECIFICATION = {
    "accountable": "lead",
    "supporting": ["statistician"],
    "inputs": [
        {"title": "the input", "path": "data/*.csv"},
        {"title": "a file of the user's", "path": None},
    ],
    "deliverables": [{"name": "report.md", "title": "report"}, {"name": "tables/*.csv", "title": "tables"}],
    "criteria": [
        {"id": "counts_equal", "claim": "Twenty of twenty are equal.", "check": "some/asset:counts_equal"},
        {"id": "script_runs", "claim": "The script runs.", "command": ["python", "-c", "raise SystemExit(0)"]},
        {"id": "reviewed", "claim": "The numbers are right.", "sign_off": "statistician"},
        {"id": "approved", "claim": "The report is what was asked for.", "sign_off": "lead"},
    ],
}
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


def plan(**changes) -> Registry:
    """One specified milestone and one that is not, in one phase."""
    first = {"id": "P0.M1", "title": "First", "specification": SPECIFICATION | changes}
    second = {"id": "P0.M2", "title": "Second", "specification": None}
    content = {"id": "P0", "title": "Beginning", "milestones": [first, second]}
    roles = {"lead": "the whole", "statistician": "the numbers"}
    return Registry(roles, (Phase.model_validate(content, strict=False),))


@dataclass(frozen=True)
class Project:
    """A checkout with a plan; evidence, signatures and commits in one line each."""

    place: Place
    registry: Registry

    @property
    def milestone(self) -> Milestone:
        return self.registry.milestone("P0.M1")

    @property
    def folder(self) -> Path:
        return self.place.folder("P0.M1")

    @property
    def state(self) -> State:
        return standing(self.place, self.milestone).state

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.place.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a step")
        return self.head

    def write(self, deliverables=DELIVERABLES, *, results=PASSED, day=0, **changes) -> Written:
        given = {
            "inputs": [self.place.repository / "data" / "input.csv"],
            "command": ["python", "make.py"],
            "results": results,
            "now": START + dt.timedelta(days=day),
        }
        return write_evidence(self.place, self.milestone, deliverables, **(given | changes))

    def own(self, name="Ada Lovelace", day=0) -> None:
        set_owner(self.place, self.registry, self.milestone, name=name, date=START + dt.timedelta(days=day))

    def sign(self, criterion="reviewed", **changes) -> SignOff:
        role = {"reviewed": "statistician", "approved": "lead"}.get(criterion, "lead")
        given = {"role": role, "name": "Mary Cartwright", "date": START + dt.timedelta(days=9), "commit": self.head}
        return sign(self.place, self.registry, self.milestone, criterion, **(given | changes))

    def with_plan(self, **changes) -> "Project":
        return replace(self, registry=plan(**changes))


def make_project(root: Path) -> Project:
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


def project_at(root: Path) -> Project:
    """The project in a folder that exists."""
    return Project(Place(root, root / "docs" / "golden"), plan())
