"""A home for the length of a measurement."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden_core.lake import Home


@contextmanager
def scratch_home() -> Iterator[Home]:
    """Yield an empty home that the whole process uses, and delete it afterwards."""
    before = os.environ.get("GOLDEN_HOME")
    with tempfile.TemporaryDirectory(prefix="golden-bench-") as folder:
        os.environ["GOLDEN_HOME"] = str(Path(folder))
        try:
            yield Home.from_environment()
        finally:
            os.environ.pop("GOLDEN_HOME")
            if before is not None:
                os.environ["GOLDEN_HOME"] = before
