"""Carries out the events of a plan: what people and users do, and what breaks."""

import contextlib
from collections.abc import Awaitable, Callable

from controller.kube import errors as kube_errors
from tests.simulation.world import administrator_actions, faults, people_actions, user_actions
from tests.simulation.world.plans import Actor, Event, Plan
from tests.simulation.world.worlds import World

CREATE = "create"

_TABLES: dict[Actor, dict[str, Callable[[World, Event], Awaitable[None]]]] = {
    Actor.PERSON: people_actions.ACTIONS,
    Actor.USER: user_actions.ACTIONS,
    Actor.ADMINISTRATOR: administrator_actions.ACTIONS,
    Actor.FAULT: faults.ACTIONS,
}


def in_order(plan: Plan) -> list[Event]:
    """Return all that happens, by time; the creation of each chain is an event as well."""
    created = [
        Event(at=chain.at, actor=Actor.USER, action=CREATE, target=chain.name)
        for chain in plan.chains
    ]
    return sorted([*created, *plan.events], key=lambda event: event.at)


async def carry_out(world: World, event: Event) -> None:
    """Let an event happen, if it can."""
    world.record.note(event.actor.value, event.describe())
    # A user's wish may be refused: the object is gone, or was never there.
    with contextlib.suppress(kube_errors.KubeError):
        await _TABLES[event.actor][event.action](world, event)
