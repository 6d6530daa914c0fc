"""Made-up stacks, and the shortest time that any scheduler with our rules could need for them."""

import heapq
import random
from collections.abc import Mapping, Sequence
from typing import Any

from controller.api import v1alpha1
from controller.chain.graph import resolve
from controller.chain.run import estimates, next_stacks, progress

# Upstream stacks of each stack.
Upstreams = Mapping[str, Sequence[str]]

LABEL = "dependsOn:"


def layered(prefix: str, *, stacks: int, levels: int, seed: int = 7) -> Upstreams:
    """Return a graph with one root: every level holds about as many stacks.

    Each stack depends on one stack of the level before, so that the critical path has as many
    stacks as there are levels, and on up to two further ones anywhere above.
    """
    rng = random.Random(seed)  # noqa: S311 - the same graph each time
    names = [f"{prefix}-{number:03d}" for number in range(stacks)]
    by_level: list[list[str]] = [[names[0]]]
    rest = names[1:]
    for level in range(levels - 1):
        share = len(rest) // (levels - 1 - level)
        by_level.append(rest[:share])
        rest = rest[share:]
    upstreams: dict[str, Sequence[str]] = {names[0]: ()}
    for level in range(1, levels):
        above = [name for row in by_level[:level] for name in row]
        for name in by_level[level]:
            chosen = {rng.choice(by_level[level - 1])}
            chosen |= set(rng.sample(above, min(len(above), rng.randrange(3))))
            upstreams[name] = tuple(sorted(chosen))
    return upstreams


def fan(prefix: str, *, stacks: int) -> Upstreams:
    """Return a graph of one root on which all others depend."""
    root = f"{prefix}-000"
    names = [f"{prefix}-{number:03d}" for number in range(1, stacks)]
    return {root: (), **dict.fromkeys(names, (root,))}


def root_of(upstreams: Upstreams) -> str:
    """Return the only stack without upstreams."""
    (root,) = (name for name, ups in upstreams.items() if not ups)
    return root


def scenario(
    upstreams: Upstreams,
    *,
    is_native: bool,
    durations: float | Mapping[str, float],
    autodeploy: bool = True,
) -> dict[str, Any]:
    """Return the stacks as the simulator wants them: edges native, or as labels only."""
    stacks: dict[str, Any] = {}
    for name, ups in upstreams.items():
        edges = {"dependsOn": list(ups)} if is_native else {"labels": [LABEL + up for up in ups]}
        stacks[name] = {"autodeploy": autodeploy, "durations": durations, **edges}
    return stacks


def critical_path(upstreams: Upstreams, seconds: float) -> float:
    """Return the length of the longest path."""
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = 1 + max((depth(up) for up in upstreams[name]), default=0)
        return depths[name]

    return max(depth(name) for name in upstreams) * seconds


def limit(upstreams: Upstreams, *, seconds: float, parallelism: int, is_native: bool) -> float:
    """Return the makespan of the product's own scheduler if nothing but runs took time."""
    edges = tuple(
        resolve.Edge(upstream=up, dependent=name, is_native=is_native, is_label=not is_native)
        for name, ups in upstreams.items()
        for up in ups
    )
    facts = tuple(resolve.StackFacts(id=name, name=name) for name in upstreams)
    resolved = resolve.resolve(
        resolve.Discovery(stacks=facts, edges=edges),
        resolve.Scope(
            roots=v1alpha1.Roots(stack_ids=(root_of(upstreams),)),
            graph=v1alpha1.Graph(max_stacks=len(upstreams)),
        ),
    )
    chain = progress.ChainProgress(
        number=1,
        attempt=1,
        cause="Spec",
        generation=1,
        start_time="",
        policies=v1alpha1.Policies(parallelism=parallelism),
    )
    progress.adopt_graph(chain, resolved, now="")
    return _simulate(chain, estimates.remaining_seconds(chain, {}), seconds)


def _simulate(
    chain: progress.ChainProgress, remaining: Mapping[str, float], seconds: float
) -> float:
    by_id = {stack.id: stack for stack in chain.stacks}
    now, ends = 0.0, list[tuple[float, str]]()
    while True:
        for stack in next_stacks.ready_stacks(chain, remaining=remaining):
            stack.is_started = True
            heapq.heappush(ends, (now + seconds, stack.id))
        if not ends:
            return now
        now = ends[0][0]
        while ends and ends[0][0] <= now:
            ended = by_id[heapq.heappop(ends)[1]]
            ended.phase = type(ended.phase).SUCCEEDED
