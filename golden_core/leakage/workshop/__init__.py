"""A small, complete and honest forecasting pipeline whose every stage can be replaced, to plant leaks in."""

from golden_core.leakage.workshop.market import raw_bars
from golden_core.leakage.workshop.pipeline import workshop
from golden_core.leakage.workshop.plan import Plan, draw_plan
from golden_core.leakage.workshop.stages import CLEAN, Stages

__all__ = ["CLEAN", "Plan", "Stages", "draw_plan", "raw_bars", "workshop"]
