"""`golden clean`: what a study has left behind, and its deletion when told."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, named, table, teaching, terminal


def clean(
    study: StudyName = "demo",
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is listed; without it nothing is touched.")] = False,
) -> None:
    """List trials that the study no longer asks for (other settings, data or code since then), and delete them if told.

    Current trials, tables, reports and other studies are left alone. What was deleted can only be trained again.
    """
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.store.lake import Home
        from golden_core.store.locking import only_one
        from golden_core.trials.superseded import delete, superseded_trials

        console, home = terminal(), Home.from_environment()
        loaded = load_variant(study, named(overrides, name))
        with only_one(home.study(loaded.name).root / "lock.json", f"study {loaded.name}", wait=False):
            found = superseded_trials(home, loaded)
            rows = ((one.forecaster, one.series, one.path.stem, f"{one.size / 1e6:.1f}") for one in found)
            total = sum(one.size for one in found) / 1e6
            if found:
                console.print(table(("forecaster", "series", "fingerprint", "MB"), rows))
            if yes:
                for one in found:
                    delete(one)
        done = "deleted" if yes else "to delete with --yes"
        console.print(f"{len(found)} superseded trials of study {loaded.name}, {total:.1f} MB {done}", highlight=False)
