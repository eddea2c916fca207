"""The command line, called within the process of a test."""

from typer.testing import CliRunner

from golden_dagster.cli.application import app


def golden(*arguments, **options):
    """Call `golden`; options are those of click's runner, such as ``env`` and ``input``."""
    return CliRunner().invoke(app, [*map(str, arguments)], **options)


def said(result):
    """Return what a command printed without frames and line ends."""
    return " ".join(result.output.replace("│", " ").split())
