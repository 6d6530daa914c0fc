"""What people do in the account: to the newest run of a stack, to a stack, or to the graph."""

from collections.abc import Awaitable, Callable

from devenv.simulator.model.run_entities import Run
from tests.simulation.world.plans import Event
from tests.simulation.world.worlds import World


def _to_run(act: Callable[[World, Run], object]) -> Callable[[World, Event], Awaitable[None]]:
    async def carry_out(world: World, event: Event) -> None:
        run = world.people.latest_run(event.target)
        if run is not None and run.stack_id in world.parties.account.simulator.account.stacks:
            act(world, run)

    return carry_out


async def _replan(world: World, event: Event) -> None:
    run = world.people.latest_run(event.target)
    if run is not None and run.stack_id in world.parties.account.simulator.account.stacks:
        world.people.replan(run, event.value)


def _to_stack(act: Callable[[World, Event], object]) -> Callable[[World, Event], Awaitable[None]]:
    async def carry_out(world: World, event: Event) -> None:
        if event.target in world.parties.account.simulator.account.stacks:
            act(world, event)

    return carry_out


ACTIONS: dict[str, Callable[[World, Event], Awaitable[None]]] = {
    "confirm": _to_run(lambda world, run: world.people.confirm(run)),
    "replan": _replan,
    "discard": _to_run(lambda world, run: world.people.discard(run)),
    "cancel": _to_run(lambda world, run: world.people.cancel(run)),
    "stop": _to_run(lambda world, run: world.people.stop(run)),
    "retry": _to_run(lambda world, run: world.people.retry(run)),
    "approve": _to_run(lambda world, run: world.people.approve(run)),
    "reject": _to_run(lambda world, run: world.people.reject(run)),
    "trigger": _to_stack(lambda world, event: world.people.trigger(event.target)),
    "push to": _to_stack(lambda world, event: world.people.push(event.target)),
    "lock": _to_stack(lambda world, event: world.people.lock(event.target)),
    "unlock": _to_stack(lambda world, event: world.people.unlock(event.target)),
    "disable": _to_stack(lambda world, event: world.people.disable(event.target)),
    "enable": _to_stack(lambda world, event: world.people.enable(event.target)),
    "delete": _to_stack(lambda world, event: world.people.remove(event.target)),
    "add the upstream to": _to_stack(
        lambda world, event: world.people.add_edge(event.target, event.value)
    ),
    "remove the upstream from": _to_stack(
        lambda world, event: world.people.remove_edge(event.target, event.value)
    ),
    "label": _to_stack(lambda world, event: world.people.set_labels(event.target, event.value)),
}
