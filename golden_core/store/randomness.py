"""Named random streams: one root seed, one independent stream per purpose and trial. No seed is made elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Stream:
    """A root seed and the path of names that leads to this stream.

    Two streams with different paths are statistically independent, and a stream depends on nothing but its own
    path: adding a forecaster, a pair or a seed to a study changes no other stream.

    References
    ----------
    O'Neill (2014), the seed sequence adopted by ``numpy.random.SeedSequence``.
    """

    root: int
    path: tuple[str, ...] = ()

    def child(self, *names: str | int) -> Stream:
        """Return the stream one or more names further down."""
        return Stream(self.root, self.path + tuple(str(name) for name in names))

    def generator(self) -> np.random.Generator:
        """Return a fresh NumPy generator at the start of this stream."""
        return np.random.Generator(np.random.PCG64(self._sequence()))

    def integer(self) -> int:
        """Return one 63-bit integer, to seed a library that has its own generator."""
        return int(self._sequence().generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self) -> np.random.SeedSequence:
        # As JSON, so that no two paths have the same spelling whatever their names hold.
        digest = hashlib.sha256(json.dumps(self.path).encode()).digest()
        words = np.frombuffer(digest, dtype="<u4")
        return np.random.SeedSequence(entropy=self.root, spawn_key=tuple(int(word) for word in words))
