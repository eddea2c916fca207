"""`golden run --backend cohort`: the stage of models in Dagster, with what cohorts say on the way."""

import shutil

from support.campaigns import OVERRIDES, SETTINGS
from support.commands import golden

from golden_core.trials.outputs import read_provenance
from golden_dagster.campaign import open_campaign
from golden_dagster.resources import WorkersResource


def test_the_stage_of_models_trains_networks_together_and_records_each_trial(broken):
    root = broken.study("smoke").root / "trials" / "dlinear"
    shutil.rmtree(root)
    outcomes, notes = [], []
    workers = WorkersResource(backend="cohort")
    assert workers.local == "loky"
    opened = open_campaign(
        "smoke", OVERRIDES, workers=workers, on_outcome=outcomes.append, on_note=lambda *note: notes.append(note)
    )
    with opened as campaign:
        stage = next(stage for stage in campaign.stages() if stage.name == "models")
        assert campaign.execute(stage), campaign.failures
    assert [outcome.status for outcome in outcomes] == ["done"] * 4
    assert len(notes) == 1
    assert "8 of 8 networks training" in notes[0][0]
    assert {len(read_provenance(path.parent)["company"]) for path in root.glob("*/*/provenance.json")} == {4}


def test_a_study_for_a_card_ends_with_one_line_where_there_is_none(finished):
    result = golden("run", "smoke", "--backend", "cohort", *SETTINGS, "--set", "training.device=cuda")
    assert result.exit_code == 2
    assert result.stderr.startswith("study 'smoke': training.device is cuda, and this machine")
    assert result.stderr.count("\n") == 1
