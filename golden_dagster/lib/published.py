"""Published tables: the dagster-pandas types that guard them, their Parquet files, and where columns come from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
from dagster_pandas import PandasColumn, create_dagster_pandas_dataframe_type

from golden_core.store.lake import Home, hash_file, write_parquet
from golden_core.study import Study

_TRIAL = ("study", "forecaster", "pair", "horizon", "seed")
_COMPARISONS, _METRICS = dg.AssetKey("comparisons"), dg.AssetKey("metrics")
_TESTED = (  # columns of comparisons that are made of errors
    "n", "mean_difference", "statistic", "df", "p_value", "p_holm", "hln_statistic", "hln_p_value",
)  # fmt: skip
_ERRORS = ("y_true", "y_pred")  # of which every comparison is made

Origin = dict[str, Sequence[tuple[dg.AssetKey, str]]]

LeaderboardFrame = create_dagster_pandas_dataframe_type(
    name="LeaderboardFrame",
    description="One row per forecaster, best first; one without results has neither rank nor numbers.",
    columns=[
        PandasColumn.string_column("forecaster", non_nullable=True, unique=True),
        PandasColumn.integer_column("rank", min_value=1, ignore_missing_vals=True),
        PandasColumn.numeric_column("r2_oos", max_value=1.0, ignore_missing_vals=True),
        PandasColumn.numeric_column("mase", min_value=0.0, ignore_missing_vals=True),
        PandasColumn.numeric_column("directional_accuracy", min_value=0.0, max_value=1.0, ignore_missing_vals=True),
        PandasColumn.integer_column("seeds", min_value=0, ignore_missing_vals=True),
    ],
)

ComparisonsFrame = create_dagster_pandas_dataframe_type(
    name="ComparisonsFrame",
    description="Diebold–Mariano tests against the random walk.",
    columns=[
        PandasColumn.string_column("forecaster", non_nullable=True),
        PandasColumn.string_column("benchmark", non_nullable=True),
        PandasColumn.categorical_column("level", {"ensemble", "seed"}, non_nullable=True),
        PandasColumn.integer_column("n", min_value=1, non_nullable=True),
        PandasColumn.numeric_column("p_value", min_value=0.0, max_value=1.0, ignore_missing_vals=True),
        PandasColumn.numeric_column("p_holm", min_value=0.0, max_value=1.0, ignore_missing_vals=True),
    ],
)


def published_frame(table: pl.DataFrame) -> pd.DataFrame:
    """Return a table as dagster-pandas checks it: whole numbers stay whole where some are missing."""
    whole = [name for name, dtype in table.schema.items() if dtype.is_integer()]
    return table.to_pandas().astype(dict.fromkeys(whole, "Int64"))


def published_path(study: str, key: dg.AssetKey) -> Path:
    """Return the file of a published table: a study has its own, beside those that its trials read."""
    return Home.from_environment().study(study).table("published", "__".join(key.path))


def altered_table(instance: dg.DagsterInstance, study: str, key: dg.AssetKey) -> Path | None:
    """Return the file of a published table if it is not what was last written; None too where nothing was."""
    event, path = instance.get_latest_materialization_event(key), published_path(study, key)
    filed = event and event.asset_materialization and event.asset_materialization.metadata.get("sha256")
    return path if filed and not (path.is_file() and hash_file(path) == filed.value) else None


class ParquetTables(dg.ConfigurableIOManager):
    """Stores data frames as Parquet under the home; the default everywhere, so that nothing is ever pickled."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Write one table, whole or not at all."""
        if obj is None:
            return
        if not isinstance(obj, pd.DataFrame):
            raise TypeError(
                f"{context.asset_key.to_user_string()} returned {type(obj).__name__}, expected a data frame"
            )
        path = published_path(context.output_metadata["study"].value, context.asset_key)
        write_parquet(pl.from_pandas(obj), path)
        context.add_output_metadata({"sha256": hash_file(path)})

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read one table."""
        study = (context.upstream_output or context).definition_metadata["study"]
        return pl.read_parquet(published_path(study, context.asset_key)).to_pandas()


def located(table: str, path: Path, origin: Origin) -> dict[str, Any]:
    """Return the metadata of a table: its name, the file that holds it, and the columns behind each column."""
    deps = {name: [dg.TableColumnDep(key, column) for key, column in found] for name, found in origin.items()}
    return {
        "dagster/table_name": table,
        "dagster/uri": path.as_uri(),
        "dagster/column_lineage": dg.TableColumnLineage(deps),
    }


def metrics_origin(study: Study) -> Origin:
    """Return what the table ``metrics`` is computed from: columns of the forecasts of every model."""
    strata, value = ("cutoff", "volatility"), (*_ERRORS, "last_close", "scale")
    return _origin(study, {"stratum_kind": strata, "stratum": strata, "value": value, "n": _ERRORS})


def comparisons_origin(study: Study) -> Origin:
    """Return what the table ``comparisons`` is computed from; it averages over seeds where its level says so."""
    return _origin(study, dict.fromkeys(_TESTED, _ERRORS))


def leaderboard_origin(columns: Sequence[str]) -> Origin:
    """Return what the columns of the leaderboard come from: tests from comparisons, the rest from metrics."""
    tests: Origin = {
        name: [(_COMPARISONS, "p_holm"), (_COMPARISONS, "mean_difference")] for name in ("tested", "better", "worse")
    }
    same: Origin = {
        "forecaster": [(_METRICS, "forecaster")],
        "seeds": [(_METRICS, "seed")],
        "series": [(_METRICS, "pair"), (_METRICS, "horizon")],
        "forecasts": [(_METRICS, "n")],
    }
    known = tests | same
    return {name: known.get(name, [(_METRICS, "value")]) for name in columns if name != "deterministic"}


def _origin(study: Study, made: Mapping[str, Sequence[str]]) -> Origin:
    """Return every column of a trial's key and what is ``made`` of columns of forecasts, over all models."""
    models = [dg.AssetKey(["models", name]) for name in sorted(study.forecasters)]
    own = {name: [name] for name in _TRIAL} | dict(made)
    return {name: [(model, column) for model in models for column in columns] for name, columns in own.items()}
