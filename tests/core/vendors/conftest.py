"""A file of a vendor, written and read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden_core.bars.reading import Reading, read_bars


@pytest.fixture
def parse(tmp_path: Path) -> Callable[..., Reading]:
    """Return a function that writes a text, bytes or lines, and reads them, as of UTC unless another clock is told."""

    def parse(content: Any, pair: str = "EURUSD", name: str = "x.csv", **said: Any) -> Reading:
        if not isinstance(content, str | bytes):
            content = "\n".join(content) + "\n"
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_bars(tmp_path / name, pair, **({"zone": "UTC"} | said))

    return parse
