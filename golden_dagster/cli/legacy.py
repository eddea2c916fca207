"""`golden legacy`: what the ten legacy experiments really did, and what their published tables can mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import teaching

app = typer.Typer(no_args_is_help=True, help="Inventory of a legacy tree; audit of published error tables.")

Folder = Annotated[Path | None, typer.Option("--out", help="Write the files into this folder instead of printing.")]


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of version folders, such as v_01 … v_10.")],
    out: Folder = None,
) -> None:
    """Take stock of a tree without importing or executing any of it, and compare it with the frozen checksums.

    Exit status 1 when a file differs from the frozen facts, is missing or is extra.
    """
    with teaching():
        from golden_core.legacy.frozen import frozen_checksums
        from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown, sha256sums
        from golden_core.legacy.scanning import scan_tree
        from golden_core.legacy.verification import verify_tree

        inventory = scan_tree(path)
        verification = verify_tree(inventory, frozen_checksums())
        if out is None:
            typer.echo(inventory_markdown(inventory))
        else:
            pages = {
                "legacy_inventory.md": inventory_markdown(inventory),
                "legacy_inventory.json": inventory_json(inventory),
                "checksums.csv": sha256sums(inventory),
            }
            out.mkdir(parents=True, exist_ok=True)
            for name, text in pages.items():
                (out / name).write_bytes(os.fsencode(text))
            typer.echo(f"wrote {', '.join(pages)} to {out}")
        typer.echo(verification.describe())
        raise typer.Exit(0 if verification.exact else 1)


@app.command("audit-table")
def audit_table_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="Names in the first row; MAE, MSE, RMSE, R² by name.")
    ],
    claims: Annotated[Path | None, typer.Option(help="CSV of claimed improvements to recompute.")] = None,
) -> None:
    """Check the identities that any published error table must satisfy, with rounding carried as intervals.

    Exit status 1 when something is certainly wrong; rows on different test sets and open readings are reported.
    """
    with teaching():
        from golden_core.legacy.audit import audit_markdown, audit_table, read_claims

        audit = audit_table(file, claims=read_claims(claims) if claims else ())
        typer.echo(audit_markdown(audit))
        raise typer.Exit(1 if audit.found("certainly_wrong") else 0)


@app.command()
def register(out: Folder = None) -> None:
    """Print the leakage register; every risk is shown on data by its probe."""
    with teaching():
        from golden_core.legacy.forensics.register import leakage_register_csv

        text = leakage_register_csv()
        if out is None:
            typer.echo(text, nl=False)
        else:
            out.mkdir(parents=True, exist_ok=True)
            (out / "leakage_register.csv").write_text(text, encoding="utf-8")
            typer.echo(f"wrote {out / 'leakage_register.csv'}")


@app.command("import")
def import_(
    variant: Annotated[str, typer.Argument(metavar="VARIANT", help="v01 … v10.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .keras, .weights.h5 or whole-model .h5 file.")],
    out: Annotated[Path, typer.Option(help="The safetensors file to write.")],
) -> None:
    """Turn a Keras checkpoint into weights that the forecaster of this project takes over."""
    with teaching():
        from golden_core.legacy.keras_checkpoint import import_checkpoint

        import_checkpoint(variant, file, out)
        typer.echo(f"wrote {out}")
