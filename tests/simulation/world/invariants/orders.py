"""Chains that wait for chains run after them."""

from collections.abc import Iterator

from devenv.simulator.model.run_entities import Run
from tests.simulation.world.records import ChainRecord, Record, is_idle, is_ready, marker_of


def chains_before_it_were_ready(record: Record, run: Run) -> Iterator[str]:
    """Nothing is triggered for a chain before each chain that it names was Ready and idle.

    Each must have been so at some time since the run was asked for; what is asked of the other
    chain a moment later does not stop a run that has started. Times of a schedule, and runs of
    roots, ask from outside of the resource, so for these the time counts from the creation of the
    chain.
    """
    marked = marker_of(run)
    if marked is None or len(run.history) > 1:
        return
    objects = record.same_name(marked[0])
    if not objects or not objects[-1].body:
        return
    # Of several objects with the same name, an earlier one may have let its run continue.
    chain, since = objects[-1], objects[0].created_at
    spec = chain.body["spec"]
    if (
        len(objects) == 1
        and not ("schedule" in spec or "triggers" in spec)
        and chain.idle_at is not None
    ):
        since = max(since, chain.idle_at)
    for item in spec.get("dependsOn") or ():
        others = record.same_name(f"{chain.namespace}/{item['name']}")
        ready_at = max((_ready_at(record, other) for other in others), default=-1.0)
        if ready_at < since:
            yield (
                f"{marked[0]} run {marked[1]} triggers {run.stack_id} ({run.id}), and "
                f"{item['name']} was not Ready with no open request since {since:.1f} s"
            )


def _ready_at(record: Record, chain: ChainRecord) -> float:
    if chain.body and chain.gone_at is None and is_idle(chain.body) and is_ready(chain.body):
        return record.parties.loop.time()
    return -1.0 if chain.ready_at is None else chain.ready_at
