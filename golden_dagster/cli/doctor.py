"""`golden doctor`: whether machine, installation and home are well, and what to do where they are not."""

from __future__ import annotations

import typer

from golden_dagster.cli.options import table, teaching, terminal

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor() -> None:
    """Look at Python, packages, threads, home, disk, clock, lake, warehouse, locks and runs; change nothing.

    Exit status 1 when something fails; a warning does not.
    """
    with teaching():
        from rich.markup import escape

        from golden_core.store.lake import Home
        from golden_dagster.doctor import examine

        found = list(examine(Home.from_environment()))
        rows = ((one.subject, f"[{COLOURS[one.level]}]{one.level}[/]", escape(one.said)) for one in found)
        terminal().print(table(("what", "state", "found"), rows))
        raise typer.Exit(any(one.level == "fail" for one in found))
