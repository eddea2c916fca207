"""How long a person or a daemon waits for Python: new processes, each timed from its start to its end."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable

from golden_core.benchmarking.cold import WAITS
from golden_core.benchmarking.energy import Meter
from golden_core.benchmarking.forecasters import Effort
from golden_core.benchmarking.measurement import Condition, Measurement, measure

HELP = "from golden_dagster.cli import main; main()"
LOADED = (
    "import sys\n"
    "from golden_core.preparation.catalogue import load_study\n"
    "from golden_dagster.definitions import definitions_for\n"
    "definitions_for(load_study(sys.argv[1])).get_repository_def()"
)


def starts(study: str, effort: Effort, note: Callable[[str], None]) -> list[Measurement]:
    """Measure Python alone, the import of the library, ``golden --help`` and the definitions of a study.

    Raises
    ------
    RuntimeError
        If a process fails, with the last line of what it said.
    """
    asked = {
        "python alone": ["-c", "pass"],
        "import golden_core": ["-c", "import golden_core"],
        "golden --help": ["-c", HELP, "--help"],
        f"definitions of {study}": ["-c", LOADED, study],
    }
    meter, found, once = Meter.on("cpu"), [], Condition(precision="float64", threads=1, batch=1)
    for name, arguments in asked.items():
        note(f"{name} …")
        one = measure(
            name, "process", _ended(arguments), once, seconds=effort.seconds, fewest=effort.samples, meter=meter
        )
        found.append(dataclasses.replace(one, memory_mb=None, missing=(*one.missing, WAITS)))
    return found


def _ended(arguments: list[str]) -> Callable[[], None]:
    def call() -> None:
        done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise RuntimeError(f"a process ended with exit status {done.returncode}: {said[-1]}")

    return call
