"""One thread for the libraries below NumPy: the last digits of their sums depend on how many add them up."""

from __future__ import annotations

import functools
import sys
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS, OpenMP and their kin use one thread, as far as they are loaded."""
    limited: AbstractContextManager[object] = _libraries(len(sys.modules)).limit(limits=1)
    return limited


@functools.lru_cache(maxsize=1)
def _libraries(_modules: int) -> ThreadpoolController:
    """Return the libraries of this process; looked for again, which takes milliseconds, once it has other modules."""
    return ThreadpoolController()
