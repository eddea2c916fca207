"""Resources: which study, how many workers, who watches the progress. Configuration only; no science."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
from pydantic import Field

from golden_core.preparation.catalogue import claim_name, load_study, load_variant, run_command
from golden_core.store.lake import Home
from golden_core.study import Study, StudyError
from golden_core.trials import Outcome
from golden_core.trials.workers import stop_workers
from golden_dagster.dead_runs import PROCESS_TAG, process_tag

if TYPE_CHECKING:
    from golden_core.legacy.inventory import Inventory
    from golden_core.legacy.reproduction.running import Request
    from golden_core.milestones.makers import Given

DEFAULT_STUDY = "demo"


def study_from_environment() -> str:
    """Return the name or path of the study that GOLDEN_STUDY asks for, by default ``demo``."""
    return os.environ.get("GOLDEN_STUDY") or DEFAULT_STUDY


class StudyResource(dg.ConfigurableResource[Any]):
    """The study of a run: a name from data/studies or a path, and settings to override."""

    study: str = Field(default_factory=study_from_environment, description="name or path of the study")
    overrides: dict[str, Any] = Field(
        default={},
        description='settings to change, such as {"training.epochs": 2}; text is read as YAML, as on the command line',
    )
    pinned: str = Field(default="", description="the study itself as JSON, whatever has become of its file since")

    def load(self) -> Study:
        """Return the validated study.

        Raises
        ------
        dagster.Failure
            With every fault of the study, one per line; or if the record of what is made and checked is another's.
        """
        if self.pinned:
            return Study.model_validate_json(self.pinned)
        try:
            study = load_variant(self.study, self.settings)
            # What a run makes and checks stands in the web UI as this one's.
            shown = os.environ.get("GOLDEN_STUDY")
            if shown and study.name != (name := load_study(shown).name):
                makes = run_command(self.study, self.settings)
                said = f"this is the record of study {name!r}, and this run is of another: `{makes}` makes it"
                raise dg.Failure(said, allow_retries=False)
            claim_name(self.home, study, self.study, self.settings)
            return study
        except StudyError as error:
            raise dg.Failure(f"the study {self.study!r} is not valid:\n{error}", allow_retries=False) from None

    @property
    def settings(self) -> list[str]:
        """The overrides as the command line takes them: ``training.epochs=2``."""
        # Dagster's configuration cannot hold a null inside a mapping, but the text "null" can stand for one.
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in self.overrides.items()}
        return [f"{key}={text}" for key, text in texts.items()]

    @property
    def home(self) -> Home:
        """Where generated files live (GOLDEN_HOME)."""
        return Home.from_environment()


class LegacyResource(dg.ConfigurableResource[Any]):
    """Where the legacy tree lies, for a user who has it."""

    tree: str = Field(
        default_factory=lambda: os.environ.get("GOLDEN_LEGACY_TREE", ""),
        description="folder that holds v_01 … v_10; empty to work from the frozen facts",
    )

    bars: str = Field(
        default_factory=lambda: os.environ.get("GOLDEN_LEGACY_BARS", ""),
        description="file of hourly EURUSD bid bars that end with the published window; empty for none",
    )
    earlier: str = Field(
        default_factory=lambda: os.environ.get("GOLDEN_LEGACY_EARLIER", ""),
        description="file with older bars, for training only; empty for none",
    )
    overrides: list[str] = Field(default=[], description='settings of the study legacy to change, "training.epochs=12"')
    experiments: list[str] = Field(default=[], description="runs with one thing changed, ID:CATEGORY:KEY=VALUE")
    parity: str = Field(
        default_factory=lambda: os.environ.get("GOLDEN_LEGACY_PARITY", ""),
        description="folder of Keras checkpoints and what Keras computed with them; empty for none",
    )

    def inventory(self) -> "Inventory":
        """Return the inventory of the tree, or the frozen one where there is none."""
        from golden_core.legacy.frozen import frozen_inventory
        from golden_core.legacy.scanning import scan_tree

        return scan_tree(self.path) if self.path else frozen_inventory()

    @property
    def path(self) -> Path | None:
        """The tree's folder, if there is one."""
        return Path(self.tree) if self.tree else None

    @property
    def request(self) -> "Request | None":
        """The alignment that is asked for, if there are bars."""
        earlier = Path(self.earlier) if self.earlier else None
        return alignment(Path(self.bars), earlier, self.overrides, self.experiments) if self.bars else None

    @property
    def given(self) -> "Given":
        """Everything of the user's that milestones can be made from."""
        from golden_core.milestones.makers import Given

        parity = Path(self.parity) if self.parity else None
        return Given(tree=self.path, request=self.request, parity=parity, workers=available_cores())


def alignment(bars: Path, earlier: Path | None, overrides: Sequence[str], experiments: Sequence[str]) -> "Request":
    """Return what is asked for in the words of the command line."""
    from golden_core.legacy.reproduction.running import Plan, Request

    return Request(bars, earlier, tuple(overrides), experiments=tuple(map(Plan.parse, experiments)))


class WorkersResource(dg.ConfigurableResource[Any]):
    """How trials run side by side inside one asset."""

    backend: Literal["sequential", "loky", "dask", "cohort"] = Field(
        default="loky",
        description="of trials: one after the other, processes of this machine or a Dask scheduler's, or in cohorts",
    )
    workers: int = Field(default=0, ge=0, le=1024, description="processes of this machine; 0 means one per core")

    @property
    def local(self) -> Literal["sequential", "loky"]:
        """The backend of what is no trial: probing costs little and stays on this machine."""
        return "sequential" if self.backend == "sequential" else "loky"

    @property
    def count(self) -> int:
        """Number of processes."""
        return self.workers or available_cores()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the processes: idle, they would keep that of a run which the web UI has launched for five minutes more.

        A campaign keeps them warm from stage to stage, and ends them itself.
        """
        if context.run is None or context.run.tags.get(PROCESS_TAG) != process_tag():
            stop_workers()


def available_cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@dataclass(frozen=True)
class Watcher:
    """Whoever wants to know of every finished trial: the progress bar of ``golden run``, or nobody."""

    on_outcome: Callable[[Outcome], None] = lambda _outcome: None
    on_note: Callable[[str, bool], None] = lambda _text, _lasting: None  # of cohorts; and whether to keep it in sight
