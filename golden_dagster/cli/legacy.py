"""`golden legacy`: what the ten legacy experiments really did, and what their published tables can mean."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from golden_dagster.cli.options import Backend, Earlier, Experiments, Overrides, Workers, table, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from golden_core.legacy.reproduction.running import Validation

app = typer.Typer(no_args_is_help=True, help="The ten legacy experiments: inventory, audit, checkpoints, alignment.")

Folder = Annotated[Path | None, typer.Option("--out", help="Write the files into this folder instead of printing.")]


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of version folders, such as v_01 … v_10.")],
    out: Folder = None,
) -> None:
    """Take stock of a tree without importing or executing any of it, and compare it with the frozen checksums.

    Exit status 1 when a file differs from the frozen facts, is missing or is extra.
    """
    from golden_core.legacy.frozen import frozen_checksums, verify_tree
    from golden_core.legacy.inventory_pages import inventory_pages
    from golden_core.legacy.scanning import scan_tree

    inventory = scan_tree(path)
    verification = verify_tree(inventory, frozen_checksums())
    _give(inventory_pages(inventory), out)
    typer.echo(verification.describe())
    raise typer.Exit(0 if verification.exact else 1)


@app.command("audit-table")
def audit_table_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, TSV or Markdown; headings such as model, MAE, MSE, RMSE, R².")
    ],
    claims: Annotated[Path | None, typer.Option(help="CSV of claimed improvements to recompute.")] = None,
    column: Annotated[
        list[str], typer.Option(metavar="KEY=HEADING", help="Which column is mae, label, test_set, …; repeatable.")
    ] = [],
    averaging: Annotated[
        Literal["undeclared", "none", "seeds", "datasets"],
        typer.Option(help="What the paper says a row is: a single run, or a mean over seeds or over data sets."),
    ] = "undeclared",
    split: Annotated[
        list[str],
        typer.Option(metavar="[ROW=]TRAIN/VALIDATION/TEST", help="Split of one row, or of all others; repeatable."),
    ] = [],
    data_rows: Annotated[int, typer.Option(min=0, help="Rows of the data before splitting.")] = 0,
    lost_rows: Annotated[int, typer.Option(min=0, help="First test rows that are only looked back on.")] = 0,
    out: Folder = None,
) -> None:
    """Check the identities that any published error table must satisfy, with rounding carried as intervals.

    Exit status 1 when something is certainly wrong, a claimed percentage included; rows on different test sets and
    open readings are reported. The legacy paper's own table is recognised, and held against its own claims and the
    splits of its code.
    """
    from golden_core.legacy.audit.auditing import audit_markdown, audit_record, audit_table
    from golden_core.legacy.audit.claims import read_claims
    from golden_core.legacy.audit.layout import named_columns
    from golden_core.legacy.audit.splits import read_splits
    from golden_core.legacy.reproduction.published import is_published, published_audit

    if (data_rows or lost_rows) and not split:
        raise typer.BadParameter("--data-rows and --lost-rows are those of a --split, and none is given")
    if claims is None and not column and not split and averaging == "undeclared" and is_published(file):
        typer.echo("The legacy paper's table: with the claims and splits of data/legacy.\n", err=True)
        audit = published_audit()
    else:
        audit = audit_table(
            file,
            columns=named_columns(column),
            averaging=averaging,
            claims=read_claims(claims) if claims else (),
            splits=read_splits(split, n_rows=data_rows, lost_rows=lost_rows) if split else None,
        )
    record = json.dumps(audit_record(audit), indent=2, sort_keys=True, ensure_ascii=False)
    _give({"audit.md": audit_markdown(audit), "audit.json": f"{record}\n"}, out)
    wrong = audit.found("certainly_wrong") or any(ruling.arithmetic == "wrong" for ruling in audit.rulings)
    raise typer.Exit(1 if wrong else 0)


def _give(pages: dict[str, str], out: Path | None) -> None:
    """Print the first page, or write all of them into a folder."""
    if out is None:
        typer.echo(next(iter(pages.values())), nl=False)
        return
    from golden_core.store.lake import write_text

    for name, text in pages.items():
        write_text(text, out / name)
    typer.echo(f"wrote {', '.join(pages)} to {out}")


@app.command("import")
def import_(
    variant: Annotated[str, typer.Argument(metavar="VARIANT", help="v01 … v10.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .keras, .weights.h5 or whole-model .h5 file.")],
    out: Annotated[Path, typer.Option(help="The safetensors file to write.")],
) -> None:
    """Turn a Keras checkpoint into weights that the forecaster of this project takes over."""
    from golden_core.legacy.keras_checkpoint import import_checkpoint
    from golden_core.models.architecture import VARIANTS

    if variant not in VARIANTS:
        raise typer.BadParameter(f"{variant!r} is none of {VARIANTS[0]} … {VARIANTS[-1]}", param_hint="VARIANT")
    import_checkpoint(variant, file, out)
    typer.echo(f"wrote {out}")


@app.command()
def parity(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Keras checkpoints and what Keras computed.")],
) -> None:
    """Hold the ports against Keras' own outputs and training steps. Exit status 1 when a difference is too large."""
    from golden_core.legacy.parity import parity as compare

    found = compare(folder)
    names = "variant", "checkpoint", "record", "claim"
    rows = (
        (*(row[n] for n in names), f"{row['difference']:.1e}", f"{row['limit']:g}", "met" if row["met"] else "NOT met")
        for row in found.iter_rows(named=True)
    )
    terminal().print(table((*names, "largest difference", "limit", ""), rows))
    raise typer.Exit(0 if found["met"].all() else 1)


