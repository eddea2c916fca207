"""Portable kernels: asked of a process before it begins, by variables that its libraries really heed."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from golden_core.store import kernels
from golden_core.store.kernels import UnpinnedError, require, variables

HEED = """
import numpy as np, torch
from threadpoolctl import threadpool_info
from golden_core.store.kernels import require
require("portable")
simd = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
blas = [one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas"]
print(torch.backends.cpu.get_cpu_capability(), *blas, *(name for name in simd if name.startswith(("AVX512", "X86_V4"))))
"""


@pytest.fixture(autouse=True)
def _asked_anew():
    require.cache_clear()
    yield
    require.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """Return a function that pretends NumPy found these features, those alone."""

    def pretend(*found, absent=("AVX512_SPR",)):
        told = {"SIMD Extensions": {"baseline": ["X86_V2"], "found": list(found), "not found": list(absent)}}
        monkeypatch.setattr(np, "show_config", lambda mode: told)

    return pretend


@pytest.fixture
def _set(machine, monkeypatch):
    machine("X86_V3")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    for name, value in variables().items():
        monkeypatch.setenv(name, value)


def test_libraries_heed_the_variables_and_the_process_is_believed():
    told = subprocess.run([sys.executable, "-c", HEED], capture_output=True, text=True, env=os.environ | variables())
    assert told.stdout.split() == ["AVX2", "Haswell"], told.stderr


def test_native_asks_for_nothing(machine):
    machine()
    require("native")


def test_a_process_without_the_variables_is_told_all_of_them(machine, monkeypatch):
    machine("X86_V3", "X86_V4", "AVX512_ICL")
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UnpinnedError) as raised:
        require("portable")
    assert all(f"{name}='{value}'" in str(raised.value) for name, value in variables().items())
    assert "NPY_DISABLE_CPU_FEATURES='X86_V4 AVX512_ICL AVX512_SPR'" in str(raised.value)


@pytest.mark.usefixtures("_set")
@pytest.mark.parametrize("name", variables())
def test_every_variable_counts(name, monkeypatch):
    require("portable")
    require.cache_clear()
    monkeypatch.setenv(name, "another")
    with pytest.raises(UnpinnedError, match=rf"has \({name}\): start it with ATEN_CPU_CAPABILITY='avx2' "):
        require("portable")


@pytest.mark.usefixtures("_set")
def test_variables_set_after_a_library_was_loaded_are_no_kernels(machine, monkeypatch):
    machine("X86_V3", "X86_V4")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", variables()["NPY_DISABLE_CPU_FEATURES"])
    with pytest.raises(UnpinnedError, match=r"has \(NumPy\)"):
        require("portable")
    machine("X86_V3")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", variables()["NPY_DISABLE_CPU_FEATURES"])
    cpu = SimpleNamespace(get_cpu_capability=lambda: "AVX512")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(backends=SimpleNamespace(cpu=cpu)))
    with pytest.raises(UnpinnedError, match=r"has \(PyTorch\)"):
        require("portable")


@pytest.mark.usefixtures("_set")
@pytest.mark.parametrize("processor", ["aarch64", "old"])
def test_a_processor_that_has_no_avx2_is_named(processor, machine, monkeypatch):
    if processor == "old":
        machine("SSE42")
    else:
        monkeypatch.setattr(kernels.platform, "machine", lambda: processor)
    with pytest.raises(UnpinnedError, match="needs an x86-64 processor with AVX2: use native here"):
        require("portable")
