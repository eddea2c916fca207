"""The campaign against ourselves: how often the pipeline claims a skill where none is, and where one was planted."""
