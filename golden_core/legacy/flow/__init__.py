"""How data flowed through a legacy experiment: facts, graph, picture and source text. No judgement is made here."""

from golden_core.legacy.flow.graph import flow_source
from golden_core.legacy.flow.picture import flow_svg

__all__ = ["flow_source", "flow_svg"]
