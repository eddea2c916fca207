"""What failed in a run, in the words of whoever failed: for the command line, the gate and the command of the night."""

import re
from collections.abc import Sequence

import dagster as dg

from golden_core.store.health import REMEDY

_OURS = re.compile(r"^golden_(core|dagster)[.a-zA-Z_]*: ")  # how the message of an error of our own begins
_WORKERS = "_RemoteTraceback"  # what a worker raised has the whole of its traceback for a cause
_OF_FILES = {"PermissionError", "IsADirectoryError", "NotADirectoryError", "FileExistsError", "OSError"}


def failure_messages(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Return what failed, by the events of a run: the first line of every failed step, and every failed check.

    And every resource that could not be made: of settings that nobody but the resource can judge.
    """
    found = []
    for event in events:
        if event.event_type == dg.DagsterEventType.RESOURCE_INIT_FAILURE and event.engine_event_data.error:
            found.append(" ".join(event.engine_event_data.error.message.split()))
        cause = event.step_failure_data.error if event.is_step_failure else None
        # A check that blocks fails its step as well, with a sentence that says less than its own.
        if event.is_step_failure and (cause is None or cause.cls_name != "DagsterAssetCheckFailedError"):
            while cause and cause.cause and not (_OURS.match(cause.message) or cause.cause.cls_name == _WORKERS):
                cause = cause.cause
            message = event.step_failure_data.user_failure_data
            text = message.description if message and message.description else (cause.message if cause else "failed")
            remedy = f"; {REMEDY}" if cause and cause.cls_name in _OF_FILES else ""
            # What an error of our own says stands without its class.
            found.append(f"{event.step_key}: {_OURS.sub('', str(text).strip())}{remedy}")
    checked = [e for e in events if e.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION]
    found += [
        f"{e.check_name}: {e.description}"
        for e in (event.asset_check_evaluation_data for event in checked)
        if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR
    ]
    return found
