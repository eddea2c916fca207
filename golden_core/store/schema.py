"""Columns, dtypes, units and keys of every table; no computation belongs here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from golden_core.store.table import Column, Table

UTC_TIME = pl.Datetime("us", "UTC")

# Columns of several tables: name, type, meaning and, in brackets, the unit.
_SHARED = """
    study      text  name of the study
    forecaster text  name in the registry of forecasters
    pair       text  currency pair, base then quote
    horizon    int32 bars looked ahead [bars]
    seed       int32 index of the seed within the study
    fold       int32 index of the fold
    cutoff     time  forecast origin: when the last bar of the window is known [UTC]
    level      float nominal probability of the quantile, or of the central interval
    method     text  integrated_gradients, shap, occlusion or attention
    feature    text  name of the feature
    lag        int32 bars before the cutoff; 0 is the bar of the cutoff itself [bars]"""

# Tables: name and key, description, columns. Behind & stand shared columns; a ? marks a column that may be missing.
_TABLES = """
rates: date currency
Reference rates as published: units of a currency for one euro, one row per day and currency.
    date     day   day of the fixing
    currency text  ISO 4217 code
    rate     float units of the currency for one euro

bars: pair timestamp
Prices, one row per pair and bar. A source that has one fixing a day has a close and nothing else.
    & pair
    timestamp    time  bar open, or the fixing itself [UTC]
    available_at time  when the bar is known [UTC]
    open?        float first price [quote per base]
    high?        float highest price [quote per base]
    low?         float lowest price [quote per base]
    close        float last price, or the fixing [quote per base]
    volume?      float as the vendor defines it

cleaning: pair rule action
The account of cleaning: every raw row once, under the rule that decided about it.
    & pair
    rule   text  name of the rule
    action text  kept, repaired or quarantined
    rows   int   rows the rule decided about
    detail text  what the rule does

ledger: pair position
Every row of the raw table that cleaning remarked on: what became of it, why, and what it was.
    & pair
    timestamp time  bar open, as it came [UTC]
    position  int   row of the pair's raw table, counted from 1
    action    text  kept, repaired or quarantined
    rule      text  the rule that decided, the first that applies
    open      float as it came; null where the source has none [quote per base]
    high      float as it came [quote per base]
    low       float as it came [quote per base]
    close     float as it came [quote per base]
    volume    float as it came

quality: pair month
The quality of raw bars by pair and month. A count is null where the bars cannot show it.
    & pair
    month       day   first day of the month (UTC)
    expected    int   bars that the calendar asks for, those that a closure explains left out
    present     int   of these, bars that are there after cleaning
    missing     int   of these, bars that are not
    explained   int   bars that are not there because a holiday closes the market
    partial     int   bars of which a part lies outside the trading week
    kept        int   raw rows that stay as they came
    repaired    int   raw rows that stay, changed or moved
    quarantined int   raw rows that do not stay
    filled      int   of the quarantined, flat rows of a closed market and stubs of weekends
    flat        int   raw rows with open = high = low = close, the filled left out
    spikes      int   raw rows off the scale, refuted by other pairs, or undone by the next bar
    zero_volume int   raw rows with no volume
    longest_gap int   most expected bars missing in a row, those of other months included [bars]

parity: triangle
Triangular parity: how far log(AB) + log(BC) − log(AC) is from zero where all three pairs have a bar.
    triangle text  EURUSD × USDJPY / EURJPY: the third pair is what the first two imply
    bars     int   times at which all three pairs have a bar
    median   float median residual [log price]
    q50_abs  float median absolute residual [log price]
    q99_abs  float 99th percentile of the absolute residual [log price]
    max_abs  float largest absolute residual [log price]
    flagged  int   bars with an absolute residual beyond the study's bound

calendar: pair date
Every weekday of the range on which no bar exists, with its explanation.
    & pair
    date        day   the weekday without a bar
    explanation text  name of the holiday; null where nothing explains the gap

