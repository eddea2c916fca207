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
    """What a check found.

    Parameters
    ----------
    findings : sequence of str
        One sentence per violation, each naming what, where and what was expected.
    examined : int
        How many things were looked at.
    unit : str, optional
        What was counted, where it is not what the check usually counts.
    severity : {"error", "warn"}, optional
        Severity of a failure, where it is not the check's.
    coverage : DataFrame, optional
        What a probe compared, row by row.
    refused : sequence of str
        Runs that the pipeline itself refused: nothing was compared there.
    """

    findings: Sequence[str]
    examined: int
    unit: str | None = None
    severity: Severity | None = None
    coverage: pl.DataFrame | None = None
    refused: Sequence[str] = ()

    def faults(self, unit: str) -> list[str]:
        """Return what speaks against the claim: who examined nothing has shown nothing."""
        nothing = f"no {self.unit or unit} to examine: the claim cannot be checked"
        return list(self.findings) or ([nothing] if self.examined == 0 else [])


@dataclass(frozen=True)
class Check:
    """A claim that can fail.

    Parameters
    ----------
    asset : str
        Asset it is about: ``folds``, ``models/v08``.
    name : str
        The claim in a few words.
    says : str
        The claim in a sentence.
    unit : str
        What is counted: ``bars``, ``trials``.
    decide : callable
        From a home and a study to what was found.
    severity : {"error", "warn"}
        Severity of a failure.
    blocking : bool
        Whether nothing may be built on the asset when it fails.
    cheap : bool
        Whether it costs little enough for whoever builds on the asset to repeat it.
    """

    asset: str
    name: str
    says: str
    unit: str
    decide: Callable[[Home, Study], Examined]
    severity: Severity = "error"
    blocking: bool = False
    cheap: bool = True

    def faults(self, home: Home, study: Study) -> list[str]:
        """Decide, and return what speaks against the claim; a warning is no fault."""
        found = self.decide(home, study)
        return found.faults(self.unit) if (found.severity or self.severity) == "error" else []
