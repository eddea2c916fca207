"""Probes, by name: functions that show a risk on data, and that its remedy removes it. The register names each."""

import inspect

from golden_core.legacy.forensics.probes import data, fitting, judging
from golden_core.legacy.forensics.probes.result import Probe

PROBES: dict[str, Probe] = {
    name: probe
    for module in (data, fitting, judging)
    for name, probe in inspect.getmembers(module, inspect.isfunction)
    if probe.__module__ == module.__name__ and not name.startswith("_")
}
