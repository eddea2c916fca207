"""The code cells of our own notebooks, run again in a fresh process: what they print beside what they printed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


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
        result = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else result.stderr.strip().rpartition("\n")[2]


def _code(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]
