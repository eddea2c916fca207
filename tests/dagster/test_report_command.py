"""`golden report verify` on a finished campaign: nothing differs, or a place is named, or there is no report."""

import pytest
from support.campaigns import OVERRIDES
from typer.testing import CliRunner

from golden_dagster.cli.application import app

SETTINGS = [part for override in OVERRIDES for part in ("--set", override)]


@pytest.fixture
def verified():
    return lambda *arguments: CliRunner().invoke(app, ["report", "verify", "smoke", *SETTINGS, *arguments])


def test_a_page_of_a_campaign_is_verified_and_a_typed_number_named(finished, tmp_path, verified):
    honest = verified()
    assert (honest.exit_code, "as the warehouse says" in honest.output) == (0, True), honest.output
    page = tmp_path / "sent.html"
    text = (finished.report("smoke") / "index.html").read_text(encoding="utf-8")
    page.write_text(text.replace("2 pairs", "3 pairs", 1), encoding="utf-8")
    typed = verified("--page", str(page))
    assert typed.exit_code == 1
    assert "facts" in typed.output
    assert "1 difference" in typed.output


def test_without_a_report_the_remedy_is_said(tmp_path, monkeypatch, verified):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    found = verified()
    assert found.exit_code == 2
    assert "`golden run STUDY` writes the report" in found.output
