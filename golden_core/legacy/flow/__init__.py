"""How data flowed through a legacy experiment: facts, graph, picture and source text. No judgement is made here."""

from golden_core.legacy.flow.picture import flow_svg
from golden_core.legacy.flow.source import flow_source

__all__ = ["flow_source", "flow_svg"]