folds: study pair horizon fold part segment
Every part of every fold, a row per run of consecutive rows: what it spans and when that is known. Rows are positions
in the pair's bars. Counts of a part stand in its first segment and are 0 in the others: they add up.
    & study pair horizon fold
    part                 text  train, validation or test
    segment              int32 number of the run within its part, from 0
    scheme               text  how the fold was laid; walk_forward: parts in the order of time
    row_start            int   first row
    row_stop             int   one past the last row
    rows                 int   row_stop − row_start
    laid_rows            int   rows of the part before any was dropped: kept + purged + embargoed + dropped
    purged_rows          int   rows dropped because their labels touch those of a held-out part
    embargoed_rows       int   further rows dropped as the extra gap around a held-out part
    closure_dropped_rows int   further rows dropped because they cross a closure
    closure_rows         int   rows left by the embargo that cross a closure; null where the study keeps them
    closure_windows      int   those of closure_rows whose window crosses a closure
    closure_labels       int   those of closure_rows whose label crosses a closure
    first_timestamp      time  timestamp of the first row [UTC]
    last_timestamp       time  timestamp of the last row [UTC]
    window_start         time  timestamp of the first bar that a window reads [UTC]
    first_cutoff         time  available_at of the first row [UTC]
    last_cutoff          time  available_at of the last row [UTC]
    label_stop           int   one past the last row that a label reads
    label_end            time  available_at of the last row that a label reads [UTC]

scalers: study pair horizon fold column
Mean and scale of every input column and of the target, from the training rows of the fold alone.
    & study pair horizon fold
    column text  name of the feature, or 'target'
    mean   float mean over the training rows
    scale  float population standard deviation over the training rows
    rows   int   rows the statistics were computed from

forecasts: study forecaster pair horizon seed cutoff
What a forecaster hands on: one row per cutoff. Every metric can be recomputed from here.
    & study forecaster pair horizon seed fold cutoff
    target_at       time  when the target is known [UTC]
    crosses_closure bool  a closure lies between the cutoff and the target
    last_close      float close at the cutoff [quote per base]
    true_close      float close at the target [quote per base]
    pred_close      float forecast close: last_close · exp(y_pred) [quote per base]
    y_true          float log(true_close / last_close) [log return]
    y_pred          float forecast log return [log return]
    scale           float mean |h-bar log return| of the fold's training rows [log return]
    volatility      float trailing standard deviation of 1-bar log returns at the cutoff

history: study forecaster pair horizon seed fold epoch
Learning curves: one row per epoch.
    & study forecaster pair horizon seed fold
    epoch           int32 counted from 1
    train_loss      float mean squared error, scaled target, training mode
    validation_loss float mean squared error, scaled target, inference mode
    learning_rate   float rate used in this epoch

quantiles: study forecaster pair horizon seed cutoff level
Calibrated quantiles of the log return beside the forecasts, one row per cutoff and level; of a forecaster that gives
point forecasts only there are none.
    & study forecaster pair horizon seed fold cutoff level
    value      float quantile; infinite where only that is valid [log return]
    rearranged bool  the quantiles of this cutoff crossed and were put in order

