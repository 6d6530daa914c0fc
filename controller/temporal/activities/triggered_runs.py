"""Which runs an execution's own trigger can have created: how a lost one is found again."""

import dataclasses

from controller.api import v1alpha1
from controller.spacelift import models
from controller.temporal import messages
from controller.temporal.activities import spacelift_clients

_TYPES = {
    v1alpha1.Operation.APPLY: models.RunType.TRACKED,
    v1alpha1.Operation.PLAN: models.RunType.PROPOSED,
    v1alpha1.Operation.DESTROY: models.RunType.DESTROY,
}


def type_of(operation: str) -> models.RunType:
    """Return the type of the runs that carry out an operation."""
    return _TYPES[v1alpha1.Operation(operation)]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SoughtRun:
    """What a trigger asks for, as far as a run shows it."""

    stack_id: str
    newer_than: str
    run_type: models.RunType
    commit_sha: str | None
    key_id: str

    @classmethod
    def of(
        cls, argument: messages.TriggerStackRunInput | messages.FindTriggeredRunInput
    ) -> "SoughtRun":
        """Return what an activity looks for."""
        return cls(
            stack_id=argument.target.stack_id,
            newer_than=argument.newest_run_id,
            run_type=type_of(argument.operation),
            commit_sha=argument.commit_sha,
            key_id=argument.key_id,
        )


async def find(
    account: spacelift_clients.SpaceliftAccount, wanted: SoughtRun
) -> models.RunRecord | None:
    """Return the run that a trigger has created, the oldest if there are several; None yet."""
    records = await account.client.list_runs_after(
        wanted.stack_id, wanted.newer_than, run_type=wanted.run_type
    )
    own = [run for run in records if account.owns(run, also=[wanted.key_id]) and _fits(run, wanted)]
    return min(own, key=lambda run: run.run_id, default=None)


def _fits(run: models.RunRecord, wanted: SoughtRun) -> bool:
    if run.type != wanted.run_type:
        return False
    if wanted.commit_sha is None or run.commit_sha is None:
        # Without a commit to compare it counts as ours: a second trigger would be worse.
        return True
    return run.commit_sha.lower().startswith(wanted.commit_sha.lower())
