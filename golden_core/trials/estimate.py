"""What trials will cost in time and on disk, as finished trials of the same forecasters in this home did; no guess."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import fmean

from golden_core.store.health import FullDiskError, free_bytes, readable
from golden_core.store.lake import FINGERPRINT, Home, stored_json
from golden_core.study import Study
from golden_core.study.faults import plural
from golden_core.trials.outputs import PROVENANCE

SAMPLE = 100  # finished trials of a forecaster that are looked at: their mean is all that is asked for


@dataclass(frozen=True)
class Estimate:
    """What ``trials`` trials will take: seconds if one after another, bytes; and forecasters that nobody measured."""

    trials: int
    seconds: float
    size: float
    measured: int  # finished trials that it rests on
    unmeasured: tuple[str, ...]

    def said(self, workers: int) -> str:
        """Return the estimate in one line."""
        asked = f"{plural(self.trials, 'trial')} to run"
        if not self.measured:
            like = "it" if self.trials == 1 else "them"
            return f"{asked}; time and disk unmeasured: nothing like {like} has finished in this home"
        time = datetime.timedelta(seconds=max(1, round(self.seconds / workers)))  # none takes no time
        text = f"{asked}: about {time} on {plural(workers, 'worker')}, beside the checks and the report"
        beside = f"; unmeasured: {', '.join(self.unmeasured)}" if self.unmeasured else ""
        known = plural(self.measured, "finished trial")
        return f"{text}, and {readable(self.size)}, as {known} of this home took{beside}"


def estimate(home: Home, study: Study, forecasters: Sequence[str]) -> Estimate:
    """Estimate some trials, named by their forecasters; those of this study count before those of others.

    Raises
    ------
    FullDiskError
        If what is measured to be needed is more than is free.
    """
    seconds = size = 0.0
    measured, unmeasured = 0, []
    for name, count in sorted(Counter(forecasters).items()):
        costs = _costs(home, study.name, name) or _costs(home, "*", name)
        if costs:
            seconds += count * fmean(one for one, _ in costs)
            size += count * fmean(one for _, one in costs)
        else:
            unmeasured.append(name)
        measured += len(costs)
    if size > (free := free_bytes(home.root)):
        raise FullDiskError(
            f"{home.root}: {len(forecasters)} trials need about {readable(size)}, as {measured} finished ones did; "
            f"{readable(free)} are free. Make room (`golden clean`), or give another disk by GOLDEN_HOME"
        )
    return Estimate(len(forecasters), seconds, size, measured, tuple(unmeasured))


def _costs(home: Home, study: str, forecaster: str) -> list[tuple[float, int]]:
    """Return seconds and bytes of finished trials."""
    found = home.root.glob(f"studies/{study}/trials/{forecaster}/*/{FINGERPRINT}/{PROVENANCE}")
    said = ((stored_json(path, wall_seconds=float).get("wall_seconds"), path.parent) for path in islice(found, SAMPLE))
    records = ((s, [file for file in folder.iterdir() if file.is_file()]) for s, folder in said if s is not None)
    return [(s, sum(file.stat().st_size for file in files)) for s, files in records]
