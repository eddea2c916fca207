"""The science of FX forecasting: data, splits, forecasters, evaluation. Nothing here imports Dagster."""
