"""What `golden clean` takes for old among blocks of universes: those of other settings or code, and no others."""

import json

from support.commands import golden

from golden_core.checks.universes import GATE
from golden_core.placebo.blocks import block_file, blocks, placebo_arms, power_arms
from golden_core.placebo.superseded import superseded_blocks
from golden_core.store.lake import Home


def test_blocks_of_former_code_are_listed_and_deleted_when_told_and_current_ones_stay(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    home, study = Home.from_environment(), tmp_path / "study.yaml"
    assert superseded_blocks(home, tiny, GATE) == []
    study.write_text(json.dumps(tiny.model_dump(mode="json")))
    asked = (*placebo_arms(tiny), *power_arms(tiny), *placebo_arms(tiny, 12), *placebo_arms(tiny, 5))
    current = {block_file(home, tiny, block, GATE) for block in blocks(tiny, asked)}
    folder = next(iter(current)).parent
    folder.mkdir(parents=True)
    (folder / "placebo.json").write_text('{"asked": 5}')  # universes, more than the study names; 12 were not counted
    old = folder / "cheap_001-0123456789abcdef.parquet"
    beside = {folder / "my_notes-of_mine.parquet", folder / "cheap_1-notes.parquet"}  # of somebody else
    for path in (*current, *beside, old):
        path.touch()
    told = " ".join(golden("clean", str(study)).output.split())
    assert "0123456789abcdef" in told
    assert told.endswith("0 superseded trials and 1 blocks of universes of study placebo, 0.0 MB to delete with --yes")
    assert golden("clean", str(study), "--yes").exit_code == 0
    assert set(folder.glob("*.parquet")) == current | beside
    assert "blocks" not in golden("clean", str(study)).output
