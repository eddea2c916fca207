"""The register of risks: every row holds, every probe is used, and the table says what the probes found."""

import csv
import functools
import io

import pytest

from golden_core.legacy import risks as register
from golden_core.legacy.flow.graph import data_flow
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes import PROBES
from golden_core.legacy.forensics.register import leakage_register_csv, read_register
from golden_core.legacy.risks import LEAKAGE_CLASSES, FactsError
from golden_core.models.architecture import VARIANTS

read_risks = functools.cache(register.read_risks)
_ROW = """
- id: {id}
  title: A title
  place: {place}
  variants: [{variant}]
  status: {status}
  leakage: none
  severity: low
  evidence: [v_08/Run.py]
  consequence: Something.
  mitigation: Something.
  probe: {probe}
"""
_GOOD = {"id": "R01", "place": "fit", "variant": "v08", "status": "occurs", "probe": "level_r2"}


def test_every_row_names_a_probe_that_exists_and_every_probe_has_one_row():
    assert sorted(risk.probe for risk in read_register()) == sorted(PROBES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probe": "no_such_probe"}, "R01 names the probe 'no_such_probe', which does not exist"),
        ({"place": "nowhere"}, "R01 occurs at 'nowhere', which is no node"),
        ({"variant": "v11"}, "R01 concerns 'v11', which is no variant"),
        ({"id": "R02"}, "entry 1 is called R02, expected R01"),
        ({"status": "perhaps"}, "entry 1.*status"),
    ],
)
def test_a_row_that_does_not_hold_is_refused(tmp_path, change, message):
    (tmp_path / "risks.yaml").write_text(_ROW.format(**_GOOD), encoding="utf-8")
    assert [risk.id for risk in read_register(tmp_path)] == ["R01"]
    (tmp_path / "risks.yaml").write_text(_ROW.format(**_GOOD | change), encoding="utf-8")
    with pytest.raises(FactsError, match=f"(?s)risks.yaml: {message}"):
        read_register(tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_place_is_a_node_of_the_flow(variant):
    graph = data_flow(read_facts(variant), read_risks())
    assert {risk.place for risk in graph.risks} <= {node.id for node in graph.nodes}


def test_what_is_sound_has_no_severity_and_what_is_not_has_one():
    for risk in read_risks():
        assert (risk.severity == "none") == (risk.status == "sound"), risk.id


def test_the_taxonomy_is_covered_but_for_feature_selection():
    """There is no selection of features to look at: the four columns were fixed."""
    assert {risk.leakage for risk in read_risks()} == set(LEAKAGE_CLASSES) - {"L1.3"}


def test_the_table_says_what_the_probes_found():
    rows = list(csv.DictReader(io.StringIO(leakage_register_csv())))
    risks = {risk.id: risk for risk in read_risks()}
    assert [row["risk"] for row in rows] == list(risks)
    for row in rows:
        risk = risks[row["risk"]]
        legacy, alternative = PROBES[risk.probe](), PROBES[risk.probe]("alternative")
        assert row["shown"] == ("yes" if legacy.shown else "no")
        assert float(row["value_legacy"]) == pytest.approx(legacy.value, rel=5e-3)
        assert float(row["value_alternative"]) == pytest.approx(alternative.value, rel=5e-3)
        assert row["class_name"] == LEAKAGE_CLASSES[risk.leakage]
        assert all(row[column] for column in row)
