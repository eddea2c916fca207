"""What is known of a built-in forecaster before its libraries are imported: to look at a study must not load torch.

Its class says the same, and the contract tests hold both to each other.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from golden_core.forecasters.base import Forecaster
from golden_core.models.architecture import architecture_path


@dataclass(frozen=True)
class Facts:
    """The class attributes of a forecaster, the module that defines it, and the first line of its docstring."""

    says: str
    module: str
    deterministic: bool = False
    trained: bool = False
    libraries: tuple[str, ...] = ("numpy",)
    files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, kind: type[Forecaster]) -> Facts:
        """Return what a class says of itself."""
        module = inspect.getmodule(kind)
        return cls(
            says=(inspect.getdoc(kind) or kind.__name__).splitlines()[0],
            module=module.__name__ if module else kind.__module__,
            deterministic=kind.deterministic,
            trained=kind.trained,
            libraries=tuple(kind.libraries),
            files=tuple(kind.files),
        )


def _network(says: str, *files: Path) -> Facts:
    libraries = ("numpy", "torch")
    return Facts(says, "golden_core.forecasters.neural", trained=True, libraries=libraries, files=files)


def _volatility(says: str) -> Facts:
    libraries = ("numpy", "scipy", "arch")
    return Facts(says, "golden_core.forecasters.volatility", deterministic=True, libraries=libraries)


FACTS = {
    "random_walk": Facts(
        "No change: the forecast log return is zero.", "golden_core.forecasters.naive", deterministic=True
    ),
    "random_walk_garch": _volatility(
        "The random walk, whose 1-bar log returns have the variance ``ω + (α + γ·1[e < 0]) e² + β σ²``."
    ),
    "random_walk_gjr_t": _volatility("The same with more weight on falls, and Student t shocks."),
    "drift": Facts(
        "Constant drift: the h-bar forecast is h times the mean 1-bar log return of the training rows.",
        "golden_core.forecasters.naive",
        deterministic=True,
    ),
    "ar": Facts(
        "Direct h-step autoregression: the h-bar log return on an intercept and the last p 1-bar log returns.",
        "golden_core.forecasters.statistical",
        deterministic=True,
    ),
    "ets": Facts(
        "Additive exponential smoothing of log closes, its parameters frozen after the training part.",
        "golden_core.forecasters.smoothing",
        deterministic=True,
        libraries=("numpy", "statsforecast", "coreforecast"),
    ),
    "theta": Facts(
        "The theta method: exponential smoothing of log closes with half the drift of their trend line.",
        "golden_core.forecasters.theta",
        deterministic=True,
        libraries=("numpy", "scipy"),
    ),
    "lightgbm": Facts(
        "Boosted trees on all values of a window; how large the trees are, and how many, the validation part chooses.",
        "golden_core.forecasters.boosting",
        deterministic=True,
        libraries=("numpy", "lightgbm"),
    ),
    "dlinear": _network("Trend and remainder, one linear layer each."),
    "patchtst": _network("Patches of each feature through a small transformer."),
    "moe": _network("Experts weighed by a softmax gate that is kept in balance."),
    **{f"v{n:02d}": _network(f"The legacy variant v{n:02d}.", architecture_path(f"v{n:02d}")) for n in range(1, 11)},
}
