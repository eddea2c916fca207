"""The register of risks as a table: the frozen facts, and what every probe found. No probe is written here."""

from __future__ import annotations

import inspect

from golden_core.legacy.forensics.probes import data, fitting, judging
from golden_core.legacy.forensics.probes.result import STREAM, Probe
from golden_core.legacy.risks import LEAKAGE_CLASSES, Risk, read_risks, write_csv

PROBES: dict[str, Probe] = {
    name: probe
    for module in (data, fitting, judging)
    for name, probe in inspect.getmembers(module, inspect.isfunction)
    if probe.__module__ == module.__name__ and not name.startswith("_")
}
_HEADER = (
    *("risk", "title", "variants", "place", "status", "class", "class_name", "severity", "evidence", "consequence"),
    *("mitigation", "probe", "threshold", "value_legacy", "value_alternative", "shown", "finding"),
)


def leakage_register_csv() -> str:
    """Return the register as CSV, one row per risk, with the result of running its probe in both practices.

    ``value_legacy`` is what the legacy practice shows, ``value_alternative`` what the remedy leaves of it or, for a
    row whose status is ``sound``, what the avoided mistake would show. A risk is there above ``threshold``.

    References
    ----------
    Kapoor & Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4(9).
    """
    return write_csv(_HEADER, (_row(risk) for risk in read_risks()))


def _row(risk: Risk) -> tuple[str, ...]:
    probe = PROBES[risk.probe]
    legacy, alternative = probe("legacy", STREAM), probe("alternative", STREAM)
    return (
        risk.id,
        risk.title,
        " ".join(risk.variants),
        risk.place,
        risk.status,
        risk.leakage,
        LEAKAGE_CLASSES[risk.leakage],
        risk.severity,
        "; ".join(risk.evidence),
        risk.consequence,
        risk.mitigation,
        risk.probe,
        f"{legacy.threshold:.3g}",
        f"{legacy.value:.3g}",
        f"{alternative.value:.3g}",
        "yes" if legacy.shown else "no",
        legacy.sentence,
    )
