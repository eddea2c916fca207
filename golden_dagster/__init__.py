"""The orchestration: assets, checks, gate and command line. Nothing here computes a statistic."""

import gc
import warnings

# Imports and definitions make 240,000 objects that stay: by its own threshold of 700 Python looks for garbage
# among them again and again, a tenth of the time until the definitions of a study are there.
gc.set_threshold(50_000, 10, 10)

# Partition mappings, backfill policies and dagster-pandas are what this project is asked to use; the release is pinned,
# so that Dagster calls them beta tells a user nothing.
warnings.filterwarnings("ignore", message=r".*is currently in (beta|preview)")
