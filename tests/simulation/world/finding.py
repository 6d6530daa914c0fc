"""Plays the plans of seeds, and reports each plan that violates something, as small as possible."""

import dataclasses
import traceback
from collections.abc import Sequence

from tests.simulation.world import making_plans, plan_tables, playing, shrinking
from tests.simulation.world.invariants import Violation
from tests.simulation.world.plans import Plan


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A plan that violates something; `smallest` still violates the first of it."""

    seed: int
    violations: tuple[Violation, ...]
    smallest: Plan
    smallest_violations: tuple[Violation, ...]

    def describe(self) -> str:
        """Return all that a person needs to look into it."""
        return "\n".join(
            [
                f"seed {self.seed} violates:",
                *(f"  {violation}" for violation in self.violations),
                "the smallest schedule that does, too:",
                *(f"  {line}" for line in plan_tables.of(self.smallest).splitlines()),
                *(f"  {violation}" for violation in self.smallest_violations),
                f'replay it: make simulate ARGS="--seed {self.seed}"',
            ]
        )


def violations_of(plan: Plan, *, bug: playing.Bug = playing.NO_BUG) -> tuple[Violation, ...]:
    """Play a plan; what cannot be played is a violation, too."""
    try:
        return playing.play(plan, bug=bug).violations
    except Exception:
        text = "".join(traceback.format_exc(limit=-6))
        return (Violation(invariant="can be played", text=text),)


def find(seed: int, *, bug: playing.Bug = playing.NO_BUG) -> Found | None:
    """Play the plan of a seed; None if nothing is violated."""
    plan = making_plans.make(seed)
    violations = violations_of(plan, bug=bug)
    return reduce(plan, violations, bug=bug) if violations else None


def reduce(
    plan: Plan, violations: Sequence[Violation], *, bug: playing.Bug = playing.NO_BUG
) -> Found:
    """Make a plan smaller that violates something."""
    kind = violations[0].invariant

    def fails(smaller: Plan) -> bool:
        return any(item.invariant == kind for item in violations_of(smaller, bug=bug))

    smallest = shrinking.shrink(plan, fails)
    return Found(
        seed=plan.seed,
        violations=tuple(violations),
        smallest=smallest,
        smallest_violations=violations_of(smallest, bug=bug),
    )
