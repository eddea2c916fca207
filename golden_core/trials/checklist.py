"""The reproducibility checklist, answered by a run. What is on it is data; what was seen for each line is said here."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from golden_core.store.lake import PROJECT_ROOT, hash_bytes, shipped
from golden_core.store.provenance import git_state
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.generators import GENERATORS, seed_everything
from golden_core.trials.reproduction import ELSEWHERE, SIDE_BY_SIDE, Sample

# An installed package has neither: its list says that they could not be looked at.
NOTEBOOKS = PROJECT_ROOT / "docs" / "notebooks"
PINS = PROJECT_ROOT / "constraints.txt"
DRAWN = 1000  # numbers of each generator that are compared

Verdict = Literal["passed", "failed", "unmeasured"]
Seen = tuple[Verdict, str]


@dataclass(frozen=True)
class Answer:
    """One line of the list: its claim, the verdict, and what was seen."""

    section: str
    name: str
    claim: str
    verdict: Verdict
    seen: str


def checklist() -> dict[str, dict[str, str]]:
    """Return section → name → claim, in the order of the list."""
    path = shipped("backbone", "reproducibility_checklist.yaml")
    found: dict[str, dict[str, str]] = YAML(typ="safe", pure=True).load(path)
    return found


def answers(study: Study, sample: Sample) -> list[Answer]:
    """Answer every line of the list from a sample that was trained again, the machine and the checkout."""
    seen = {**_seeds(study, sample), **_arithmetic(sample), **_origin(sample)}
    lines = [(section, name, claim) for section, items in checklist().items() for name, claim in items.items()]
    if odd := seen.keys() ^ {name for _, name, _ in lines}:
        raise LookupError(f"reproducibility_checklist.yaml and checklist.py disagree about {', '.join(sorted(odd))}")
    return [Answer(section, name, claim, *seen[name]) for section, name, claim in lines]


def _seeds(study: Study, sample: Sample) -> dict[str, Seen]:
    stream = Stream(study.seeds.root).child("reproduction", "generators")
    cuda: Seen = ("unmeasured", f"no card: torch {torch.__version__} sees no CUDA device")
    if torch.cuda.is_available():
        cards = ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
        cuda = _repeats(stream, "CUDA", where=f" on {cards}")
    moved = sorted({name for one in sample.processes for name in one.found.get("moved", ())})
    ended = [one for one in sample.processes if one.error is None]
    touched = f"moved by training: {', '.join(moved)}" if moved else f"as before in {len(ended)} processes"
    return {
        "generators_repeat": _repeats(stream, "Python", "NumPy", "torch"),
        "cuda_repeats": cuda,
        "globals_untouched": _verdict(not moved, touched) if ended else ("unmeasured", "no process came to its end"),
        "notebook_repeats": _notebooks(NOTEBOOKS),
    }


def _repeats(stream: Stream, *names: str, where: str = "") -> Seen:
    def drawn(seed: Stream) -> dict[str, list[float]]:
        seed_everything(seed)
        return {name: GENERATORS[name].draw(DRAWN) for name in names}

    first, again, other = drawn(stream), drawn(stream), drawn(stream.child("other"))
    bad = [name for name in names if first[name] != again[name] or first[name] == other[name]]
    return _verdict(not bad, f"{', '.join(bad or names)}: {DRAWN} numbers {'differ' if bad else 'repeat'}{where}")


def _notebooks(folder: Path) -> Seen:
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        return "unmeasured", f"{folder.name} come with the checkout, and this is an installed package"
    found = [_notebook(path) for path in paths]
    said = [text for same, text in found if not same] or [text for _, text in found]
    return _verdict(all(same for same, _ in found), "; ".join(said))


def recorded_text(path: Path) -> str:
    """Return what the code cells of a notebook printed when it was recorded."""
    outputs = [output for cell in _code(path) for output in cell["outputs"]]
    return "".join("".join(output["text"]) for output in outputs)


def rerun_text(path: Path) -> str:
    """Return what the code cells of a notebook print now, in a fresh process; of a failure, its last line."""
    source = "\n\n".join("".join(cell["source"]) for cell in _code(path))
    with tempfile.TemporaryDirectory(prefix="golden-notebook-") as scratch:
        script = Path(scratch) / "cells.py"
        script.write_text(source, encoding="utf-8")
        result = subprocess.run([sys.executable, script], capture_output=True, errors="replace", check=False)
    return result.stdout if result.returncode == 0 else result.stderr.strip().rpartition("\n")[2]


def _code(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _notebook(path: Path) -> tuple[bool, str]:
    recorded, again = recorded_text(path), rerun_text(path)
    differing = [line for line in again.splitlines() if line not in recorded.splitlines()]
    count = len(re.findall(r"\d\.\d+|\d{9,}", recorded))
    said = f"now {differing or again!r}" if recorded != again else f"{count} numbers of {path.name} came out again"
    return recorded == again and count > 0, said


def _arithmetic(sample: Sample) -> dict[str, Seen]:
    settings = sorted({(on, threads) for one in sample.processes for on, threads in one.found.get("torch", ())})
    torch_: Seen = ("unmeasured", "no network computed in a process that came to its end")
    if settings:
        said = "; ".join(f"deterministic algorithms {'on' if on else 'off'}, {n} threads" for on, n in settings)
        torch_ = _verdict(settings == [(True, 1)], f"{said} whenever a network computed")
    same, count = [one for one in sample.trials if one.identical], len(sample.trials)
    bad = "; ".join(f"{one.trial}: {one.said}" for one in sample.trials if not one.identical)
    against = "what the lake holds" if sample.stored else "a training before it"
    repeat = _verdict(sample.identical, bad or f"{len(same)} of {count} trials, against {against}")
    elsewhere: Seen = ("unmeasured", "one trial has no order: ask for --trials 2 or more")
    unsaid = "the lake does not say how many processes wrote it" if sample.stored else "one trial"
    workers: Seen = ("unmeasured", unsaid)
    if count > 1:
        environment = ", ".join(f"{name}={value}" for name, value in ELSEWHERE.items())
        elsewhere = _verdict(sample.identical, bad or f"in reverse order, with {environment}")
    if count > 1 and not sample.stored:
        workers = _verdict(sample.identical, bad or f"{SIDE_BY_SIDE} at a time, then all in one")
    seen = {"torch_deterministic": torch_, "bytes_repeat": repeat, "elsewhere_repeats": elsewhere}
    return {**seen, "workers_repeat": workers}


def _origin(sample: Sample) -> dict[str, Seen]:
    nothing: Seen = ("unmeasured", "no trial was written")
    seen = {"trials_recorded": nothing, "inputs_identified": nothing, "tree_recorded": nothing}
    if sample.records:
        wanted = list(YAML(typ="safe", pure=True).load(shipped("backbone", "provenance.yaml")))
        unsaid = sorted({name for record, _, _ in sample.records for name in wanted if not _has(record, name)})
        known = [
            record["depends_on"]["inputs"] == inputs and record["fingerprint"] == print_ == _identity(record)
            for record, inputs, print_ in sample.records
        ]
        git = sample.records[0][0]["git"]
        tree = f"commit {str(git['commit'])[:12]}, {'not clean, and recorded so' if git['dirty'] else 'clean'}"
        facts = f"without {', '.join(unsaid)}" if unsaid else f"{len(wanted)} facts each"
        named = f"{sum(known)} of {len(known)} trials name inputs and identity as recomputed"
        seen["trials_recorded"] = _verdict(not unsaid, facts)
        seen["inputs_identified"] = _verdict(all(known), named)
        seen["tree_recorded"] = _verdict(git == git_state(), tree) if git["commit"] else ("unmeasured", "no git here")
    return {"libraries_pinned": _pinned(PINS), **seen}


def _pinned(path: Path) -> Seen:
    if not path.is_file():
        return "unmeasured", f"{path.name} comes with the checkout, and this is an installed package"
    # What follows a plus says who built a release, such as torch 2.13.0+cpu: the release is what is pinned.
    pins = dict(re.findall(r"^([\w.-]+)==([^\s+]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    here = {canonicalize_name(one.name): one.version.partition("+")[0] for one in importlib.metadata.distributions()}
    found = {name: here[known] for name in pins if (known := canonicalize_name(name)) in here}
    other = [f"{name} {release} instead of {pins[name]}" for name, release in found.items() if release != pins[name]]
    said = "; ".join(other) or f"{len(found)} installed of {len(pins)} pinned, each as pinned"
    return _verdict(bool(found) and not other, said)


def _identity(record: Mapping[str, Any]) -> str:
    return hash_bytes(canonical_json(record["depends_on"]).encode())


def _has(record: Mapping[str, Any], name: str) -> bool:
    section, _, key = name.partition(".")
    return section in record and (not key or key in record[section])


def _verdict(holds: bool, seen: str) -> Seen:
    return ("passed" if holds else "failed"), seen
