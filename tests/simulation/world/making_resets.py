"""Adds resets of workflows in Temporal to the plans of a family of seeds."""

import dataclasses
import random
from typing import Any

from controller.temporal import ids
from tests.simulation.world.plans import Actor, Event, Plan

FIRST_SEED = 1_000_000_000
"""From here on seeds have resets. What a seed below makes must not change, so it has none."""
FIRST_OF_ANY = 1_500_000_000
"""From here on also of executions that have ended, and of earlier ones than the newest."""

_AMID = (
    ids.FIND_ACTIVITY,
    ids.FIND_ACTIVITY,
    ids.TRIGGER_ACTIVITY,
    ids.TRIGGER_ACTIVITY,
    "fetch_dependent_stacks",
    "find_earlier_stacks",
    "follow_stack_run",
    "read_stack_run",
    "stop_stack_run",
    "stop_native_runs",
    "confirm_stack_run",
    "publish_chain_status",
    "await_turn",
)
"""The activities during which a workflow is reset, those that must not be repeated more often."""
_LONGEST_AFTER = 2.0


def add(plan: Plan) -> Plan:
    """Return a plan in which an administrator resets the workflows of chains and of stacks."""
    rng = random.Random(f"{plan.seed} resets")
    events = [*plan.events, *(_reset(rng, plan) for _ in range(rng.choice([1, 2, 3, 5])))]
    return dataclasses.replace(plan, events=tuple(sorted(events, key=lambda event: event.at)))


def _reset(rng: random.Random, plan: Plan) -> Event:
    chain = rng.choice(plan.chains)
    # Most things happen soon after a chain is created.
    at = round(chain.at + 60.0 * rng.random() ** 2, 1)
    target = rng.choice([chain.name, rng.choice(plan.stacks).id])
    value: dict[str, Any] = {
        "task": rng.choice([0, -1, -1, -2, rng.randrange(1, 50)]),
        "amid": rng.choice([*_AMID, *[""] * len(_AMID)]),
        "after": round(_LONGEST_AFTER * rng.random() ** 3, 3),
    }
    if plan.seed >= FIRST_OF_ANY:
        value["of"] = rng.choice(["live", "ended", "earlier"])
    return Event(
        at=at,
        actor=Actor.ADMINISTRATOR,
        action="reset the workflow of",
        target=target,
        value=value,
    )
