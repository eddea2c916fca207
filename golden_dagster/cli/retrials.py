"""`golden retrials`: published claims of skill, beside what the evidence of their retrials carries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import table, teaching, terminal


def retrials(
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write to; by default reports/retrials.")] = None,
) -> None:
    """Write what was claimed, what holds and which leak would do as retrials.csv and retrials.md.

    Their studies are run first: golden run retrial_puzzle_ends, retrial_puzzle_means and retrial_exformer.
    """
    with teaching():
        from golden_core.retrials.published import retrials as published
        from golden_core.retrials.table import retrials_page, retrials_table
        from golden_core.store.lake import Home, write_text

        home, console = Home.from_environment(), terminal()
        found = retrials_table(home, published())
        folder = to or home.reports / "retrials"
        write_text(found.write_csv(), folder / "retrials.csv")
        write_text(retrials_page(found), folder / "retrials.md")
        shown = found.filter(found["row"] != "court").select("retrial", "row", "closes", "forecaster", "n", "statistic")
        console.print(table(shown.columns, shown.iter_rows()))
        court = found.filter(found["row"] == "court")
        console.print(f"{court['holds'].sum()} of {court.height} claims asked about hold", highlight=False)
        console.print(f"written: {folder / 'retrials.csv'}", highlight=False, soft_wrap=True)
