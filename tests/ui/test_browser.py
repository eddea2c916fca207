"""What a person sees in a real browser: the pages of a report, and a study in the web UI of Dagster."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

import dagster as dg
import pytest
from ruamel.yaml import YAML
from support.campaigns import OVERRIDES, home_at

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home
from golden_dagster.campaign import open_campaign
from golden_dagster.instance import study_instance

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WAIT = 120_000  # ms; a busy machine is no failure
NIGHT = 1800  # s; the sensor asks once a minute, for a layer at a time

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@pytest.fixture
def browser():
    """Start after a campaign has run, not before: it keeps an event loop in this thread, and so does Dagster."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `browser`")
    with playwright.sync_playwright() as started:
        # Chromium's own sandbox does not start as root, as in a container; the pages are ours.
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser):
    """Open pages of a width; ``errors`` are what their consoles say."""
    errors, pages = [], []

    def page(width):
        made = browser.new_page(viewport={"width": width, "height": 900})
        made.set_default_timeout(WAIT)
        made.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        made.on("pageerror", lambda error: errors.append(str(error)))
        pages.append(made)
        return made

    page.errors = errors
    yield page
    for made in pages:
        made.close()


def test_the_report_on_a_screen_on_a_phone_and_on_paper(finished, tmp_path, opened):
    address = (finished.report("smoke") / "index.html").as_uri()
    for width in (1280, 390):
        page = opened(width)
        page.goto(address)
        wide, seen, tall = page.evaluate(
            "[document.documentElement.scrollWidth, innerWidth, document.documentElement.scrollHeight]"
        )
        assert wide <= seen == width  # tables scroll inside their frames, the page does not
        assert tall > 2000
        # A heading stands above its column: both begin at the left, or both end at the right.
        begin = "e => getComputedStyle(e).textAlign"
        assert page.locator("#checks thead th.text").first.evaluate(begin) == "left"
        assert page.locator("#checks tbody td.text").first.evaluate(begin) == "left"
        assert page.locator("#checks tbody tr").count() > 20
        assert page.locator("#curves .panel svg").count() == 1
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1010, "height": 690})  # what A4 leaves between its margins
    assert not page.locator("nav").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 1010  # no table is cut off
    assert opened.errors == []


@pytest.fixture
def served(_finished, tmp_path):
    """The address of `golden ui` over a copy of the finished campaign in which one forecast file was cut off."""
    home, study = tmp_path / "home", tmp_path / "study.yaml"
    shutil.copytree(_finished, home)
    with home_at(home):
        small = load_variant("smoke", OVERRIDES)
        with study.open("w", encoding="utf-8") as stream:
            YAML().dump(small.model_dump(mode="json"), stream)
        Home.from_environment().study("smoke").origin.unlink()  # the same study, from a file of its own now
        damaged = next(Home.from_environment().study("smoke").root.glob("trials/ar/*/*/forecasts.parquet"))
        damaged.write_bytes(damaged.read_bytes()[:-100])
        with open_campaign(str(study)) as campaign:
            files = dg.AssetCheckKey(dg.AssetKey(["models", "ar"]), "files_as_written")
            campaign.run_selection("gate", dg.AssetSelection.checks(files), {})
        with (
            study_instance(Home.from_environment(), "smoke") as instance,
            _web_ui(study, tmp_path / "ui.log") as address,
        ):
            yield address, instance


@contextmanager
def _web_ui(study, log):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = "from golden_dagster.cli import main; main()"
    arguments = [sys.executable, "-c", command, "ui", "--study", str(study), "--port", str(port)]
    with log.open("w") as stream:
        process = subprocess.Popen(arguments, stdout=stream, stderr=stream, start_new_session=True)
    try:
        yield _once_it_answers(f"http://127.0.0.1:{port}", process, log)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whoever is left of the group
        process.wait()


def _once_it_answers(address, process, log):
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return address
        except OSError:
            time.sleep(1)
    raise AssertionError(log.read_text())


