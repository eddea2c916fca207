"""The fresh process in which trials are trained again: started as a module, with its request on standard input."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from golden_core.store.lake import Home, write_json
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials.cohorts import run_again
from golden_core.trials.generators import seed_everything, states
from golden_core.trials.identity import Trial
from golden_core.trials.reproduction import FOUND


def main() -> None:
    """Train the trials of a request, each into a folder of its own, and write what was found in the process.

    ``apart``: each in a fork of this process, which has imported everything and trained nothing. What a forecaster
    keeps in its module then cannot flow from one trial to the next, and torch is imported once.
    """
    request = json.loads(sys.stdin.read())
    jobs = [(number, Trial(*fields)) for number, fields in enumerate(request["trials"])]
    if not request["apart"]:
        _train(request, jobs)
        return
    forks = multiprocessing.get_context("fork")
    for job in jobs:
        child = forks.Process(target=_train, args=(request, [job]))
        child.start()
        child.join()
        if child.exitcode:
            sys.exit(1)  # the child has said why


def _train(request: dict[str, Any], jobs: Sequence[tuple[int, Trial]]) -> None:
    study = Study.model_validate_json(json.dumps(request["study"]))
    home, into = Home(*(Path(path) for path in request["home"])), Path(request["into"])
    # Another number for every process: what draws from a global generator then differs, and does not repeat by luck.
    seed_everything(Stream(study.seeds.root).child("reproduction", request["run"]))
    before, settings = states(), set[tuple[bool, int]]()
    # Looked at whenever a network computes: what is set before or after training shows nothing.
    watch = register_module_forward_pre_hook(
        lambda _module, _args: settings.add((torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()))
    )
    for number, trial in jobs:
        run_again(home, study, trial, into / str(number))
    watch.remove()
    moved = [name for name, state in states().items() if state != before[name]]
    write_json({"moved": moved, "torch": sorted(settings)}, into / FOUND)


if __name__ == "__main__":
    main()
