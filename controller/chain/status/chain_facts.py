"""What is known of a resource and its latest run when its status is projected."""

import dataclasses

from controller.api import v1alpha1
from controller.chain.requests import chain_waits, executions
from controller.chain.run import progress
from controller.chain.status.conditions import Problem


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SchedulesStatus:
    """The state of the schedule and of the triggers; None: there is none."""

    schedule: v1alpha1.ScheduleStatus | None = None
    triggers: v1alpha1.TriggersStatus | None = None

    @classmethod
    def of(cls, known: v1alpha1.Status) -> "SchedulesStatus":
        """Return them as a status has them."""
        return cls(schedule=known.schedule, triggers=known.triggers)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainFacts:
    """All that the status is made of, besides the resource itself.

    `is_suspended` and `history_limit` are the spec's; `is_not_requested`: see `decide.Decision`.
    `is_spec_new`: the latest run ran under another one. `schedules` is None if no one has read
    them: they stay as they were.
    """

    handled: v1alpha1.Handled
    is_suspended: bool = False
    is_not_requested: bool = False
    is_spec_new: bool = False
    history_limit: int = 5
    execution: executions.Execution | None = None
    known: progress.ChainProgress | None = None
    pending: v1alpha1.PendingRun | None = None
    has_unhandled: bool = False
    problem: Problem | None = None
    workflow_url: str | None = None
    waiting: chain_waits.Waiting = chain_waits.NOTHING
    schedules: SchedulesStatus | None = None
