"""Where the run of a stack comes from: found and adopted, or triggered by the chain. Pure."""

import dataclasses

from controller.api import reasons
from controller.api.v1alpha1 import RunSource
from controller.chain.run import progress


def of_found(*, is_earlier: bool, was_adopted: bool) -> RunSource:
    """Return the source of a run that was there when the stack's execution looked.

    Args:
        is_earlier: the same run of the chain had it before a reset.
        was_adopted: it had adopted it then.
    """
    return RunSource.TRIGGERED if is_earlier and not was_adopted else RunSource.ADOPTED


def told(report: progress.StackReport, source: RunSource | None) -> progress.StackReport:
    """Return the report with the source of its run, the last one that there was.

    A stack whose run Spacelift skipped for unchanged outputs was not run, whoever queued the run.
    """
    is_run = report.run_id is not None and report.reason != reasons.StackReason.OUTPUT_UNCHANGED
    return dataclasses.replace(report, run_source=source if is_run else None)
