"""find_newest_runs: what has become, outside of the chain, of stacks that a retry may keep."""

from collections.abc import Sequence

import temporalio.activity as activity

from controller.chain.run import newer_runs, run_states
from controller.spacelift import client, endpoints, models
from controller.temporal import messages
from controller.temporal.activities import heartbeats, permission_checks, spacelift_clients


class NewestRunFinder:
    """The activity; `clients` guards which connection it reads."""

    def __init__(self, clients: spacelift_clients.SpaceliftClients) -> None:
        self._clients = clients

    @activity.defn(name="find_newest_runs")
    async def find_newest_runs(
        self, argument: messages.FindNewestRunsInput
    ) -> messages.FindNewestRunsResult:
        """Return the newest run of each stack that has one, and which cannot be seen.

        Raises:
            ApplicationError: with the type of the Spacelift error.
        """
        with self._clients.for_call(argument.connection) as account:
            permission_checks.check_use(account, argument.connection.grant.use)
            found: dict[str, models.RunsPage | None] = {}
            with account.kept.reader(account.client) as reader:
                async with heartbeats.kept_alive():
                    for stack_ids in client.chunks(argument.stack_ids):
                        found |= await reader.get_newest_runs(stack_ids)
            endpoint = argument.connection.endpoint
            pages = (page for _, page in sorted(found.items()) if page is not None)
            return messages.FindNewestRunsResult(
                runs=[_newest(page.runs, endpoint) for page in pages if page.runs],
                hidden=sorted(stack_id for stack_id, page in found.items() if page is None),
            )


def _newest(runs: Sequence[models.RunRecord], endpoint: str) -> newer_runs.NewestRun:
    run = max(runs, key=lambda item: item.run_id)
    return newer_runs.NewestRun(
        stack_id=run.stack_id,
        run_id=run.run_id,
        run_url=endpoints.run_url(endpoint, run.stack_id, run.run_id),
        triggered_by=run.triggered_by or "",
        is_success=run.state == run_states.RunState.FINISHED and run.type == models.RunType.TRACKED,
    )
