"""Blocks of universes under identities of yesterday's settings, code or libraries: nothing counts them any more."""

from __future__ import annotations

import re

from golden_core.placebo.blocks import block_file, blocks
from golden_core.placebo.filed import Name, arms_of
from golden_core.placebo.universe import Gate
from golden_core.store.lake import Home, stored_json
from golden_core.study import Study
from golden_core.trials.superseded import Superseded

_NAMES: tuple[Name, ...] = ("placebo", "power")
_BLOCK = re.compile(r"(.+_([0-9]+))-[0-9a-f]{16}")  # what somebody put beside blocks has no such name


def superseded_blocks(home: Home, study: Study, gate: Gate) -> list[Superseded]:
    """Return the files of blocks that a study would not find again; more universes than it names are none of them."""
    root = home.study(study.name).root / "placebo"
    found = {path: named for path in sorted(root.glob("*.parquet")) if (named := _BLOCK.fullmatch(path.stem))}
    current = set[str]()
    if found and study.placebo:
        most = study.placebo.block * (1 + max(int(named[2]) for named in found.values()))
        for name in _NAMES:
            for universes in (None, most, stored_json(root / f"{name}.json").get("asked")):
                arms = arms_of(study, name, universes)
                current |= {block_file(home, study, block, gate).name for block in blocks(study, arms)}
    old = {path: named[1] for path, named in found.items() if path.name not in current}
    return [Superseded(path, "universes", key, path.stat().st_size) for path, key in old.items()]
