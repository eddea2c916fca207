"""What a check is: a claim about an asset, with the function that decides it. Which checks there are is not here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from golden_core.store.lake import Home
from golden_core.study import Study

Severity = Literal["error", "warn"]


@dataclass(frozen=True, eq=False)
class Examined:
    """What a check found: one sentence per violation, each naming what, where and what was expected."""

    findings: Sequence[str]
    examined: int  # how many things were looked at
    unit: str | None = None  # what was counted, where it is not what the check usually counts
    severity: Severity | None = None  # of a failure, where it is not the check's
    coverage: pl.DataFrame | None = None  # what a probe compared
    refused: Sequence[str] = ()  # runs that the pipeline itself refused: nothing was compared there

    def faults(self, unit: str) -> list[str]:
        """Return what speaks against the claim: who examined nothing has shown nothing."""
        nothing = f"no {self.unit or unit} to examine: the claim cannot be checked"
        return list(self.findings) or ([nothing] if self.examined == 0 else [])


@dataclass(frozen=True)
class Check:
    """A claim about an asset that can fail."""

    asset: str  # "folds", "models/v08"
    name: str  # the claim in a few words
    says: str  # the claim in a sentence
    unit: str  # what is counted: "bars", "trials"
    decide: Callable[[Home, Study], Examined]
    severity: Severity = "error"
    blocking: bool = False  # nothing may be built on the asset when it fails
    cheap: bool = True  # costs little enough for whoever builds on the asset to repeat it

    def faults(self, home: Home, study: Study) -> list[str]:
        """Decide, and return what speaks against the claim."""
        return self.against(self.decide(home, study))

    def against(self, found: Examined) -> list[str]:
        """Return what speaks against the claim in what was found; a warning is no fault."""
        return found.faults(self.unit) if (found.severity or self.severity) == "error" else []
