"""From a study to its raw table, bars and folds in the lake; and what a study may name."""

from typing import TYPE_CHECKING

from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.preparation.quality import prepare_quality as prepare_quality
    from golden_core.preparation.steps import bars_of_pairs as bars_of_pairs
    from golden_core.preparation.steps import dated_study as dated_study
    from golden_core.preparation.steps import prepare_all as prepare_all
    from golden_core.preparation.steps import prepare_pair as prepare_pair
    from golden_core.preparation.steps import prepare_raw as prepare_raw
    from golden_core.preparation.steps import prepare_series as prepare_series

_NAMES = "bars_of_pairs dated_study prepare_all prepare_pair prepare_quality prepare_raw prepare_series"
__getattr__ = lazily(__name__, _NAMES.split(), ("steps", "quality"))
