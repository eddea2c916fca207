"""The orchestration: assets, checks, gate and command line. Nothing here computes a statistic."""

import warnings

# Partition mappings, backfill policies and dagster-pandas are what this project is asked to use; the release is pinned,
# so that Dagster calls them beta tells a user nothing.
warnings.filterwarnings("ignore", message=r".*is currently in (beta|preview)")
