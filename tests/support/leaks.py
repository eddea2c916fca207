"""Leaks to plant in a study: in a feature, a cleaning rule, a source, a scaler and a forecaster."""

import sys
from types import ModuleType

import numpy as np
import polars as pl

from golden_core.bars.cleaning import clean
from golden_core.forecasters import FORECASTERS
from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.settings import NoSettings
from golden_core.inputs.features import FEATURES, Feature
from golden_core.preparation import steps
from golden_core.sources.ecb import Ecb
from golden_core.splits.scaling import fit_scalers
from golden_core.store.lake import Home


def leaking_feature(monkeypatch, name="volatility_20"):
    honest = FEATURES[name]
    compute = lambda bars: honest.compute(bars).shift(-1)  # noqa: E731
    monkeypatch.setitem(FEATURES, name, Feature(honest.description, honest.unit, honest.warm_up, honest.needs, compute))


def month_end_feature(monkeypatch, name="volatility_20"):
    """Add the next return on the last bar of every month alone."""
    honest = FEATURES[name]

    def compute(bars):
        month, ahead = bars["timestamp"].dt.month(), bars["close"].log().diff().shift(-1).fill_null(0.0)
        return honest.compute(bars) + ahead * (month != month.shift(-1)).fill_null(False).cast(pl.Float64)

    monkeypatch.setitem(FEATURES, name, Feature(honest.description, honest.unit, honest.warm_up, honest.needs, compute))


def leaking_cleaning(monkeypatch):
    """Drop a bar when the next one undoes its move: right more often than not, and from the future."""

    def rule(raw, *arguments, **options):
        bars = raw.sort("timestamp")
        close = pl.col("close")
        there, back = (close / close.shift(1)).log(), (close.shift(-1) / close).log()
        spike = (there.abs() > 0.1) & ((there + back).abs() < 0.1)
        return clean(bars.filter(~spike.fill_null(False)), *arguments, **options)

    monkeypatch.setattr(steps, "clean", rule)


def leaking_source(monkeypatch):
    """Smooth the source's bars with the next one."""
    honest = Ecb.bars

    def bars(self, raw, data, pair):
        table = honest(self, raw, data, pair)
        return table.with_columns(close=(pl.col("close") + pl.col("close").shift(-1).fill_null(pl.col("close"))) / 2)

    monkeypatch.setattr(Ecb, "bars", bars)


def leaking_reader(monkeypatch):
    """Rescale what is read by its last value, as vendors do who adjust their history."""
    honest = Ecb.read
    scaled = pl.col("rate") / pl.col("rate").last().over("currency")
    monkeypatch.setattr(Ecb, "read", lambda self, *arguments: honest(self, *arguments).with_columns(rate=scaled))


def unpurged_folds(monkeypatch):
    """Let every training part run on by five rows, over its boundary."""
    honest = steps.folds_table

    def table(*arguments, **options):
        found = honest(*arguments, **options)
        longer = [pl.when(part="train").then(pl.col(n) + 5).otherwise(n).alias(n) for n in ("row_stop", "rows")]
        return found.with_columns(longer)

    monkeypatch.setattr(steps, "folds_table", table)


def leaking_scalers(monkeypatch):
    """Fit every fold's scalers on all rows up to its last test row."""

    def fit(study, pair, horizon, folds, features, bars, target):
        scalers = fit_scalers(study, pair, horizon, folds, features, bars, target)
        whole = {name: features[name].std() for name in features.columns if name != "timestamp"}
        scale = pl.col("column").replace_strict(whole, default=None, return_dtype=pl.Float64)
        return scalers.with_columns(scale=pl.coalesce(scale, "scale"))

    monkeypatch.setattr(steps, "fit_scalers", fit)


class Honest(Forecaster):
    """Forecast the last one-bar return times a fitted slope."""

    Settings = NoSettings
    deterministic = True

    def __init__(self, settings, context):
        self.slope = 0.0

    def fit(self, train, validation, stream):
        x = self.returns(train.windows)
        self.slope = float((x * train.y).sum() / (x**2).sum())
        return []

    def predict(self, windows):
        return self.slope * self.returns(windows)

    def state(self):
        return {"slope": np.array([self.slope])}

    def restore(self, state):
        self.slope = float(state["slope"][0])

    @staticmethod
    def returns(windows):
        closes = windows.recent_closes(2)
        return np.log(closes[:, 1] / closes[:, 0])


class CentresItsBatch(Honest):
    """Take the mean of the batch away, windows after the cutoff included."""

    def predict(self, windows):
        forecast = super().predict(windows)
        return forecast - forecast.mean()


class LooksAtTheNextWindow(Honest):
    def predict(self, windows):
        closes = windows.last_close
        return np.log(np.append(closes[1:], closes[-1]) / closes)


class ReadsTheLake(Honest):
    """Look the next close up in the lake."""

    def predict(self, windows):
        return log_return_to(next_close(windows), windows.last_close)


class FitsOnTheLake(Honest):
    """Take the slope from everything in the lake."""

    def fit(self, train, validation, stream):
        closes = lake_bars()["close"].to_numpy()
        self.slope = float(np.log(closes).std())
        return []


class StopsOnTest(Honest):
    """Choose between two slopes by the closes that the lake has after validation."""

    def fit(self, train, validation, stream):
        super().fit(train, validation, stream)
        after = lake_bars().filter(pl.col("available_at").dt.replace_time_zone(None) > validation.windows.cutoffs[-1])
        self.slope *= 1.0 + float(after["close"].mean())
        return []


class RaisesAlways(Honest):
    def fit(self, train, validation, stream):
        raise RuntimeError("this one never works")


def lake_bars():
    """Read every pair's bars from the lake of the environment."""
    (folder,) = (Home.from_environment().root / "studies").glob("*/bars")
    return pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])


def next_close(windows):
    bars = lake_bars().with_columns(next=pl.col("close").shift(-1).over("pair"))
    wanted = pl.DataFrame({"at": windows.cutoffs, "close": windows.last_close})
    bars = bars.with_columns(at=pl.col("available_at").dt.replace_time_zone(None))
    found = wanted.join(bars, on=["at", "close"], how="left", maintain_order="left")
    return found["next"].fill_null(found["close"]).to_numpy()


def log_return_to(close, last):
    return np.log(close / last)


def register(monkeypatch, kind, name="planted"):
    """Put a forecaster into the registry, as a package would."""
    module = ModuleType("planted_forecasters")
    module.Planted = kind
    monkeypatch.setitem(sys.modules, "planted_forecasters", module)
    monkeypatch.setitem(FORECASTERS, name, ("planted_forecasters:Planted", NoSettings))


def forecasters(*names):
    """Return the override of a study that has some forecasters beside the random walk."""
    return f"forecasters={{random_walk: {{}}, {', '.join(f'{name}: {{}}' for name in names)}}}"
