"""One fact about legacy files per module, each read from bytes. Nothing here imports or executes what it reads."""
