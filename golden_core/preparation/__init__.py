"""From a study to its raw table, bars and folds in the lake; and what a study may name."""

from typing import TYPE_CHECKING

from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.preparation.quality import Quality, prepare_quality
    from golden_core.preparation.steps import (
        PreparationError,
        bars_of_pairs,
        dated_study,
        prepare_pair,
        prepare_raw,
        prepare_series,
    )

__all__ = [
    "PreparationError",
    "Quality",
    "bars_of_pairs",
    "dated_study",
    "prepare_pair",
    "prepare_quality",
    "prepare_raw",
    "prepare_series",
]

__getattr__ = lazily(__name__, __all__, ("steps", "quality"))
