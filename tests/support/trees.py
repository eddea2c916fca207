"""Trees of files to take an inventory of."""

from golden_core.legacy.scanning import scan_tree


def plant(root, files):
    """Write files by their paths."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def scan(root, files):
    """Write files, then take the inventory of the folder."""
    plant(root, files)
    return scan_tree(root)
