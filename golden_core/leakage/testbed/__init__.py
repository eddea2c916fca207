"""A small, complete and honest forecasting pipeline whose every stage can be replaced, to plant leaks in."""

from golden_core.leakage.testbed.market import Plan, draw_plan, raw_bars
from golden_core.leakage.testbed.pipeline import CLEAN, Stages, build_testbed

__all__ = ["CLEAN", "Plan", "Stages", "build_testbed", "draw_plan", "raw_bars"]
