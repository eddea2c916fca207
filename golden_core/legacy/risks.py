"""The risks of data/legacy/risks.yaml: what each is, where it occurs, how bad it is. No probe is known here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from golden_core.legacy.frozen import FACTS
from golden_core.legacy.listed import Entry, read_list

LeakageClass = Literal["L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2", "L3.3", "none"]
Status = Literal["occurs", "possible", "sound"]
Severity = Literal["critical", "high", "medium", "low", "none"]

# The taxonomy of Kapoor & Narayanan (2023), Patterns 4(9).
LEAKAGE_CLASSES: dict[LeakageClass, str] = {
    "L1.1": "no test set",
    "L1.2": "pre-processing on training and test set",
    "L1.3": "feature selection on training and test set",
    "L1.4": "duplicates in data sets",
    "L2": "features that are not legitimate",
    "L3.1": "temporal leakage",
    "L3.2": "training and test samples not independent",
    "L3.3": "sampling bias in the test distribution",
    "none": "not leakage",
}


class Risk(Entry):
    """One row of the register, before any probe has run.

    ``occurs``: the code does it. ``possible``: nothing prevents it, and whether it happened depends on a file or a
    machine that is not known. ``sound``: looked for and not found; the probe tells this from the unsound practice.
    """

    title: str = Field(min_length=1, max_length=62, description="fits one line of a picture's legend")
    place: str = Field(description="node of the data flow where it occurs")
    variants: tuple[str, ...] = Field(min_length=1)
    status: Status
    leakage: LeakageClass
    severity: Severity
    evidence: tuple[str, ...] = Field(min_length=1)
    consequence: str = Field(min_length=1)
    mitigation: str = Field(min_length=1)
    probe: str = Field(min_length=1, description="name of a probe")

    @property
    def number(self) -> int:
        """The number on the badge."""
        return int(self.id[1:])


def read_risks(folder: Path = FACTS) -> tuple[Risk, ...]:
    """Return the risks R01, R02, … of risks.yaml; a ``FactsError`` if the file is not a list of them."""
    return read_list(folder / "risks.yaml", Risk, "R")
