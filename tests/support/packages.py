"""A package in miniature, as pip leaves it: one module, and metadata that offer its forecasters."""

import os


def install(monkeypatch, folder, module, source, offered, *, name=""):
    """Write a module and what offers its classes, name → class, for this process and for those that it starts."""
    metadata = folder / f"{name or module}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / f"{module}.py").write_text(source)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name or module}\nVersion: 1.0\n")
    lines = [f"{key} = {module}:{kind}" for key, kind in offered.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[golden_core.forecasters]", *lines, ""]))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
