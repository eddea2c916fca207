"""Gradient-boosted trees through LightGBM: what is kept of a fit is its trees, as arrays.

Shape letters: N windows, L context, F features, T trees, S splits, Q levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import lightgbm
import numpy as np
import numpy.typing as npt

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.settings import LightGBMSettings
from golden_core.forecasters.trees import Trees
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream

MIN_ROWS = 20  # to train and to validate on: fewer choose nothing

# One thread and columns summed in their order: the same bytes on every run. Nothing is sampled, so no seed matters.
ALWAYS = {
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "seed": 0,
    "use_missing": False,
    "verbosity": -1,
}
Part = tuple[FloatArray, FloatArray]  # inputs [N, L · F] and targets [N]


class LightGBM(Forecaster):
    """Boosted trees on all values of a window; how large the trees are, and how many, the validation part chooses.

    For the mean one ensemble by squared error for each candidate of ``leaves``, grown until the validation error has
    not fallen for ``patience`` rounds: the best of them is kept. Where the study asks for quantiles, one ensemble by
    pinball loss per level follows, with the number of leaves that was chosen. The h-bar log return is forecast whatever
    the study's target is, for trees cannot leave the range of what they were fitted to.

    References
    ----------
    Friedman (2001), boosting; Ke et al. (2017), the library.
    """

    Settings: ClassVar = LightGBMSettings
    deterministic: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "lightgbm")

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self._settings = LightGBMSettings.model_validate(dict(settings))
        self._levels = context.levels

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Grow trees on the training part; the validation part chooses their size and number."""
        del stream
        scale = float(train.y.std())
        if min(len(train), len(validation)) < MIN_ROWS:
            raise FitError(
                f"boosted trees need at least {MIN_ROWS} training and {MIN_ROWS} validation rows, there are "
                f"{len(train)} and {len(validation)}: widen splits.train or splits.validation"
            )
        if not scale > 0:
            raise FitError(f"boosted trees need returns that vary, all {len(train)} training rows have the same")
        fitted, held_out = ((_inputs(part.windows), part.y / scale) for part in (train, validation))
        grown = [self._grow(fitted, held_out, leaves, objective="regression") for leaves in self._settings.leaves]
        _, chosen, mean = min(grown, key=lambda one: one[:2])  # of equal errors, the smaller trees
        self._trees = {"mean": mean.scaled(scale)}
        for place, level in enumerate(self._levels):
            *_, trees = self._grow(fitted, held_out, chosen, objective="quantile", alpha=level)
            self._trees[f"quantile{place}"] = trees.scaled(scale)
        return []

    def _grow(self, fitted: Part, held_out: Part, leaves: int, **objective: Any) -> tuple[float, int, Trees]:
        """Return the least validation error, the number of leaves, and the trees that reached it."""
        own = {"learning_rate": self._settings.learning_rate, "min_data_in_leaf": self._settings.rows_per_leaf}
        train = lightgbm.Dataset(*fitted, params=ALWAYS | own)
        model = lightgbm.train(
            ALWAYS | own | objective | {"num_leaves": leaves},
            train,
            num_boost_round=self._settings.rounds,
            valid_sets=[lightgbm.Dataset(*held_out, reference=train)],
            callbacks=[lightgbm.early_stopping(self._settings.patience, verbose=False)],
        )
        error = min(model.best_score["valid_0"].values())  # of one measure, the objective's own
        return error, leaves, Trees.read(model.model_to_string(num_iteration=model.best_iteration))

    def predict(self, windows: Windows) -> FloatArray:
        """Return what the trees for the mean say [N]."""
        return self._trees["mean"].sum(_inputs(windows))

    def predict_quantiles(self, windows: Windows, levels: FloatArray) -> FloatArray:
        """Return quantiles of the h-bar log return [N, Q], at the study's levels and no others; they may cross."""
        if (asked := tuple(np.asarray(levels).tolist())) != self._levels:
            raise ValueError(f"trees were grown for the levels {self._levels}, not {asked}")
        inputs = _inputs(windows)
        return np.column_stack([self._trees[f"quantile{place}"].sum(inputs) for place in range(len(levels))])

    def state(self) -> State:
        """Return the arrays of every ensemble under its name: mean, quantile0 and so on."""
        return {f"{name}.{key}": value for name, trees in self._trees.items() for key, value in trees.arrays().items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over the trees."""
        names = dict.fromkeys(key.partition(".")[0] for key in state)
        self._trees = {
            name: Trees(**{key.partition(".")[2]: value for key, value in state.items() if key.startswith(f"{name}.")})
            for name in names
        }


def _inputs(windows: Windows) -> FloatArray:
    """Return every value of a window as a column of its own [N, L · F], oldest bar first."""
    return windows.X.reshape(len(windows), -1).astype(np.float64)
