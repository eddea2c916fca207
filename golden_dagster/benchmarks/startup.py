"""How long a person or a daemon waits for Python: new processes, each timed from its start to its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from golden_core.benchmarking.cold import start
from golden_core.benchmarking.forecasters import Effort
from golden_core.benchmarking.measurement import Measurement, waited
from golden_core.benchmarking.platform import measure_each

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
    calls = {name: (1, partial(start, [sys.executable, *arguments], "a process")) for name, arguments in asked.items()}
    return [waited(one) for one in measure_each("process", calls, effort, note)]