trials: study forecaster pair horizon seed
One row per trial that the study asks for, whatever became of it.
    & study forecaster pair horizon seed
    status         text  done, shared (a deterministic forecaster's further seed), failed or missing
    fingerprint    text  hash of everything that the trial depends on
    deterministic  bool  the forecaster declares that seeds do not matter
    parameters     int   trainable and fixed numbers of the fitted model, one fold
    wall_seconds   float elapsed [s]
    cpu_seconds    float processor time [s]
    peak_memory_mb float highest resident memory of the worker so far [MB]
    error          text  what went wrong, for a failed trial

metrics: study forecaster pair horizon seed stratum_kind stratum metric
One row per trial, stratum and metric, computed from forecasts alone.
    & study forecaster pair horizon seed
    stratum_kind text  all, year, volatility_tercile, session or weekday
    stratum      text  value of the stratum; 'all' where there is none
    metric       text  name of the metric
    value        float null where the metric is undefined
    n            int   forecasts that entered

summary: study forecaster scope pair horizon metric
Metrics over seeds. A deterministic forecaster has one seed and no spread.
    & study forecaster
    scope          text  series, macro (mean over series) or micro (all forecasts pooled)
    pair           text  currency pair; 'all' when averaged over pairs
    horizon        int32 bars looked ahead; 0 when averaged over horizons [bars]
    metric         text  name of the metric
    seeds          int   seeds that entered
    mean           float mean over seeds
    sd             float standard deviation over seeds; null for one seed
    t_low          float lower end of the Student t interval of the mean
    t_high         float upper end of the Student t interval of the mean
    bootstrap_low  float lower end of the bootstrap interval of the mean
    bootstrap_high float upper end of the bootstrap interval of the mean

comparisons: study forecaster benchmark pair horizon level seed
Tests of equal accuracy of every forecaster against the random walk, per series.
    & study forecaster
    benchmark       text  the forecaster compared with
    & pair horizon
    level           text  ensemble (seed-averaged forecasts) or seed
    seed            int32 index of the seed; −1 for the ensemble
    n               int   forecasts compared
    mean_difference float mean squared error minus the benchmark's; negative is better
    statistic       float mean difference over its long-run standard error by equally weighted cosines
    df              int   cosine coefficients, the degrees of freedom of Student's t
    p_value         float two-sided
    p_holm          float Holm-adjusted over all tests of the same level; undefined tests count as p = 1
    hln_statistic   float Diebold–Mariano with equal weights, corrected, as in R; decides nothing
    hln_p_value     float two-sided, Student t with n − 1 degrees of freedom; decides nothing

coverage: study forecaster pair horizon seed kind level
How often the truth lies below each quantile, and within each central interval, per trial.
    & study forecaster pair horizon seed
    kind     text  quantile or interval
    & level
    n        int   forecasts
    share    float share of forecasts whose truth lies at or below the quantile, or within
    low      float lower end of the interval of that share in the long run; null where undefined
    high     float upper end of the interval of that share in the long run; null where undefined
    infinite int   forecasts whose quantile, or an end of whose interval, is infinite
    width    float mean width; null for quantiles, and where an end is infinite [log return]
    score    float mean pinball loss or interval score; null where one is infinite [log return]

scores: study forecaster pair horizon seed score
Scores of the forecast distributions over all levels, per trial.
    & study forecaster pair horizon seed
    score    text  crps, wis (weighted interval score) or rearranged (share of cutoffs)
    value    float mean over forecasts; null where one is infinite
    skill    float 1 − value / that of the random walk; null where one of them is null or 0
    n        int   forecasts
    infinite int   forecasts whose score is infinite

economics: study forecaster pair horizon
What the forecasts earn under the section `economics`. An account is in quote currency and reinvests nothing; all
amounts are shares of its capital, a year. Seeds share the capital evenly, each trading for itself.
    & study forecaster pair horizon
    seeds            int   seeds that share the capital
    n                int   times at which a position could be open: returns [bars]
    filled_at        text  the price that a position is filled at: open of the next bar, or next fixing
    gross            float gained from price changes, each counted once [share a year]
    spread           float paid for half the spread [share a year]
    slippage         float paid for fills worse than the quote [share a year]
    swap             float earned overnight; negative where paid [share a year]
    net              float gross − spread − slippage + swap [share a year]
    sharpe           float net mean over standard deviation of bars, × √(bars a year) [a √year]
    low              float lower end of its interval, long-run variance by equally weighted cosines [a √year]
    high             float upper end of the same [a √year]
    bootstrap_low    float lower end of its interval by stationary bootstrap [a √year]
    bootstrap_high   float upper end of the same [a √year]
    sharpe_gross     float the same ratio before costs [a √year]
    sharpe_delayed   float the net ratio if every fill comes one bar later [a √year]
    probabilistic    float probability that the true net ratio is above 0, moments heeded
    deflated         float the same, above the best of `tried` without skill; null for one alone
    tried            int   settings of forecasters tried on these bars in this home, when this was made
    overfitting      float of a series: how probably the best in one half is below median in the other
    drawdown         float deepest fall of net equity below its highest level so far [share]
    turnover         float value bought and sold [multiple a year]
    half_spread_pips float mean half-spread paid [pips]
    break_even_pips  float half-spread at which net is 0, slippage and swap as they are [pips]
    reason           text  why a ratio or its interval is undefined; null where none is

equity: study forecaster pair horizon timestamp
Equity of the accounts in table economics at the last price of every month, as a share of the capital.
    & study forecaster pair horizon
    timestamp time  when that price was [UTC]
    gross     float gained so far, before costs [share]
    net       float gained so far, after costs [share]

claims: study forecaster kind scope pair horizon
Every claim that the protocol asks about, decided or not. Effects are shares of the random walk's mean loss; for
covers, of forecasts; for profitable, of the capital a year. Seeds are averaged before a test: a claim is about one
training run.
    & study forecaster
    kind            text  more_accurate, predicts, equivalent, covers or profitable
    scope           text  series, or pooled: the mean over pairs at each cutoff
    pair            text  currency pair; 'all' when pooled
    & horizon
    claimed         bool  p_holm is at or below the protocol's alpha
    effect          float loss removed; covariance with the outcome, coverage − level, net return [share]
    low             float lower end of the effect's interval [share]
    high            float upper end of the effect's interval [share]
    p_value         float one-sided; null where the test is undefined or refused
    p_direction     float of a skill in the direction alone, at most p_value; null for equivalent and covers
    p_holm          float Holm-adjusted over the family; undefined tests count as p = 1
    family          int   tests of the family
    n               int   cutoffs
    df              int   cosine coefficients, the degrees of freedom of Student's t
    smallest_effect float effect that the first step of Holm would find with the power [share]
    margin          float difference that counts as none; null for profitable [share]
    margin_reached  float smallest margin that the first step of Holm would claim [share]
    seeds           int   seeds averaged
    seeds_agreeing  int   seeds whose own effect lies on the side of the claim
    registered      bool  the protocol was on record when the first of its test parts was opened
    tried           int   settings of forecasters tried on these bars in this home, when this was made
    reason          text  why the test is undefined or refused; null where it was made

benchmarks: study benchmark run subject scenario device precision threads batch
What was timed: a row per thing, scenario and condition of the last run of every benchmark. Durations are of one call
after the warm-up; raw samples lie beside the run in the lake.
    study           text  name of the study; empty for what belongs to none
    benchmark       text  command of `golden bench`
    run             text  folder of the run in the lake
    subject         text  what was timed: a forecaster, a variant, a test, a part of the platform
    scenario        text  single, batch, offline, cold, warm, fit, step, … as the plan declares
    device          text  cpu or cuda
    precision       text  number format: float64, float32, bfloat16 or tf32
    threads         int32 threads of a call
    batch           int   units of work in a call
    unit            text  what is counted
    samples         int   timed calls
    warm_up         int   calls before them, left out
    steady          bool  the warm-up ended by its rule, not by its limit
    mean_ms         float mean of a call [ms]
    sd_ms           float standard deviation [ms]
    p50_ms          float median; null below 11 samples [ms]
    p90_ms          float 90th percentile; null below MLPerf's sample size [ms]
    p90_bound_ms    float what the 90th percentile does not exceed with 99 % confidence; null for too few samples [ms]
    p95_ms          float 95th percentile; null below MLPerf's sample size [ms]
    p95_bound_ms    float what the 95th percentile does not exceed with 99 % confidence; null for too few samples [ms]
    p99_ms          float 99th percentile; null below MLPerf's sample size [ms]
    p99_bound_ms    float what the 99th percentile does not exceed with 99 % confidence; null for too few samples [ms]
    throughput      float units per second
    memory_mb       float peak memory: resident of the process, or allocated on the device [MB]
    flops           float floating-point operations of a call; null where there is no network to count
    peak_share      float operations per second over those of a matrix product in the same run
    bandwidth_share float least bytes moved per second over those of a copy in the same run
    energy_j        float energy of a call by a counter, idling left out; null where unmeasured [J]
    against         text  what it was compared with in pairs; empty for nothing
    ratio           float how many times as long the other took
    ratio_low       float lower end of the ratio's 99 % interval
    ratio_high      float upper end of the ratio's 99 % interval
    p_value         float of no difference, by signed ranks; null for fewer than 8 pairs
    undefined       text  what is null above, and why
    measured_at     time  when the run ended [UTC]
    machine         text  class of the machine: processor, cores, accelerator
    load            float what waited for a core when the run ended, per core, over a minute
    commit          text  of the code; null without git
    dirty           bool  the code differed from its commit
    versions        text  of the libraries, as JSON

attributions: study forecaster pair horizon seed fold method cutoff lag feature
What each feature at each lag does to one forecast, by one method; one file per checkpoint.
    & study forecaster pair horizon seed fold method cutoff lag feature
    attribution float share in forecast less forecast at the baseline [standardised target]

importances: study forecaster pair horizon seed method feature lag
How much of a network's attributions falls on each feature at each lag, over all folds.
    & study forecaster pair horizon seed method feature lag
    share float share of the mean absolute attribution; all cells add up to one

explanations: study forecaster pair horizon seed method
What the sanity checks say of each method on each network, and whether its explanations are reported.
    & study forecaster pair horizon seed method
    rows          int   windows explained
    incomplete    float largest gap of a sum, in tolerances; null where none is promised
    randomised    float Spearman with explanations of networks without what was learned
    deletion_p    float p-value of deletion against random order, one-sided
    insertion_p   float p-value of insertion against random order, one-sided
    other_methods float mean Spearman with the other methods, window by window; null for one
    other_seeds   float mean Spearman with the other seeds, window by window; null for one
    reported      bool  nothing speaks against showing it
    reason        text  why it is not reported"""

_DTYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String, "bool": pl.Boolean, "int32": pl.Int32, "int": pl.Int64, "float": pl.Float64, "day": pl.Date,
    "time": UTC_TIME,
}  # fmt: skip


def _columns(lines: Iterable[str]) -> Iterator[Column]:
    for name, *told in (line.split(maxsplit=2) for line in lines):
        if name == "&":
            yield from (_COMMON[one] for one in " ".join(told).split())
        else:
            text, _, unit = told[1].removesuffix("]").partition(" [")
            yield Column(name.removesuffix("?"), _DTYPES[told[0]], text, unit, name.endswith("?"))


def _table(block: str) -> Table:
    told, *columns = block.split("\n    ")
    head, *said = told.splitlines()
    name, key = head.split(": ")
    return Table(name, " ".join(said), tuple(_columns(columns)), tuple(key.split()))


_COMMON = {column.name: column for column in _columns(_SHARED.strip().splitlines())}
(
    RATES, BARS, CLEANING, LEDGER, QUALITY, PARITY, CALENDAR, FOLDS, SCALERS, FORECASTS, HISTORY, QUANTILES, TRIALS,
    METRICS, SUMMARY, COMPARISONS, COVERAGE, SCORES, ECONOMICS, EQUITY, CLAIMS, BENCHMARKS, ATTRIBUTIONS, IMPORTANCES,
    EXPLANATIONS,
) = map(_table, _TABLES.strip().split("\n\n"))  # fmt: skip

WAREHOUSE_TABLES = (
    TRIALS, FOLDS, SCALERS, FORECASTS, HISTORY, CALENDAR, CLEANING, METRICS, SUMMARY, COMPARISONS, QUANTILES, COVERAGE,
    SCORES, ECONOMICS, EQUITY, CLAIMS, BENCHMARKS, IMPORTANCES, EXPLANATIONS,
)  # fmt: skip
