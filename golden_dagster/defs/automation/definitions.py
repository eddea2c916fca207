"""What runs by itself once it is switched on in the web UI: the daily refresh, and the backfill of missing trials."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.data.assets import raw_key


def definitions(study: Study) -> dg.Definitions:
    """Return schedules and sensors of a study; both are off until somebody turns them on."""
    trials = dg.AutomationConditionSensorDefinition(
        "missing_trials",
        target=dg.AssetSelection.groups("models"),
        description="Backfills trials that were never run and whose folds exist. A failed trial is not tried again.",
        minimum_interval_seconds=60,
    )
    if study.data.source != "ecb":
        return dg.Definitions(sensors=[trials])
    refresh = dg.define_asset_job(
        "refresh_ecb_rates",
        selection=dg.AssetSelection.assets(raw_key(study)),
        config={"ops": {raw_key(study).to_python_identifier(): {"config": {"refresh": True}}}},
        description="Ask the European Central Bank for newer reference rates and take them over if they are sound.",
        executor_def=dg.in_process_executor,
    )
    daily = dg.ScheduleDefinition(
        name="daily_ecb_refresh",
        job=refresh,
        # Rates are published around 16:00 in Frankfurt on working days; half an hour later they are there.
        cron_schedule="30 16 * * 1-5",
        execution_timezone="Europe/Berlin",
        description="Refresh the reference rates every working day, after they are published.",
    )
    return dg.Definitions(jobs=[refresh], schedules=[daily], sensors=[trials])
