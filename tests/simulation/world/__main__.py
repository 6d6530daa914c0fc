"""`make simulate`: plays schedules on all cores, and prints those that violate something."""

import argparse
import os
import random
import sys

from tests.simulation.world import batches, finding, making_plans, plan_tables, playing


def main(arguments: list[str] | None = None) -> int:
    """Play what is asked for; 1 if anything is violated."""
    options = _parse(arguments)
    if options.seed is not None and not options.count:
        return _replay(options.seed, is_whole=options.whole)
    first = random.SystemRandom().randrange(10**9) if options.fresh else options.seed or 0
    return _play_many(range(first, first + (options.count or 1000)), options.processes)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this seed, or begin with it")
    parser.add_argument("--count", type=int, help="play so many schedules (1000)")
    parser.add_argument("--fresh", action="store_true", help="begin with a seed of chance")
    parser.add_argument("--whole", action="store_true", help="do not look for a smaller schedule")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def _replay(seed: int, *, is_whole: bool) -> int:
    plan = making_plans.make(seed)
    print(plan_tables.of(plan))
    if not is_whole:
        found = finding.find(seed)
        print("nothing is violated" if found is None else found.describe())
        return 0 if found is None else 1
    outcome = playing.play(plan)
    print(
        *(f"{at:9.3f} s  {actor:8}  {event}" for at, actor, event in outcome.record.log), sep="\n"
    )
    print(*outcome.violations, sep="\n")
    return 1 if outcome.violations else 0


def _play_many(seeds: range, processes: int) -> int:
    print(f"seeds {seeds.start} to {seeds.stop - 1} in {processes} processes", flush=True)
    violating: list[int] = []
    seconds = 0.0
    for batch in batches.in_processes(seeds, processes):
        seconds += batch.seconds
        for item in batch.found:
            violating.append(item.seed)
            print(item.describe(), flush=True)
    rate = 60 * len(seeds) / seconds
    print(
        f"{len(seeds)} schedules, {rate:.0f} in a minute of a processor; "
        f"{len(violating)} violate something"
    )
    if violating:
        print("their seeds:", *violating)
    return 1 if violating else 0


if __name__ == "__main__":
    sys.exit(main())
