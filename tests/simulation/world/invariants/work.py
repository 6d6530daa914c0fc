"""How much work all of it takes."""

from collections.abc import Iterator, Sequence

from tests.simulation.world.records import Record

_REQUESTS_A_RUN = 60
_REQUESTS_AN_HOUR = 3600
_EVENTS = 5000
_WRITES = 12
"""In ten seconds: one a second, and those that an operator starts or ends with."""


def bounded_work(record: Record) -> Iterator[str]:
    """Requests, status writes and histories grow with what happens, not without end.

    Spacelift limits requests, everyone shares the API server, and Temporal ends an execution whose
    history is too long.
    """
    hours = record.parties.loop.time() / 3600
    runs = len(record.account_runs) + len(record.plan.stacks) * len(record.plan.chains)
    most = _REQUESTS_A_RUN * runs + _REQUESTS_AN_HOUR * hours
    if record.requests() > most:
        yield f"{record.requests()} requests for {runs} runs in {hours:.2f} hours"
    for execution in record.executions():
        if len(execution.history.events) > _EVENTS:
            yield f"{execution.workflow_id} has {len(execution.history.events)} events"


def no_storms(record: Record) -> Iterator[str]:
    """No status is written, and no API server asked, in storms of seconds.

    Storms hit a party when it is weakest, and do not show in the sum of an hour.
    """
    chains = len(record.plan.chains)
    for chain in record.chains.values():
        yield from _too_many(chain.written_at, f"writes of the status of {chain.title}", _WRITES)
    for role in record.roles:
        if role.kube is not None:
            # An operator that starts reads what there is of the API, and renews its Lease.
            sent, what = role.kube.sent_at, f"requests of {role.process.name} to the API server"
            yield from _too_many(sent, what, 40 + 20 * chains)
            # A status is written once a second at most, and an Event may come with it.
            yield from _too_many(sent, what, 80 + 60 * chains, seconds=60.0)


def _too_many(
    times: Sequence[float], what: str, limit: int, *, seconds: float = 10.0
) -> Iterator[str]:
    first = 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        if last - first + 1 > limit:
            yield f"more than {limit} {what} in {seconds:.0f} s, at {at:.1f} s"
            return
