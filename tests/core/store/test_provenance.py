"""What a machine says of itself: bytes are promised on one kind of processor, and many kinds share a name."""

import os
import subprocess

import pytest

from golden_core.store import provenance
from golden_core.store.kernels import VARIABLES

ONE = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
flags\t\t: fpu avx2{}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.format(" avx512f"), "AMD EPYC (family 26, model 2, AVX-512)"),
        ("\n".join([ONE.format(""), ONE.format("").replace("26", "25")]), "AMD EPYC (family 26, model 2)"),
        ("processor\t: 0\nmodel name\t: Apple M9\n", "Apple M9"),
    ],
)
def test_a_processor_is_more_than_its_name(tmp_path, monkeypatch, text, said):
    for name in provenance._LOOPS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cpuinfo").write_text(text)
    assert provenance._cpu_model(tmp_path / "cpuinfo") == said


@pytest.mark.parametrize(("environment", "said"), [
    ({"OPENBLAS_CORETYPE": "Haswell"}, ", OPENBLAS_CORETYPE Haswell"),
    ({"NPY_DISABLE_CPU_FEATURES": ""}, ""),
    (VARIABLES | {"NPY_DISABLE_CPU_FEATURES": "X86_V4"}, ", portable kernels"),
    (VARIABLES | {"MKL_CBWR": "AVX2"}, ", ATEN_CPU_CAPABILITY avx2, ONEDNN_MAX_CPU_ISA AVX2, MKL_CBWR AVX2, "
     "OPENBLAS_CORETYPE Haswell"),
])  # fmt: skip
def test_libraries_that_are_held_to_other_loops_make_it_another(tmp_path, monkeypatch, environment, said):
    """With Haswell's loops the forecasts of ``ar`` had other last digits, and a check called that a fault."""
    for name in provenance._LOOPS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "cpuinfo").write_text(ONE.format(" avx512f"))
    found = provenance._cpu_model(tmp_path / "cpuinfo")
    assert found == f"AMD EPYC (family 26, model 2, AVX-512{said})"
    assert provenance.same_processor("AMD EPYC (family 26, model 2, AVX-512)", found) == (not said)


def test_a_file_whose_name_is_no_text_makes_a_tree_dirty(tmp_path):
    git = ("git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b.c")
    for command in (
        ("init", "-q"),
        ("commit", "-q", "--allow-empty", "-m", "x"),
        ("config", "core.quotepath", "false"),
    ):
        subprocess.run([*git, *command], check=True)
    assert provenance.git_state(tmp_path)["dirty"] is False
    provenance.git_state.cache_clear()
    (tmp_path / "odd\udcff").touch()
    assert provenance.git_state(tmp_path)["dirty"] is True
    provenance.git_state.cache_clear()


def test_looking_at_a_tree_leaves_its_index_as_it_is(tmp_path):
    git = ("git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b.c")
    (tmp_path / "file").write_text("1")
    for command in (("init", "-q"), ("add", "file"), ("commit", "-q", "-m", "x")):
        subprocess.run([*git, *command], check=True)
    os.utime(tmp_path / "file", (1, 1))  # git would note the new time
    before = (tmp_path / ".git" / "index").read_bytes()
    assert provenance.git_state(tmp_path)["dirty"] is False
    provenance.git_state.cache_clear()
    assert (tmp_path / ".git" / "index").read_bytes() == before


@pytest.mark.parametrize("text", [None, "processor\t: 0\nBogoMIPS\t: 48.00\n"])
def test_a_processor_without_a_name_is_called_as_python_calls_it(tmp_path, monkeypatch, text):
    monkeypatch.setattr(provenance.platform, "processor", lambda: "arm")
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert provenance._cpu_model(tmp_path / "cpuinfo") == "arm"


@pytest.mark.parametrize(("recorded", "same"), [
    ("AMD EPYC (family 26, model 2, AVX-512)", True), ("AMD EPYC", True), ("AMD EPYC (family 25, model 1)", False),
    ("AMD", False), (None, False),
])  # fmt: skip
def test_processors_of_one_name_are_told_apart(recorded, same):
    assert provenance.same_processor(recorded, "AMD EPYC (family 26, model 2, AVX-512)") == same
