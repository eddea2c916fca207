"""Columns, dtypes, units and keys of every table; no computation belongs here."""

from __future__ import annotations

import polars as pl

from golden_core.store.table import Column, Table

UTC_TIME = pl.Datetime("us", "UTC")

_STUDY = Column("study", pl.String, "name of the study")
_FORECASTER = Column("forecaster", pl.String, "name in the registry of forecasters")
_PAIR = Column("pair", pl.String, "currency pair, base then quote")
_HORIZON = Column("horizon", pl.Int32, "bars looked ahead", "bars")
_SEED = Column("seed", pl.Int32, "index of the seed within the study")
_FOLD = Column("fold", pl.Int32, "index of the fold")
_TRIAL = (_STUDY, _FORECASTER, _PAIR, _HORIZON, _SEED)
_SERIES_FOLD = (_STUDY, _PAIR, _HORIZON, _FOLD)
_LEVEL = Column("level", pl.Float64, "nominal probability of the quantile, or of the central interval")
_CUTOFF = Column("cutoff", UTC_TIME, "forecast origin: when the last bar of the window is known", "UTC")

RATES = Table(
    "rates",
    "Reference rates as published: units of a currency for one euro, one row per day and currency.",
    (
        Column("date", pl.Date, "day of the fixing"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("rate", pl.Float64, "units of the currency for one euro"),
    ),
    key=("date", "currency"),
)

BARS = Table(
    "bars",
    "Prices, one row per pair and bar. A source that has one fixing a day has a close and nothing else.",
    (
        _PAIR,
        Column("timestamp", UTC_TIME, "bar open, or the fixing itself", "UTC"),
        Column("available_at", UTC_TIME, "when the bar is known", "UTC"),
        Column("open", pl.Float64, "first price", "quote per base", optional=True),
        Column("high", pl.Float64, "highest price", "quote per base", optional=True),
        Column("low", pl.Float64, "lowest price", "quote per base", optional=True),
        Column("close", pl.Float64, "last price, or the fixing", "quote per base"),
        Column("volume", pl.Float64, "as the vendor defines it", optional=True),
    ),
    key=("pair", "timestamp"),
)

CLEANING = Table(
    "cleaning",
    "The account of cleaning: every raw row once, under the rule that decided about it.",
    (
        _PAIR,
        Column("rule", pl.String, "name of the rule"),
        Column("action", pl.String, "kept, repaired or quarantined"),
        Column("rows", pl.Int64, "rows the rule decided about"),
        Column("detail", pl.String, "what the rule does"),
    ),
    key=("pair", "rule", "action"),
)

LEDGER = Table(
    "ledger",
    "Every row of the raw table that cleaning remarked on: what became of it, why, and what it was.",
    (
        _PAIR,
        Column("timestamp", UTC_TIME, "bar open, as it came", "UTC"),
        Column("position", pl.Int64, "row of the pair's raw table, counted from 1"),
        Column("action", pl.String, "kept, repaired or quarantined"),
        Column("rule", pl.String, "the rule that decided, the first that applies"),
        Column("open", pl.Float64, "as it came; null where the source has none", "quote per base"),
        Column("high", pl.Float64, "as it came", "quote per base"),
        Column("low", pl.Float64, "as it came", "quote per base"),
        Column("close", pl.Float64, "as it came", "quote per base"),
        Column("volume", pl.Float64, "as it came"),
    ),
    key=("pair", "position"),
)

QUALITY = Table(
    "quality",
    "The quality of raw bars by pair and month. A count is null where the bars cannot show it.",
    (
        _PAIR,
        Column("month", pl.Date, "first day of the month (UTC)"),
        Column("expected", pl.Int64, "bars that the calendar asks for, those that a closure explains left out"),
        Column("present", pl.Int64, "of these, bars that are there after cleaning"),
        Column("missing", pl.Int64, "of these, bars that are not"),
        Column("explained", pl.Int64, "bars that are not there because a holiday closes the market"),
        Column("partial", pl.Int64, "bars of which a part lies outside the trading week"),
        Column("kept", pl.Int64, "raw rows that stay as they came"),
        Column("repaired", pl.Int64, "raw rows that stay, changed or moved"),
        Column("quarantined", pl.Int64, "raw rows that do not stay"),
        Column("filled", pl.Int64, "of the quarantined, flat rows of a closed market and stubs of weekends"),
        Column("flat", pl.Int64, "raw rows with open = high = low = close, the filled left out"),
        Column("spikes", pl.Int64, "raw rows off the scale, refuted by other pairs, or undone by the next bar"),
        Column("zero_volume", pl.Int64, "raw rows with no volume"),
        Column("longest_gap", pl.Int64, "most expected bars missing in a row", "bars"),
    ),
    key=("pair", "month"),
)

PARITY = Table(
    "parity",
    "Triangular parity: how far log(AB) + log(BC) − log(AC) is from zero where all three pairs have a bar.",
    (
        Column("triangle", pl.String, "EURUSD × USDJPY / EURJPY: the third pair is what the first two imply"),
        Column("bars", pl.Int64, "times at which all three pairs have a bar"),
        Column("median", pl.Float64, "median residual", "log price"),
        Column("q50_abs", pl.Float64, "median absolute residual", "log price"),
        Column("q99_abs", pl.Float64, "99th percentile of the absolute residual", "log price"),
        Column("max_abs", pl.Float64, "largest absolute residual", "log price"),
        Column("flagged", pl.Int64, "bars with an absolute residual beyond the study's bound"),
    ),
    key=("triangle",),
)

CALENDAR = Table(
    "calendar",
    "Every weekday of the range on which no bar exists, with its explanation.",
    (
        _PAIR,
        Column("date", pl.Date, "the weekday without a bar"),
        Column("explanation", pl.String, "name of the holiday; null where nothing explains the gap"),
    ),
    key=("pair", "date"),
)

FOLDS = Table(
    "folds",
    "Every part of every fold, a row per run of consecutive rows: what it spans and when that is known. Rows are "
    "positions in the pair's bars. Counts of a part stand in its first segment and are 0 in the others: they add up.",
    (
        *_SERIES_FOLD,
        Column("part", pl.String, "train, validation or test"),
        Column("segment", pl.Int32, "number of the run within its part, from 0"),
        Column("scheme", pl.String, "how the fold was laid; walk_forward: parts in the order of time"),
        Column("row_start", pl.Int64, "first row"),
        Column("row_stop", pl.Int64, "one past the last row"),
        Column("rows", pl.Int64, "row_stop − row_start"),
        Column("laid_rows", pl.Int64, "rows of the part before any was dropped: kept + purged + embargoed + dropped"),
        Column("purged_rows", pl.Int64, "rows dropped because their labels touch those of a held-out part"),
        Column("embargoed_rows", pl.Int64, "further rows dropped as the extra gap around a held-out part"),
        Column("closure_dropped_rows", pl.Int64, "further rows dropped because they cross a closure"),
        Column(
            "closure_rows", pl.Int64, "rows left by the embargo that cross a closure; null where the study keeps them"
        ),
        Column("closure_windows", pl.Int64, "those of closure_rows whose window crosses a closure"),
        Column("closure_labels", pl.Int64, "those of closure_rows whose label crosses a closure"),
        Column("first_timestamp", UTC_TIME, "timestamp of the first row", "UTC"),
        Column("last_timestamp", UTC_TIME, "timestamp of the last row", "UTC"),
        Column("window_start", UTC_TIME, "timestamp of the first bar that a window reads", "UTC"),
        Column("first_cutoff", UTC_TIME, "available_at of the first row", "UTC"),
        Column("last_cutoff", UTC_TIME, "available_at of the last row", "UTC"),
        Column("label_stop", pl.Int64, "one past the last row that a label reads"),
        Column("label_end", UTC_TIME, "available_at of the last row that a label reads", "UTC"),
    ),
    key=("study", "pair", "horizon", "fold", "part", "segment"),
)

SCALERS = Table(
    "scalers",
    "Mean and scale of every input column and of the target, from the training rows of the fold alone.",
    (
        *_SERIES_FOLD,
        Column("column", pl.String, "name of the feature, or 'target'"),
        Column("mean", pl.Float64, "mean over the training rows"),
        Column("scale", pl.Float64, "population standard deviation over the training rows"),
        Column("rows", pl.Int64, "rows the statistics were computed from"),
    ),
    key=("study", "pair", "horizon", "fold", "column"),
)

FORECASTS = Table(
    "forecasts",
    "What a forecaster hands on: one row per cutoff. Every metric can be recomputed from here.",
    (
        *_TRIAL,
        _FOLD,
        _CUTOFF,
        Column("target_at", UTC_TIME, "when the target is known", "UTC"),
        Column("crosses_closure", pl.Boolean, "a closure lies between the cutoff and the target"),
        Column("last_close", pl.Float64, "close at the cutoff", "quote per base"),
        Column("true_close", pl.Float64, "close at the target", "quote per base"),
        Column("pred_close", pl.Float64, "forecast close: last_close · exp(y_pred)", "quote per base"),
        Column("y_true", pl.Float64, "log(true_close / last_close)", "log return"),
        Column("y_pred", pl.Float64, "forecast log return", "log return"),
        Column("scale", pl.Float64, "mean |h-bar log return| of the fold's training rows", "log return"),
        Column("volatility", pl.Float64, "trailing standard deviation of 1-bar log returns at the cutoff"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "cutoff"),
)

HISTORY = Table(
    "history",
    "Learning curves: one row per epoch.",
    (
        *_TRIAL,
        _FOLD,
        Column("epoch", pl.Int32, "counted from 1"),
        Column("train_loss", pl.Float64, "mean squared error, scaled target, training mode"),
        Column("validation_loss", pl.Float64, "mean squared error, scaled target, inference mode"),
        Column("learning_rate", pl.Float64, "rate used in this epoch"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "fold", "epoch"),
)

QUANTILES = Table(
    "quantiles",
    "Calibrated quantiles of the log return beside the forecasts, one row per cutoff and level; of a forecaster that "
    "gives point forecasts only there are none.",
    (
        *_TRIAL,
        _FOLD,
        _CUTOFF,
        _LEVEL,
        Column("value", pl.Float64, "quantile; infinite where only that is valid", "log return"),
        Column("rearranged", pl.Boolean, "the quantiles of this cutoff crossed and were put in order"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "cutoff", "level"),
)

TRIALS = Table(
    "trials",
    "One row per trial that the study asks for, whatever became of it.",
    (
        *_TRIAL,
        Column("status", pl.String, "done, shared (a deterministic forecaster's further seed), failed or missing"),
        Column("fingerprint", pl.String, "hash of everything that the trial depends on"),
        Column("deterministic", pl.Boolean, "the forecaster declares that seeds do not matter"),
        Column("parameters", pl.Int64, "trainable and fixed numbers of the fitted model, one fold"),
        Column("wall_seconds", pl.Float64, "elapsed", "s"),
        Column("cpu_seconds", pl.Float64, "processor time", "s"),
        Column("peak_memory_mb", pl.Float64, "highest resident memory of the worker so far", "MB"),
        Column("error", pl.String, "what went wrong, for a failed trial"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed"),
)

METRICS = Table(
    "metrics",
    "One row per trial, stratum and metric, computed from forecasts alone.",
    (
        *_TRIAL,
        Column("stratum_kind", pl.String, "all, year, volatility_tercile, session or weekday"),
        Column("stratum", pl.String, "value of the stratum; 'all' where there is none"),
        Column("metric", pl.String, "name of the metric"),
        Column("value", pl.Float64, "null where the metric is undefined"),
        Column("n", pl.Int64, "forecasts that entered"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "stratum_kind", "stratum", "metric"),
)

SUMMARY = Table(
    "summary",
    "Metrics over seeds. A deterministic forecaster has one seed and no spread.",
    (
        _STUDY,
        _FORECASTER,
        Column("scope", pl.String, "series, macro (mean over series) or micro (all forecasts pooled)"),
        Column("pair", pl.String, "currency pair; 'all' when averaged over pairs"),
        Column("horizon", pl.Int32, "bars looked ahead; 0 when averaged over horizons", "bars"),
        Column("metric", pl.String, "name of the metric"),
        Column("seeds", pl.Int64, "seeds that entered"),
        Column("mean", pl.Float64, "mean over seeds"),
        Column("sd", pl.Float64, "standard deviation over seeds; null for one seed"),
        Column("t_low", pl.Float64, "lower end of the Student t interval of the mean"),
        Column("t_high", pl.Float64, "upper end of the Student t interval of the mean"),
        Column("bootstrap_low", pl.Float64, "lower end of the bootstrap interval of the mean"),
        Column("bootstrap_high", pl.Float64, "upper end of the bootstrap interval of the mean"),
    ),
    key=("study", "forecaster", "scope", "pair", "horizon", "metric"),
)

COMPARISONS = Table(
    "comparisons",
    "Tests of equal accuracy of every forecaster against the random walk, per series.",
    (
        _STUDY,
        _FORECASTER,
        Column("benchmark", pl.String, "the forecaster compared with"),
        _PAIR,
        _HORIZON,
        Column("level", pl.String, "ensemble (seed-averaged forecasts) or seed"),
        Column("seed", pl.Int32, "index of the seed; −1 for the ensemble"),
        Column("n", pl.Int64, "forecasts compared"),
        Column("mean_difference", pl.Float64, "mean squared error minus the benchmark's; negative is better"),
        Column("statistic", pl.Float64, "mean difference over its long-run standard error by equally weighted cosines"),
        Column("df", pl.Int64, "cosine coefficients, the degrees of freedom of Student's t"),
        Column("p_value", pl.Float64, "two-sided"),
        Column("p_holm", pl.Float64, "Holm-adjusted over all tests of the same level; undefined tests count as p = 1"),
        Column("hln_statistic", pl.Float64, "Diebold–Mariano with equal weights, corrected, as in R; decides nothing"),
        Column("hln_p_value", pl.Float64, "two-sided, Student t with n − 1 degrees of freedom; decides nothing"),
    ),
    key=("study", "forecaster", "benchmark", "pair", "horizon", "level", "seed"),
)

COVERAGE = Table(
    "coverage",
    "How often the truth lies below each quantile, and within each central interval, per trial.",
    (
        *_TRIAL,
        Column("kind", pl.String, "quantile or interval"),
        _LEVEL,
        Column("n", pl.Int64, "forecasts"),
        Column("share", pl.Float64, "share of forecasts whose truth lies at or below the quantile, or within"),
        Column("low", pl.Float64, "lower end of the interval of that share over time; null where undefined"),
        Column("high", pl.Float64, "upper end of the interval of that share over time; null where undefined"),
        Column("infinite", pl.Int64, "forecasts whose quantile, or an end of whose interval, is infinite"),
        Column("width", pl.Float64, "mean width; null for quantiles, and where an end is infinite", "log return"),
        Column("score", pl.Float64, "mean pinball loss or interval score; null where one is infinite", "log return"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "kind", "level"),
)

SCORES = Table(
    "scores",
    "Scores of the forecast distributions over all levels, per trial.",
    (
        *_TRIAL,
        Column("score", pl.String, "crps, wis (weighted interval score) or rearranged (share of cutoffs)"),
        Column("value", pl.Float64, "mean over forecasts; null where one is infinite"),
        Column("skill", pl.Float64, "1 − value / that of the random walk; null where one of them is null or 0"),
        Column("n", pl.Int64, "forecasts"),
        Column("infinite", pl.Int64, "forecasts whose score is infinite"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "score"),
)

ECONOMICS = Table(
    "economics",
    "What the forecasts earn under the section `economics`. An account is in quote currency and reinvests nothing; all "
    "amounts are shares of its capital, a year. Seeds share the capital evenly, each trading for itself.",
    (
        _STUDY,
        _FORECASTER,
        _PAIR,
        _HORIZON,
        Column("seeds", pl.Int64, "seeds that share the capital"),
        Column("n", pl.Int64, "times at which a position could be open: returns", "bars"),
        Column("filled_at", pl.String, "the price that a position is filled at: open of the next bar, or next fixing"),
        Column("gross", pl.Float64, "gained from price changes, each counted once", "share a year"),
        Column("spread", pl.Float64, "paid for half the spread", "share a year"),
        Column("slippage", pl.Float64, "paid for fills worse than the quote", "share a year"),
        Column("swap", pl.Float64, "earned overnight; negative where paid", "share a year"),
        Column("net", pl.Float64, "gross − spread − slippage + swap", "share a year"),
        Column("sharpe", pl.Float64, "net mean over standard deviation of bars, × √(bars a year)", "a √year"),
        Column(
            "low", pl.Float64, "lower end of its interval, long-run variance by equally weighted cosines", "a √year"
        ),
        Column("high", pl.Float64, "upper end of the same", "a √year"),
        Column("bootstrap_low", pl.Float64, "lower end of its interval by stationary bootstrap", "a √year"),
        Column("bootstrap_high", pl.Float64, "upper end of the same", "a √year"),
        Column("sharpe_gross", pl.Float64, "the same ratio before costs", "a √year"),
        Column("sharpe_delayed", pl.Float64, "the net ratio if every fill comes one bar later", "a √year"),
        Column("probabilistic", pl.Float64, "probability that the true net ratio is above 0, moments heeded"),
        Column("deflated", pl.Float64, "the same, above the best of `tried` without skill; null for one alone"),
        Column("tried", pl.Int64, "settings of forecasters tried on these bars in this home, when this was made"),
        Column(
            "overfitting", pl.Float64, "of a series: how probably the best in one half is below median in the other"
        ),
        Column("drawdown", pl.Float64, "deepest fall of net equity below its highest level so far", "share"),
        Column("turnover", pl.Float64, "value bought and sold", "multiple a year"),
        Column("half_spread_pips", pl.Float64, "mean half-spread paid", "pips"),
        Column("break_even_pips", pl.Float64, "half-spread at which net is 0, slippage and swap as they are", "pips"),
        Column("reason", pl.String, "why a ratio or its interval is undefined; null where none is"),
    ),
    key=("study", "forecaster", "pair", "horizon"),
)

EQUITY = Table(
    "equity",
    "Equity of the accounts in table economics at the last price of every month, as a share of the capital.",
    (
        _STUDY,
        _FORECASTER,
        _PAIR,
        _HORIZON,
        Column("timestamp", UTC_TIME, "when that price was", "UTC"),
        Column("gross", pl.Float64, "gained so far, before costs", "share"),
        Column("net", pl.Float64, "gained so far, after costs", "share"),
    ),
    key=("study", "forecaster", "pair", "horizon", "timestamp"),
)

CLAIMS = Table(
    "claims",
    "Every claim that the protocol asks about, decided or not. Effects are shares of the random walk's mean loss; for "
    "covers, of forecasts; for profitable, of the capital a year. Seeds are averaged before a test: a claim is about "
    "one training run.",
    (
        _STUDY,
        _FORECASTER,
        Column("kind", pl.String, "more_accurate, predicts, equivalent, covers or profitable"),
        Column("scope", pl.String, "series, or pooled: the mean over pairs at each cutoff"),
        Column("pair", pl.String, "currency pair; 'all' when pooled"),
        _HORIZON,
        Column("claimed", pl.Boolean, "p_holm is at or below the protocol's alpha"),
        Column(
            "effect", pl.Float64, "loss removed; covariance with the outcome, coverage − level, net return", "share"
        ),
        Column("low", pl.Float64, "lower end of the effect's interval", "share"),
        Column("high", pl.Float64, "upper end of the effect's interval", "share"),
        Column("p_value", pl.Float64, "one-sided; null where the test is undefined or refused"),
        Column("p_holm", pl.Float64, "Holm-adjusted over the family; undefined tests count as p = 1"),
        Column("family", pl.Int64, "tests of the family"),
        Column("n", pl.Int64, "cutoffs"),
        Column("df", pl.Int64, "cosine coefficients, the degrees of freedom of Student's t"),
        Column("smallest_effect", pl.Float64, "effect that the first step of Holm would find with the power", "share"),
        Column("margin", pl.Float64, "difference that counts as none; null for profitable", "share"),
        Column("margin_reached", pl.Float64, "smallest margin that the first step of Holm would claim", "share"),
        Column("seeds", pl.Int64, "seeds averaged"),
        Column("seeds_agreeing", pl.Int64, "seeds whose own effect lies on the side of the claim"),
        Column("registered", pl.Boolean, "the protocol was on record when the first of its test parts was opened"),
        Column("tried", pl.Int64, "settings of forecasters tried on these bars in this home, when this was made"),
        Column("reason", pl.String, "why the test is undefined or refused; null where it was made"),
    ),
    key=("study", "forecaster", "kind", "scope", "pair", "horizon"),
)

BENCHMARKS = Table(
    "benchmarks",
    "What was timed: a row per thing, scenario and condition of the last run of every benchmark. Durations are of one "
    "call after the warm-up; raw samples lie beside the run in the lake.",
    (
        Column("study", pl.String, "name of the study; empty for what belongs to none"),
        Column("benchmark", pl.String, "command of `golden bench`"),
        Column("run", pl.String, "folder of the run in the lake"),
        Column("subject", pl.String, "what was timed: a forecaster, a variant, a test, a part of the platform"),
        Column("scenario", pl.String, "single, batch, offline, cold, warm, fit, step, … as the plan declares"),
        Column("device", pl.String, "cpu or cuda"),
        Column("precision", pl.String, "number format: float64, float32, bfloat16 or tf32"),
        Column("threads", pl.Int32, "threads of a call"),
        Column("batch", pl.Int64, "units of work in a call"),
        Column("unit", pl.String, "what is counted"),
        Column("samples", pl.Int64, "timed calls"),
        Column("warm_up", pl.Int64, "calls before them, left out"),
        Column("steady", pl.Boolean, "the warm-up ended by its rule, not by its limit"),
        Column("mean_ms", pl.Float64, "mean of a call", "ms"),
        Column("sd_ms", pl.Float64, "standard deviation", "ms"),
        Column("p50_ms", pl.Float64, "median; null below 11 samples", "ms"),
        *(
            Column(f"p{p}{kind}_ms", pl.Float64, text.format(p), "ms")
            for p in (90, 95, 99)
            for kind, text in (
                ("", "{}th percentile; null below MLPerf's sample size"),
                ("_bound", "what the {}th percentile does not exceed with 99 % confidence; null for too few samples"),
            )
        ),
        Column("throughput", pl.Float64, "units per second"),
        Column("memory_mb", pl.Float64, "peak memory: resident of the process, or allocated on the device", "MB"),
        Column("flops", pl.Float64, "floating-point operations of a call; null where there is no network to count"),
        Column("peak_share", pl.Float64, "operations per second over those of a matrix product in the same run"),
        Column("bandwidth_share", pl.Float64, "least bytes moved per second over those of a copy in the same run"),
        Column("energy_j", pl.Float64, "energy of a call by a counter, idling left out; null where unmeasured", "J"),
        Column("against", pl.String, "what it was compared with in pairs; empty for nothing"),
        Column("ratio", pl.Float64, "how many times as long the other took"),
        Column("ratio_low", pl.Float64, "lower end of the ratio's 99 % interval"),
        Column("ratio_high", pl.Float64, "upper end of the ratio's 99 % interval"),
        Column("p_value", pl.Float64, "of no difference, by signed ranks; null for fewer than 8 pairs"),
        Column("undefined", pl.String, "what is null above, and why"),
        Column("measured_at", UTC_TIME, "when the run ended", "UTC"),
        Column("machine", pl.String, "class of the machine: processor, cores, accelerator"),
        Column("load", pl.Float64, "what waited for a core when the run ended, per core, over a minute"),
        Column("commit", pl.String, "of the code; null without git"),
        Column("dirty", pl.Boolean, "the code differed from its commit"),
        Column("versions", pl.String, "of the libraries, as JSON"),
    ),
    key=("study", "benchmark", "run", "subject", "scenario", "device", "precision", "threads", "batch"),
)

_METHOD = Column("method", pl.String, "integrated_gradients, shap, occlusion or attention")
_LAG = Column("lag", pl.Int32, "bars before the cutoff; 0 is the bar of the cutoff itself", "bars")
_FEATURE = Column("feature", pl.String, "name of the feature")

ATTRIBUTIONS = Table(
    "attributions",
    "What each feature at each lag does to one forecast, by one method; one file per checkpoint.",
    (
        *_TRIAL,
        _FOLD,
        _METHOD,
        _CUTOFF,
        _LAG,
        _FEATURE,
        Column("attribution", pl.Float64, "share in forecast less forecast at the baseline", "standardised target"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "fold", "method", "cutoff", "lag", "feature"),
)

IMPORTANCES = Table(
    "importances",
    "How much of a network's attributions falls on each feature at each lag, over all folds.",
    (
        *_TRIAL,
        _METHOD,
        _FEATURE,
        _LAG,
        Column("share", pl.Float64, "share of the mean absolute attribution; all cells add up to one"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "method", "feature", "lag"),
)

EXPLANATIONS = Table(
    "explanations",
    "What the sanity checks say of each method on each network, and whether its explanations are reported.",
    (
        *_TRIAL,
        _METHOD,
        Column("rows", pl.Int64, "windows explained"),
        Column("incomplete", pl.Float64, "largest gap of a sum, in tolerances; null where none is promised"),
        Column("randomised", pl.Float64, "Spearman with explanations of networks without what was learned"),
        Column("deletion_p", pl.Float64, "p-value of deletion against random order, one-sided"),
        Column("insertion_p", pl.Float64, "p-value of insertion against random order, one-sided"),
        Column("other_methods", pl.Float64, "mean Spearman with the other methods, window by window; null for one"),
        Column("other_seeds", pl.Float64, "mean Spearman with the other seeds, window by window; null for one"),
        Column("reported", pl.Boolean, "nothing speaks against showing it"),
        Column("reason", pl.String, "why it is not reported"),
    ),
    key=("study", "forecaster", "pair", "horizon", "seed", "method"),
)

WAREHOUSE_TABLES = (
    TRIALS, FOLDS, SCALERS, FORECASTS, HISTORY, CALENDAR, CLEANING, METRICS, SUMMARY, COMPARISONS, QUANTILES, COVERAGE,
    SCORES, ECONOMICS, EQUITY, CLAIMS, BENCHMARKS, IMPORTANCES, EXPLANATIONS,
)  # fmt: skip
