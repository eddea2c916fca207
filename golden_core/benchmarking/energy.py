"""Energy by the counters of processor (RAPL) and card (NVML), what idling takes subtracted; never from a data sheet."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RAPL = Path("/sys/class/powercap")
IDLE_SECONDS = 2.0
UNMEASURED = "energy unmeasured: no counter (RAPL, NVML) can be read here"
NOT_IDLE = "energy unmeasured: no more was spent than while the machine was to idle"


@dataclass(frozen=True)
class Counter:
    """A counter of joules since some time, and the value at which it starts again, if it does."""

    name: str
    read: Callable[[], float]
    span: float = 0.0

    def since(self, before: float) -> float:
        """Return the joules since an earlier reading; it may have started again once."""
        spent = self.read() - before
        return spent + self.span if spent < 0 else spent


def counters(device: str, folder: Path = RAPL) -> list[Counter]:
    """Return the counters that can be read: of every processor package, and of the card where that computes."""
    found = [*_packages(folder), *(_cards() if device == "cuda" else ())]
    return [counter for counter in found if _readable(counter)]


@dataclass
class Meter:
    """What is spent beyond idling. Idling is measured once, before anything else: keep the machine quiet then."""

    counters: list[Counter]
    idle_watts: float = 0.0

    @classmethod
    def on(cls, device: str) -> Meter:
        """Return a meter of this machine, its idle power measured; without counters it measures nothing."""
        meter = cls(counters(device))
        if meter.counters:
            meter.start()
            time.sleep(IDLE_SECONDS)
            meter.idle_watts = meter.joules(IDLE_SECONDS) or 0.0
            meter.idle_watts /= IDLE_SECONDS
        return meter

    def start(self) -> None:
        """Begin to count."""
        self._before = [counter.read() for counter in self.counters]

    def joules(self, seconds: float) -> float | None:
        """Return what was spent since the start, so many seconds of idling left out; nothing without counters."""
        if not self.counters:
            return None
        spent = sum(counter.since(before) for counter, before in zip(self.counters, self._before, strict=True))
        return spent - self.idle_watts * seconds


def _packages(folder: Path) -> list[Counter]:
    found = []
    for zone in sorted(folder.glob("intel-rapl:[0-9]*")):
        whole = zone.name.count(":") == 1  # its parts are counted in it
        if whole and (zone / "max_energy_range_uj").is_file():  # behind the name is nothing where a container hides it

            def read(zone: Path = zone) -> float:
                return int((zone / "energy_uj").read_text(encoding="ascii")) / 1e6

            span = int((zone / "max_energy_range_uj").read_text(encoding="ascii")) / 1e6
            found.append(Counter(zone.name, read, span))
    return found


def _cards() -> list[Counter]:
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return []
    handle = ctypes.c_void_p()
    if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)):
        return []

    def read() -> float:
        spent = ctypes.c_ulonglong()
        if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(spent)):
            raise OSError("the card does not count its energy")
        return spent.value / 1e3

    return [Counter("card", read)]


def _readable(counter: Counter) -> bool:
    try:
        counter.read()
    except OSError:  # RAPL is for the administrator on many machines
        return False
    return True
