"""What administrators do, to a namespace of the cluster or to the workflow of a chain."""

from collections.abc import Awaitable, Callable

from tests.simulation.kube.store import Key
from tests.simulation.world.plans import Event
from tests.simulation.world.worlds import World


async def _delete_namespace(world: World, event: Event) -> None:
    if _has_namespace(world, event.target):
        world.parties.api.delete_namespace(event.target)


async def _create_namespace(world: World, event: Event) -> None:
    if not _has_namespace(world, event.target):
        world.parties.api.create_namespace(event.target)


def _has_namespace(world: World, name: str) -> bool:
    return world.parties.api.store.get(Key("namespaces", "", name)) is not None


async def _terminate(world: World, event: Event) -> None:
    """Terminate the workflow of a chain, which hears nothing of it."""
    for execution in list(world.parties.temporal.executions()):
        if execution.is_running and f"/{event.target}/" in execution.workflow_id:
            world.parties.temporal.terminate(execution, reason="by an administrator")


ACTIONS: dict[str, Callable[[World, Event], Awaitable[None]]] = {
    "delete the namespace": _delete_namespace,
    "create the namespace": _create_namespace,
    "terminate the workflow of": _terminate,
}
