"""The small published tables: dagster-pandas types that guard them, and the Parquet files they are stored in."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
from dagster_pandas import PandasColumn, create_dagster_pandas_dataframe_type

from golden_core.store.lake import Home, write_parquet

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
        write_parquet(pl.from_pandas(obj), published_path(context.output_metadata["study"].value, context.asset_key))

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read one table."""
        study = (context.upstream_output or context).definition_metadata["study"]
        return pl.read_parquet(published_path(study, context.asset_key)).to_pandas()
