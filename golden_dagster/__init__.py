"""The orchestration: assets, checks, gate and command line. Nothing here computes a statistic."""

import gc
import warnings

# What imports and definitions make stays: by its own threshold of 700 objects Python looks for garbage among it again
# and again (`golden bench startup` times it).
gc.set_threshold(50_000, 10, 10)

# Partition mappings, backfill policies and dagster-pandas are what this project is asked to use; the release is pinned,
# so that Dagster calls them beta tells a user nothing.
warnings.filterwarnings("ignore", message=r".*is currently in (beta|preview)")
