"""Where a number came from: code, machine, libraries. Facts only, each read from the thing itself."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from golden_core.store.kernels import VARIABLES
from golden_core.store.lake import PROJECT_ROOT

LIBRARIES = (
    "numpy", "polars", "scipy", "statsmodels", "statsforecast", "torch", "duckdb", "dagster", "CurrencyConverter",
    "holidays",
)  # fmt: skip

# By these the environment has libraries use other loops than the processor's best, which sum in another order.
_LOOPS = (
    *VARIABLES, "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES",
)  # fmt: skip

# A hook, or a tool that works on several repositories, leaves these behind; they outrank `git -C`.
_ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"}


def git_environment() -> dict[str, str]:
    """Return the environment without what would have git look at another repository than the one it is told.

    Looking must not write: `git status` would refresh the index, and leave its lock where it is killed meanwhile.
    """
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {"GIT_OPTIONAL_LOCKS": "0"}


@functools.cache
def git_state(root: Path = PROJECT_ROOT) -> dict[str, Any]:
    """Return commit and dirty flag of a checkout; both null where there is no git or no commit."""
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}
    try:
        commit = _run("git", "-C", str(root), "rev-parse", "HEAD")
        dirty = bool(_run("git", "-C", str(root), "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": dirty}


def git_page(root: Path = PROJECT_ROOT) -> str | None:
    """Return the web page of a checkout's origin on GitHub or GitLab, without what its URL holds of a user."""
    try:
        origin = _run("git", "-C", str(root), "remote", "get-url", "origin") if (root / ".git").exists() else ""
    except (OSError, subprocess.SubprocessError):
        return None
    hosts = r"(?:https://(?:[^@/]*@)?|(?:ssh://)?git@)(github\.com|gitlab\.com)[:/](.+?)(?:\.git)?/?"
    found = re.fullmatch(hosts, origin)
    return f"https://{found[1]}/{found[2]}" if found else None


@functools.cache
def machine() -> dict[str, Any]:
    """Return processor, cores, memory, GPU with driver (null where there is none) and operating system."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": _gpu(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
    }


def same_processor(recorded: object, here: str) -> bool:
    """Say whether a recorded processor is of the kind of ``machine()["cpu"]``; an older record has the name alone."""
    return recorded == here or here.startswith(f"{recorded} (")


@functools.cache
def library_versions(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Return the installed version of each distribution; ``absent`` where there is none."""
    return {name: _version(name) for name in names}


def describe_environment() -> dict[str, Any]:
    """Return code, machine, libraries and the time of asking, ready for JSON."""
    return {
        "git": git_state(),
        "machine": machine(),
        "libraries": library_versions(),
        "recorded_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return what the processor is called, and what libraries choose their loops by: clouds call many by one name."""
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    first = dict(re.findall(r"^([^\t\n]+)\t*: (.*)$", text.partition("\n\n")[0], re.MULTILINE))
    if "model name" not in first:
        return platform.processor() or platform.machine()
    kind = [f"{fact} {first[key]}" for fact, key in (("family", "cpu family"), ("model", "model")) if key in first]
    kind += ["AVX-512"] if "avx512f" in first.get("flags", "").split() else []
    kind += _loops()
    return f"{first['model name'].strip()} ({', '.join(kind)})" if kind else first["model name"].strip()


def _loops() -> list[str]:
    """Return what the environment says of the loops of libraries."""
    said = {name: os.environ[name] for name in _LOOPS if os.environ.get(name)}
    return ["portable kernels"] if VARIABLES.items() <= said.items() else [f"{k} {v}" for k, v in said.items()]


def _gpu() -> list[dict[str, str]] | None:
    try:
        listing = _run("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [[field.strip() for field in line.split(",")] for line in listing.splitlines() if line.strip()]
    return [dict(zip(("name", "driver", "memory"), row, strict=True)) for row in rows] or None


def _run(*command: str) -> str:
    # Output of a program that may be absent or hang: a fact that cannot be read in 10 s is not recorded.
    result = subprocess.run(command, capture_output=True, check=True, timeout=10, env=git_environment())
    return os.fsdecode(result.stdout).strip()  # git names files by bytes
