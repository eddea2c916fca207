"""`golden report verify` on a finished campaign: nothing differs, or a place is named, or there is no report."""

import html
import shlex
from functools import partial

import numpy as np
from support.campaigns import SETTINGS
from support.commands import golden

from golden_core.benchmarking import platform
from golden_core.benchmarking.measurement import Condition, Measurement, timed
from golden_core.benchmarking.records import file_run
from golden_core.benchmarking.sampling import Sample
from golden_core.store.warehouse import Warehouse

verified = partial(golden, "report", "verify", "smoke", *SETTINGS)


def test_a_page_of_a_campaign_is_verified_and_a_typed_number_named(finished, tmp_path):
    honest = verified()
    assert (honest.exit_code, "as the warehouse says" in honest.output) == (0, True), honest.output
    page = tmp_path / "sent.html"
    text = (finished.report("smoke") / "index.html").read_text(encoding="utf-8")
    own = shlex.split(html.unescape(text[: text.index("</code>.</p>\n</footer>")].rpartition("<code>golden ")[2]))
    assert own[:3] == ["report", "verify", "smoke"]  # with the settings of this home, as the foot of the page says
    assert golden(*own).output == honest.output
    page.write_text(text.replace("2 pairs", "3 \x1b[2Jpairs", 1), encoding="utf-8")  # clears a screen
    typed = verified("--page", str(page))
    assert typed.exit_code == 1
    assert "facts" in typed.output
    assert "1 difference" in typed.output
    assert "3 \\x1b[2Jpairs" in typed.output
    assert "\x1b" not in typed.output


def test_without_a_report_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    found = verified()
    assert found.exit_code == 2
    assert "written.json: No such file or directory; run: golden run smoke --set name=smoke --set " in found.output
    lost = verified("--page", str(tmp_path / "lost.html"))  # which no run would write
    assert (lost.exit_code, "golden run" in lost.output) == (2, False)


def test_what_was_timed_is_in_a_report_that_is_made_again_with_a_new_warehouse(broken, monkeypatch):
    sample = Sample(np.linspace(1e-3, 2e-3, 100), 20, steady=True)
    file_run(broken, "inference", "smoke", [Measurement("ar", "single", "window", Condition(batch=1), sample)])
    broken.warehouse.unlink()
    again = golden("run", "smoke", *SETTINGS)
    assert again.exit_code == 0, again.output
    assert Warehouse(broken.warehouse).query("SELECT subject FROM benchmarks")["subject"].to_list() == ["ar"]
    assert (broken.report("smoke") / "benchmarks.html").exists()
    honest = verified()
    assert (honest.exit_code, "as the warehouse says" in honest.output) == (0, True), honest.output

    # What is timed of the machine alone is listed by every report of the home, those written before too.
    monkeypatch.setattr(platform, "statistics_parts", lambda *_: [timed("sum", "part", "row", [0.1], 10)])
    result = golden("bench", "statistics", "--seconds", "0", "--samples", "1")
    assert "reports that list it, written again: smoke" in " ".join(result.output.split())
    assert ",sum,part," in (broken.report("smoke") / "benchmarks.csv").read_text()
    honest = verified()
    assert (honest.exit_code, "as the warehouse says" in honest.output) == (0, True), honest.output
