"""What is made of the verdicts of a gate: whether it passes, its cause, its file and its table."""

from xml.etree import ElementTree

import pytest

from golden_dagster.cli.gate import _view
from golden_dagster.gate import CheckRow, GateResult, write_junit

SOUND = CheckRow("clean_bars", "prices", "passed", "12 bars examined", 1.5)
WARNED = CheckRow("models/ar", "written", "warned", "nobody looked")
FAILED = CheckRow("folds", "embargo", "failed", "two rows too near", 0.25)
SILENT = CheckRow("folds", "labels", "not run", "the check was not evaluated")
FOLLOWS = CheckRow("metrics", "finite", "failed", "no forecasts", follows=True)
LEGACY, LEGACY_FAILED = (CheckRow("legacy/forensics", name, name, "risks") for name in ("passed", "failed"))


@pytest.mark.parametrize(("rows", "failures", "passes", "cause"), [
    ([SOUND, WARNED], [], True, None),
    ([SOUND, WARNED], ["folds: broke"], False, "folds: broke"),
    ([SOUND, FAILED, SILENT], [], False, "folds: embargo: two rows too near"),
    ([SILENT, FAILED], [], False, "folds: labels: the check was not evaluated"),
    ([FOLLOWS, SILENT], [], False, "folds: labels: the check was not evaluated"),
    ([FOLLOWS], ["folds: broke", "metrics: too"], False, "folds: broke"),
])  # fmt: skip
def test_one_failure_or_silence_closes_the_gate_and_the_first_is_the_cause(rows, failures, passes, cause):
    result = GateResult(rows, failures)
    assert (result.passed, result.cause) == (passes, cause)


def test_the_file_has_a_case_per_check_and_per_failed_run(tmp_path):
    write_junit(GateResult([SOUND, WARNED, FAILED, SILENT, FOLLOWS], ["run folds: broke"]), "toy", tmp_path / "g.xml")
    suite = ElementTree.parse(tmp_path / "g.xml").getroot()
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["6", "2", "2"]
    assert [case.get("classname") for case in suite][:2] == ["clean_bars", "models.ar"]
    assert [case.get("time") for case in suite] == ["1.500", None, "0.250", None, None, None]
    assert [case.find("system-out") is not None for case in suite] == [False, True, *[False] * 4]
    said = [part.get("message") for case in suite for part in case if part.tag in ("failure", "error")]
    assert said == [FAILED.description, SILENT.description, "no forecasts; it follows from: run folds: broke",
                    "run folds: broke"]  # fmt: skip


def test_the_table_shows_the_study_and_of_the_others_what_closes_the_gate():
    result = GateResult([SOUND, FAILED, FOLLOWS, LEGACY, LEGACY_FAILED], [])
    shown = _view(result, "toy", everything=False)
    assert shown.row_count == 3
    assert shown.caption == (
        "3 checks: 1 passed, 2 failed, 0 warned, 0 not run; "
        "1 that are no study's, shown by --all: 1 passed, 0 failed, 0 warned, 0 not run"
    )
    whole = _view(result, "toy", everything=True)
    assert (whole.row_count, whole.caption) == (5, "5 checks: 2 passed, 3 failed, 0 warned, 0 not run")
