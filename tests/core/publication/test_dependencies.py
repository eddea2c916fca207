"""The bill of materials has what CycloneDX 1.6 requires, and names every distribution that is needed once."""

import json
import re
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from golden_core.publication.declared import PublicationError
from golden_core.publication.dependencies import UNDECLARED, bill_of_materials, components, licences
from golden_core.publication.dependencies import _licence as licence_of


@pytest.fixture(scope="module")
def found():
    return components()


def test_every_pinned_version_is_the_listed_one(found):
    pins = dict(re.findall(r"^([\w.-]+)==([^\s+]+)", Path("constraints.txt").read_text(), re.MULTILINE))
    plain = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins.items()}
    listed = {one.name: one.version.partition("+")[0] for one in found[1:]}
    assert {"torch", "duckdb", "dagster", "numpy"} <= listed.keys()
    # What comes with every environment is not pinned.
    other = {name: version for name, version in listed.items() if plain.get(name) != version}
    assert other.keys() <= {"pip", "setuptools", "wheel"}


def test_the_bill_has_the_fields_that_the_format_requires(found):
    text = bill_of_materials(found)
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", bill["serialNumber"])
    everything = [bill["metadata"]["component"], *bill["components"]]
    references = [one["bom-ref"] for one in everything]
    assert len(set(references)) == len(references) > 50
    for one in everything:
        assert one["type"] in {"library", "application"}
        assert one["name"]
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[\w.!%-]+", one["purl"])
    assert [one["ref"] for one in bill["dependencies"]] == references
    assert {ref for one in bill["dependencies"] for ref in one["dependsOn"]} == set(references[1:])
    assert bill_of_materials(components()) == text


def test_a_licence_is_read_where_it_is_said(tmp_path):
    def said(text):
        (tmp_path / "METADATA").write_text(f"Metadata-Version: 2.4\nName: a\nVersion: 1\n{text}\n")
        return licence_of(Distribution.at(tmp_path))

    assert said("License-Expression: MIT\nLicense: other") == ("MIT", "License-Expression")
    assert said("License: BSD\n   3-Clause") == ("BSD 3-Clause", "License")
    assert said(f"License: {'a whole licence ' * 9}\nClassifier: License :: OSI Approved :: MIT License") == (
        "MIT License",
        "Classifier",
    )
    assert said("Summary: nothing") == (UNDECLARED, "")


def test_the_table_of_licences_leaves_the_project_out(found):
    table = licences(found)
    assert table.height == len(found) - 1
    assert "golden" not in table["name"].to_list()


def test_what_is_not_installed_is_named():
    with pytest.raises(PublicationError, match="nowhere-to-be-found is needed and not installed"):
        components("nowhere-to-be-found")