@app.command()
def align(
    bars: Annotated[Path, typer.Option("--bars", help="Hourly EURUSD bid bars that end with the published window.")],
    earlier: Earlier = None,
    overrides: Overrides = [],
    experiments: Experiments = [],
    backend: Backend = "loky",
    workers: Workers = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report and its tables; by default under Golden's home.")
    ] = None,
) -> None:
    """Run the ten variants on your bars and hold the published numbers against them, beside the random walk.

    With the settings of data/studies/legacy.yaml that is many hours on a processor. --set training.epochs=12 --set
    training.batch_size=1000 takes about as many steps in less than an hour on two cores; 12 epochs without smaller
    batches leave batch normalisation unsettled. Whatever departs from the legacy protocol is listed in the report. A
    stopped run goes on where it was. Exit status 1 when the published test window is not in the bars or a trial failed.
    """
    from golden_core.legacy.reproduction.pages import store_validation, what_follows
    from golden_core.legacy.reproduction.running import carry_out
    from golden_core.store.lake import Home
    from golden_dagster.resources import alignment, available_cores

    request, home = alignment(bars, earlier, overrides, experiments), Home.from_environment()
    done = itertools.count(1)
    with terminal().status("trials") as status:
        found = carry_out(
            home,
            request,
            backend=backend,
            workers=workers or available_cores(),
            on_outcome=lambda outcome: status.update(f"{next(done)} trials, the last {outcome.trial}"),
        )
    folder = out or home.root / "legacy" / "alignment"
    store_validation(found, folder)
    columns = ("study", "variant", "published RMSE", "ours", "± SD", "random walk", "verdict", "category")
    terminal().print(table(columns, _alignment_rows(found)))
    for sentence in what_follows(found.alignment):
        typer.echo(f"- {sentence}")
    for failure in (failures := [failure for run in found.runs for failure in run.failures]):
        typer.echo(f"failed {failure}", err=True)
    typer.echo(f"{found.window.verdict}\nreport: {folder / 'validation_report.md'}")
    raise typer.Exit(0 if found.window.recovered and not failures else 1)


def _alignment_rows(found: Validation) -> Iterator[tuple[str, ...]]:
    for row in found.alignment.table.iter_rows(named=True):
        if row["metric"] == "rmse":
            numbers = (row["published"], row["mean"], row["sd"], row["random_walk"])
            cells = ("—" if number is None else f"{number:.6f}" for number in numbers)
            yield row["study"], row["variant"], *cells, row["verdict"], row["category"] or "—"