def test_a_study_in_the_web_ui(served, opened):
    address, instance = served
    page = opened(1280)
    location = f"{address}/locations/golden_dagster.definitions"

    page.goto(f"{location}/asset-groups/data/lineage")
    for asset in ("ecb_rates", "clean_bars", "folds", "data_quality"):
        page.get_by_text(asset, exact=True).first.wait_for()

    page.goto(f"{address}/assets/models/dlinear?view=partitions&partition=s00%7CEURUSD_h1")
    page.get_by_text("Materialized (4)").wait_for()
    page.get_by_text("s01", exact=True).first.wait_for()
    row = page.get_by_role("row").filter(has_text="learning_curve")
    row.get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("img", name="Learning curve")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 300

    page.goto(f"{address}/assets/models/ar?view=checks")
    page.get_by_text("files_as_written").first.wait_for()
    page.get_by_text("Failed", exact=True).first.wait_for()

    page.goto(f"{location}/jobs/stage_models/runs")
    page.get_by_text("Success").first.wait_for()  # the campaign's own run, under its job
    (run,) = instance.get_runs(dg.RunsFilter(job_name="stage_bars"))
    page.goto(f"{address}/runs/{run.run_id}")
    page.get_by_role("button", name="Re-execute").first.click()
    page.wait_for_url(lambda url: "/runs/" in url and run.run_id not in url)
    again = page.url.rpartition("/")[2].partition("?")[0]
    page.get_by_text("Success", exact=True).first.wait_for()
    assert instance.get_run_by_id(again).parent_run_id == run.run_id

    _launch_backfill(page, f"{address}/assets/models/random_walk")
    (asked,) = instance.get_backfills()  # how one ends takes the daemon two of its half minutes: see the night below
    assert asked.asset_selection == [dg.AssetKey(["models", "random_walk"])]

    changed = dg.AssetMaterialization("ecb_rates", tags={"dagster/data_version": "of another day"})
    instance.report_runless_asset_event(changed)
    page.goto(f"{address}/assets/clean_bars?view=partitions&partition=EURUSD")  # what is stale is told by partition
    page.get_by_text("Unsynced").first.wait_for()


@pytest.mark.endurance
def test_the_first_night_of_an_empty_home_takes_one_switch(tmp_path, opened):
    home, study = tmp_path / "home", tmp_path / "study.yaml"
    with home_at(home):
        small = load_variant("smoke", [*OVERRIDES, "forecasters={random_walk: {}, drift: {}}"])
        with study.open("w", encoding="utf-8") as stream:
            YAML().dump(small.model_dump(mode="json"), stream)
        report = Home.from_environment().report(small.name) / "index.html"
        with _web_ui(study, tmp_path / "ui.log") as address:
            page = opened(1280)
            page.goto(f"{address}/locations/golden_dagster.definitions/sensors/keep_current")
            page.locator("label:has(input[type=checkbox])").click()  # the switch of its page
            until = time.monotonic() + NIGHT
            while not report.is_file():
                assert time.monotonic() < until, (tmp_path / "ui.log").read_text()[-5000:]
                time.sleep(5)
            page.goto(f"{address}/assets/models/drift?view=partitions")
            page.get_by_text("Materialized (4)").wait_for()
            _launch_backfill(page, f"{address}/assets/models/drift")
            page.goto(f"{address}/runs?view=backfills")
            page.get_by_text("Success", exact=True).first.wait_for()  # the backfill is the one thing on this page


def _launch_backfill(page, asset):
    """Ask on an asset's page for all its partitions anew."""
    page.goto(asset)
    page.get_by_role("button", name="Materialize").first.click()
    every = page.get_by_role("button", name="All", exact=True)  # seeds, series
    every.nth(1).wait_for()
    launch = page.get_by_role("button", name="Launch backfill")
    for _ in range(WAIT // 1000):  # on a busy machine the dialog has been seen to take none of them at first
        every.nth(0).click()
        every.nth(1).click()
        page.wait_for_timeout(1000)
        if launch.is_enabled():
            break
    launch.click()
    page.get_by_text("Created backfill").wait_for()
