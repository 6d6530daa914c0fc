"""How much work all of it takes."""

from collections.abc import Iterator

from tests.simulation.world.records import Record

_REQUESTS_A_RUN = 60
_REQUESTS_AN_HOUR = 3600
_WRITES_A_STACK = 40
_EVENTS = 5000


def bounded_work(record: Record) -> Iterator[str]:
    """Requests, status writes and histories grow with what happens, not without end.

    Spacelift limits requests, the API server is everybody's, and Temporal ends an execution whose
    history is too long.
    """
    hours = record.parties.loop.time() / 3600
    runs = len(record.account_runs) + len(record.plan.stacks) * len(record.plan.chains)
    most = _REQUESTS_A_RUN * runs + _REQUESTS_AN_HOUR * hours
    if record.requests() > most:
        yield f"{record.requests()} requests for {runs} runs in {hours:.2f} hours"
    for chain in record.chains.values():
        changes = (len(record.plan.stacks) + 1) * max(len(chain.runs), 1) + len(record.plan.events)
        if chain.status_writes > _WRITES_A_STACK * changes:
            yield f"{chain.status_writes} writes of the status of {chain.title}"
    for execution in record.executions():
        if len(execution.history.events) > _EVENTS:
            yield f"{execution.workflow_id} has {len(execution.history.events)} events"
