"""`golden doctor`: whether machine, installation and home are well, and what to do where they are not."""

from __future__ import annotations

import typer

from golden_dagster.cli.options import coloured, table, teaching, terminal

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor() -> None:
    """Look at Python, packages, threads, home, disk, clock, lake, warehouse, locks and runs; change nothing.

    Exit status 1 when something fails; a warning does not.
    """
    with teaching():
        from golden_core.store.lake import Home
        from golden_dagster.doctor import examine

        found = list(examine(Home.from_environment()))
        rows = ((one.subject, coloured(one.level, COLOURS[one.level]), one.said) for one in found)
        terminal().print(table(("what", "state", "found"), rows))
        raise typer.Exit(any(one.level == "fail" for one in found))
