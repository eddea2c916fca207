"""Operations against counts by hand, counters that wrap, memory that is seen, and what is not here is refused."""

import itertools
import subprocess
import sys

import pytest
import torch

from golden_core.benchmarking import energy, sampling
from golden_core.benchmarking.energy import Counter, Meter, counters
from golden_core.benchmarking.machine import conditions, operations, refusal
from golden_core.benchmarking.measurement import PRECISIONS, Condition, measure
from golden_core.benchmarking.straightforward import straightforward
from golden_core.models.legacy import build
from golden_core.models.linear import DLinear


def test_operations_of_a_network_are_counted_whatever_library_computes_them():
    network = build("v08", generator=torch.Generator().manual_seed(1))
    X = torch.zeros(10, 3, 4)
    forward, both = operations(network, X), operations(network, X, training=True)
    assert both == pytest.approx(3 * forward, rel=1e-3)  # but for the gradient of the inputs
    assert both / 10 == pytest.approx(13.7e6, rel=0.005)  # by hand, from the widths of its layers
    assert operations(straightforward(network), X) == forward
    assert operations(network, X[:5]) == forward / 2


def test_those_of_a_linear_map_by_hand():
    # A moving average of 6 bars is a product with a 6 × 6 matrix; then one weight per bar and feature, twice.
    network = DLinear(6, 2, 3, generator=torch.Generator().manual_seed(1))
    assert operations(network, torch.zeros(1, 6, 2)) == 2 * (6 * 6 * 2 + 2 * 6 * 2)


def test_memory_of_a_block_is_seen():
    # In a process of its own: what a worker's other threads and earlier tests give back would count as less.
    code = """
import torch
from golden_core.benchmarking.machine import PeakMemory
with PeakMemory("cpu") as little:
    pass
with PeakMemory("cpu") as much:
    torch.ones(50_000_000)
print(little.megabytes, much.megabytes)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    little, much = output.split()
    if little == "None":
        pytest.skip("this system does not let a process begin its high-water mark anew")
    assert float(much) - float(little) == pytest.approx(200, abs=20)


def test_conditions_are_put_back():
    threads = torch.get_num_threads()
    with conditions("cpu", "bfloat16", 2):
        assert torch.get_num_threads() == 2
        assert torch.is_autocast_enabled("cpu")
    assert torch.get_num_threads() == threads
    assert not torch.is_autocast_enabled("cpu")


def test_float32_is_not_tf32_in_any_library_of_a_card():
    libraries = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [one.allow_tf32 for one in libraries]
    for precision in ("float32", "tf32"):
        with conditions("cpu", precision, 1):
            assert [one.allow_tf32 for one in libraries] == [precision == "tf32"] * 2
    assert [one.allow_tf32 for one in libraries] == before


def test_what_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [refusal("cpu", name) is None for name in PRECISIONS] == [True, True, False]
    assert refusal("cuda", "float32") == "there is no CUDA device here"


@pytest.fixture
def package(tmp_path):
    """A processor package with a counter, and a part of it that is counted in it."""
    for name in ("intel-rapl:0", "intel-rapl:0:0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "max_energy_range_uj").write_text("1000000000")
        (tmp_path / name / "energy_uj").write_text("999000000")
    return tmp_path / "intel-rapl:0" / "energy_uj"


def test_energy_is_that_of_the_packages_without_idling_over_a_counter_that_begins_anew(package, monkeypatch):
    (found,) = counters("cpu", package.parents[1])
    monkeypatch.setattr(energy, "counters", lambda _: [found])
    monkeypatch.setattr(energy.time, "sleep", lambda _: package.write_text("1000000"))  # 2 J in 2 s
    meter = Meter.on("cpu")
    assert meter.idle_watts == 1.0
    meter.start()
    package.write_text("8000000")
    assert meter.joules(3.0) == pytest.approx(7 - 3)


def test_without_a_counter_that_can_be_read_energy_is_unmeasured(package):
    def forbidden():
        raise PermissionError("for the administrator")

    assert not energy._readable(Counter("package", forbidden))
    assert counters("cpu", package.parent / "nothing") == []
    meter = Meter([])
    meter.start()
    assert meter.joules(1.0) is None


@pytest.mark.parametrize(("idle_watts", "measured"), [(0.0, True), (1e9, False)])
def test_a_machine_that_did_not_idle_when_it_should_gives_no_negative_energy(idle_watts, measured):
    spent = itertools.count()
    meter = Meter([Counter("package", lambda: float(next(spent)))], idle_watts)
    row = measure("it", "part", lambda: sum(range(1000)), Condition(), seconds=0.0, fewest=3, meter=meter).row()
    assert (row["energy_j"] is not None) is measured
    assert (energy.NOT_IDLE in row["undefined"]) is not measured


def test_counters_that_a_container_hides_are_none(tmp_path):
    """Docker masks what /sys/class/powercap links to: the names are there, and nothing behind them."""
    (tmp_path / "intel-rapl:0").symlink_to(tmp_path / "masked")
    assert energy.counters("cpu", tmp_path) == []


def test_energy_is_that_of_every_call_and_not_only_of_those_that_are_kept(monkeypatch):
    monkeypatch.setattr(sampling, "full_size", lambda _p: 50)
    made = []
    meter = Meter([Counter("package", lambda: float(len(made)))])  # a joule each
    row = measure("it", "part", lambda: made.append(1), Condition(), seconds=0.01, fewest=3, meter=meter).row()
    assert row["samples"] < 100 < len(made)
    assert row["energy_j"] == pytest.approx(1.0)
