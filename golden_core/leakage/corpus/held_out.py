"""Leaks written after the probes were frozen: what the corpus did not teach them."""

from __future__ import annotations

from golden_core.leakage.corpus.planting import Mechanism

MECHANISMS: dict[str, Mechanism] = {}
