"""A dict that cannot be changed. Settings are handed to other people's code, which must not alter the study."""

from __future__ import annotations

from typing import Any, NoReturn


class FrozenDict(dict[str, Any]):
    """A dict that refuses every change; it pickles, copies and serialises like any other."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a study is frozen: its settings cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)


def freeze(value: Any) -> Any:
    """Return a value with every dict in it frozen and every list made a tuple."""
    if isinstance(value, dict):
        return FrozenDict({key: freeze(entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(entry) for entry in value)
    return value
