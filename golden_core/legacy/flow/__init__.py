"""How data flowed through a legacy experiment: facts, graph, picture and source text. No judgement is made here."""
