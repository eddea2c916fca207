"""`golden ui`: the Dagster web UI and its daemon, on this machine only unless told otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.options import teaching


def ui(
    study: Annotated[str, typer.Option(help="Study whose partitions are shown.")] = "demo",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster web UI with the study's assets, schedules and sensors. Ctrl-C ends it, and so does SIGTERM."""
    with teaching():
        import os
        import socket
        import sys
        from pathlib import Path

        from golden_core.preparation.catalogue import claim_name, load_study, study_path
        from golden_core.store.lake import Home
        from golden_dagster.dead_runs import end_dead_runs
        from golden_dagster.instance import instance_folder, study_instance
        from golden_dagster.interruption import run_until_told

        loaded, home = load_study(study), Home.from_environment()
        claim_name(home, loaded, study, [])
        try:
            # Dagster would start everything first, and then look for another port.
            socket.create_server((host, port)).close()
        except OSError as error:
            raise typer.BadParameter(f"cannot listen on {host}:{port}: {error.strerror}; name another --port") from None
        # Opening makes the storage: processes that start at once on an empty one collide.
        with study_instance(home, loaded.name, say=typer.echo) as instance:
            for ended in end_dead_runs(instance):
                typer.echo(ended)
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(instance_folder(home, loaded.name)),
            "GOLDEN_HOME": os.environ.get("GOLDEN_HOME", ""),
            "GOLDEN_STUDY": str(study_path(study).resolve()),
        }
        dagster = Path(sys.executable).with_name("dagster")
        command = [str(dagster), "dev", "-m", "golden_dagster.definitions", "-h", host, "-p", str(port)]
        typer.echo(f"Dagster on http://{host}:{port} for study {loaded.name}; Ctrl-C ends it")
        raise typer.Exit(run_until_told(command, environment))
