"""Examples of a property that is dear to try: few in the gate, and more in a search as for any other."""

from hypothesis import settings

_OF_THE_GATE = 25  # of a property that says nothing; see conftest


def few(count):
    """Return settings with so many examples in the gate, and in the same proportion in other profiles."""
    return settings(max_examples=settings().max_examples * count // _OF_THE_GATE)
