"""The campaign against ourselves, of a study that declares one."""
