"""`golden reproduce`: trials trained again and compared byte by byte, and the reproducibility checklist."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Overrides, StudyName, coloured, opened, table, terminal

if TYPE_CHECKING:
    from golden_core.trials.checklist import Answer

COLOURS = {"passed": "green", "failed": "red", "unmeasured": "yellow"}


def reproduce(
    study: StudyName = "smoke",
    overrides: Overrides = [],
    trials: Annotated[int, typer.Option(min=1, help="How many trials are trained again, drawn by a named seed.")] = 2,
    check: Annotated[bool, typer.Option("--check", help="Also go through the reproducibility checklist.")] = False,
) -> None:
    """Set every random generator, train some trials of a study again and compare their bytes.

    Compared with the lake where this kind of machine has run the study, else trained twice in a temporary home; nothing
    of the study is written. Exit status 0 when all bytes agree and no line of the list failed, 1 when not, 2 on bad
    usage.
    """
    from golden_core.store.kernels import require
    from golden_core.trials.reproduction import reproduce_sample

    console, (loaded, home) = terminal(), opened(study, overrides)
    require(loaded.training.kernels)
    sample = reproduce_sample(home, loaded, trials)
    against = "the lake" if sample.stored else "a first training in a temporary home"
    console.print(f"Study {loaded.name}, trained again and compared with {against}")
    rows = [(x.trial, coloured("the same", "green") if x.identical else coloured(x.said, "red")) for x in sample.trials]
    console.print(table(("trial", "bytes"), rows))
    for where, count in Counter(sample.elsewhere).items():
        console.print(f"left out: {count} finished trials of {where}; bytes are promised on one kind of machine")
    answered: list[Answer] = []
    if check:
        from golden_core.trials.checklist import answers

        answered = answers(loaded, sample)
        listed = [(one.claim, coloured(one.verdict, COLOURS[one.verdict]), one.seen) for one in answered]
        shown = table(("claim", "verdict", "seen"), listed, title="Reproducibility checklist")
        shown.show_lines = True
        console.print(shown)
    failed = [one.name for one in answered if one.verdict == "failed"]
    held = sample.identical and not failed
    same = sum(one.identical for one in sample.trials)
    said = f"{same} of {len(sample.trials)} trials gave the same bytes"
    unmeasured = sum(one.verdict == "unmeasured" for one in answered)
    lines = f"; {len(answered)} lines, {len(failed)} failed, {unmeasured} unmeasured" if check else ""
    console.print(f"{'reproduced' if held else 'NOT REPRODUCED'}: {said}{lines}")
    raise typer.Exit(0 if held else 1)
