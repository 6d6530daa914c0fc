"""find_root_runs: what a sweep reads of the roots of a chain (ADR 0023)."""

import logging
from collections.abc import Sequence

import temporalio.activity as activity

from controller.api import v1alpha1
from controller.chain.run import run_states
from controller.spacelift import client, models
from controller.temporal import start_messages
from controller.temporal.activities import heartbeats, permission_checks, spacelift_clients

logger = logging.getLogger(__name__)

# A root whose newest finished runs are chains' own may have one of someone else below them.
_JUDGED = 5
_NO_RUN = "0"


class RootRunFinder:
    """The activity of sweeps; `clients` guards which connection it reads."""

    def __init__(self, clients: spacelift_clients.SpaceliftClients) -> None:
        self._clients = clients

    @activity.defn(name="find_root_runs")
    async def find_root_runs(
        self, argument: start_messages.FindRootRunsInput
    ) -> start_messages.FindRootRunsResult:
        """Return the newest runs of each root that can be seen.

        Raises:
            ApplicationError: with the type of the Spacelift error.
        """
        with self._clients.for_call(argument.connection) as account:
            permission_checks.check_roots(self._clients, argument)
            permission_checks.check_use(account, argument.connection.grant.use)
            found: dict[str, start_messages.RootRuns | None] = {}
            with account.kept.reader(account.client) as reader:
                async with heartbeats.kept_alive():
                    for stack_ids in client.chunks(await _stack_ids(reader, argument.roots)):
                        pages = await reader.get_newest_runs(stack_ids)
                        found |= {
                            item: _root_runs(account, item, page) for item, page in pages.items()
                        }
            return start_messages.FindRootRunsResult(
                roots=[item for item in found.values() if item is not None],
                hidden=[stack_id for stack_id, item in found.items() if item is None],
            )


async def _stack_ids(reader: client.SpaceliftClient, roots: v1alpha1.Roots) -> Sequence[str]:
    if roots.stack_ids:
        return roots.stack_ids
    found = await reader.list_stacks_with_labels(roots.labels, limit=v1alpha1.MAX_STACKS)
    return [stack.id for stack in found[: v1alpha1.MAX_STACKS]]


def _root_runs(
    account: spacelift_clients.SpaceliftAccount,
    stack_id: str,
    page: models.RunsPage | None,
) -> start_messages.RootRuns | None:
    if page is None:
        # The status reports it; the other roots are still checked.
        logger.info("Root not visible", extra={"stack_id": stack_id})
        return None
    finished = [
        start_messages.FinishedRun(
            run_id=run.run_id, is_own=account.owns(run), triggered_by=run.triggered_by or ""
        )
        for run in page.runs
        if run.state == run_states.RunState.FINISHED and run.type == models.RunType.TRACKED
    ]
    return start_messages.RootRuns(
        stack_id=stack_id,
        newest_run_id=page.runs[0].run_id if page.runs else _NO_RUN,
        finished=finished[:_JUDGED],
    )
