"""Ways in which a file is harmed."""

import os
import random


def cut_off(path):
    os.truncate(path, path.stat().st_size // 2)


def written_over(path):
    """Replace the middle third, and leave the size as it was."""
    third = path.stat().st_size // 3
    with path.open("r+b") as file:
        file.seek(third)
        file.write(random.Random(1).randbytes(third))


def emptied(path):
    path.write_bytes(b"")
