"""The simulation as a suite for faults: plays until something is violated.

    python -m tests.mutants.simulated [--seeds N] [--first-seed SEED]

First the schedules that are written by hand or were found once, then chains by seed, then whole
schedules by seed. Ends with 1 and the name of the first that violates something, and with 0 if none
does.
"""

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.simulation import test_random_chains
from tests.simulation.world import finding, making_plans, regressions, written
from tests.simulation.world.plans import Plan

WRITTEN_SEEDS = range(1, 6)
"""Each schedule that is written by hand is played in so many orders."""
_FOUND_ORDERS = 3
CHAIN_SEEDS = range(50)
SEEDS = 200
"""How many schedules by seed are played."""


class Violated(NamedTuple):
    """What was played, and what it violates."""

    schedule: str
    invariants: str

    def __str__(self) -> str:
        return f"{self.schedule}: {self.invariants}"


def violated(seeds: range) -> Iterator[Violated]:
    """Play, the schedules of these seeds at last, and give what violates something."""
    for seed in WRITTEN_SEEDS:
        for name, plan in written.SCHEDULES.items():
            yield from _played(f'"{name}"', dataclasses.replace(plan, seed=seed))
    for more in range(_FOUND_ORDERS):
        for name, plan in regressions.FIXED.items():
            yield from _played(f'"{name}"', dataclasses.replace(plan, seed=plan.seed + more))
    yield from _chains()
    for seed in seeds:
        yield from _played(f"seed {seed}", making_plans.make(seed))


def _played(schedule: str, plan: Plan) -> Iterator[Violated]:
    if found := finding.violations_of(plan):
        names = dict.fromkeys(item.invariant for item in found)
        yield Violated(schedule, ", ".join(names))


def _chains() -> Iterator[Violated]:
    for seed in CHAIN_SEEDS:
        try:
            test_random_chains.simulate(seed)
        except Exception as error:
            yield Violated(f"chain {seed}", type(error).__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play until something is violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.simulated", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"so many schedules ({SEEDS})")
    parser.add_argument("--first-seed", type=int, default=0, help="begin with this seed (0)")
    options = parser.parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    first = next(violated(seeds), None)
    if first is not None:
        print(first)
    return 0 if first is None else 1


if __name__ == "__main__":
    sys.exit(main())
