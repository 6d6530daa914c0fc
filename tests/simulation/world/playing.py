"""Carries a plan out, and says what it has violated."""

import contextlib
import dataclasses
import logging
import random
from collections.abc import Callable, Iterator

from tests.simulation import virtual_time
from tests.simulation.kube import kopf_operator
from tests.simulation.world import happenings, invariants, records, settling, worlds
from tests.simulation.world.invariants import Violation
from tests.simulation.world.plans import Plan

Bug = Callable[[], contextlib.AbstractContextManager[object]]
"""Puts a mistake into the product for one simulation; tests show that it is found."""


NO_BUG: Bug = contextlib.nullcontext


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a plan."""

    plan: Plan
    violations: tuple[Violation, ...]
    record: records.Record
    steps: int
    seconds: float
    """Of virtual time."""


def play(plan: Plan, *, bug: Bug = NO_BUG) -> Outcome:
    """Carry a plan out to its end; the same plan has the same outcome."""
    # kopf draws its keys from the global source.
    random.seed(plan.seed)
    world = worlds.World(plan)
    invariants.watch(world.record)
    problems: list[Violation] = []
    with _unlogged():
        try:
            with kopf_operator.virtual_kopf(), bug():
                world.loop.run(_live(world))
        except (virtual_time.Livelock, virtual_time.Deadlock) as error:
            problems.append(Violation(invariant="all ends", text=str(error)[:2000]))
        finally:
            world.loop.close()
    problems += [
        Violation(invariant="no unhandled errors", text=text) for text in world.loop.unhandled
    ]
    problems += invariants.judge(world.record)
    return Outcome(
        plan=plan,
        violations=tuple(problems),
        record=world.record,
        steps=world.loop.steps,
        seconds=world.loop.time(),
    )


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Log nothing: thousands of intended faults would bury the few that are not."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


async def _live(world: worlds.World) -> None:
    for kind in world.kinds():
        world.start(kind)
    for event in happenings.in_order(world.plan):
        await world.sleep_until(event.at)
        await happenings.carry_out(world, event)
    await world.sleep_until(world.plan.calm_at)
    await settling.settle(world)
    if world.record.is_quiet:
        await settling.delete_all(world)
