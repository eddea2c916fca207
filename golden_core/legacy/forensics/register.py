"""The register of risks as a table: the frozen facts, and what every probe found. No probe is written here."""

from __future__ import annotations

import inspect

import polars as pl

from golden_core.legacy.forensics.probes import data, fitting, judging
from golden_core.legacy.forensics.probes.result import STREAM, Probe
from golden_core.legacy.risks import LEAKAGE_CLASSES, Risk, read_risks

PROBES: dict[str, Probe] = {
    name: probe
    for module in (data, fitting, judging)
    for name, probe in inspect.getmembers(module, inspect.isfunction)
    if probe.__module__ == module.__name__ and not name.startswith("_")
}


def leakage_register_csv() -> str:
    """Return the register as CSV, one row per risk, with the result of running its probe in both practices.

    ``value_legacy`` is what the legacy practice shows, ``value_alternative`` what the remedy leaves of it or, for a
    row whose status is ``sound``, what the avoided mistake would show. A risk is there above ``threshold``.

    References
    ----------
    Kapoor & Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4(9).
    """
    return pl.DataFrame([_row(risk) for risk in read_risks()]).write_csv()


def _row(risk: Risk) -> dict[str, str]:
    probe = PROBES[risk.probe]
    legacy, alternative = probe("legacy", STREAM), probe("alternative", STREAM)
    return {
        "risk": risk.id,
        "title": risk.title,
        "variants": " ".join(risk.variants),
        "place": risk.place,
        "status": risk.status,
        "class": risk.leakage,
        "class_name": LEAKAGE_CLASSES[risk.leakage],
        "severity": risk.severity,
        "evidence": "; ".join(risk.evidence),
        "consequence": risk.consequence,
        "mitigation": risk.mitigation,
        "probe": risk.probe,
        "threshold": f"{legacy.threshold:.3g}",
        "value_legacy": f"{legacy.value:.3g}",
        "value_alternative": f"{alternative.value:.3g}",
        "shown": "yes" if legacy.shown else "no",
        "finding": legacy.sentence,
    }
