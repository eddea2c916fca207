"""Raw files as a server gave them, with their hashes: what is here and unchanged is not asked for again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from golden_core.sources.base import SourceError
from golden_core.store.lake import hash_bytes, hash_file, read_json, replacing, write_json

Found = Literal["cached", "absent"]
MANIFEST = "manifest.json"


class Cache:
    """The raw files of one folder below ``root``, as at the server, and the manifest beside them."""

    def __init__(self, root: Path, folder: str) -> None:
        self.root = root
        self.manifest = root / folder / MANIFEST
        self._known = self._load()

    def look(self, path: PurePosixPath, url: str, settled: dt.datetime) -> Found | None:
        """Say what is known of a file (its path below the root), or None if it must be asked for.

        Another address, or an answer from before the file was ``settled`` (UTC), is not trusted.
        """
        entry = self._known.get(str(path))
        if entry is None or entry["url"] != url or dt.datetime.fromisoformat(entry["asked_at"]) < settled:
            return None
        if entry["state"] == "absent":
            return "absent"
        return None if self.altered(path) or not (self.root / path).is_file() else "cached"

    def altered(self, path: PurePosixPath) -> bool:
        """Tell whether a file is here, but is not the one that was fetched."""
        fetched, local = self._known.get(str(path), {}).get("sha256"), self.root / path
        return fetched is not None and local.is_file() and hash_file(local) != fetched

    def keep(self, path: PurePosixPath, body: bytes, url: str, asked_at: dt.datetime) -> None:
        """Write a file, then its entry: a process killed in between asks for it anew."""
        with replacing(self.root / path) as temporary:
            temporary.write_bytes(body)
        self._enter(path, {"state": "fetched", "url": url, "sha256": hash_bytes(body), "bytes": len(body)}, asked_at)

    def keep_absence(self, path: PurePosixPath, url: str, asked_at: dt.datetime) -> None:
        """Record that the server has no such file."""
        self._enter(path, {"state": "absent", "url": url}, asked_at)

    def _enter(self, path: PurePosixPath, entry: dict[str, Any], asked_at: dt.datetime) -> None:
        self._known[str(path)] = entry | {"asked_at": asked_at.isoformat(timespec="seconds")}
        write_json({"files": self._known}, self.manifest)

    def _load(self) -> dict[str, dict[str, Any]]:
        if not self.manifest.exists():
            return {}
        try:
            known = dict(read_json(self.manifest)["files"])
            for entry in known.values():
                asked_at = dt.datetime.fromisoformat(entry["asked_at"])
                sound = entry["state"] == "absent" or (entry["state"] == "fetched" and entry["sha256"])
                if not sound or asked_at.tzinfo is None or not isinstance(entry["url"], str):
                    raise ValueError(f"the entry {entry}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{self.manifest} is damaged ({error}): delete it and fetch again") from error
        return known
