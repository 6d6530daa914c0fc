"""Orders stacks: distances, contraction, levels and cycles over plain neighbor maps. Pure.

Nothing here knows where an edge comes from or why a stack belongs to a chain.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

Neighbors = Mapping[str, Collection[str]]


def neighbors(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the seconds of all pairs by their first, sorted; pairs with others are left out."""
    found: dict[str, set[str]] = {stack_id: set() for stack_id in ids}
    for one, other in pairs:
        if one in found and other in found:
            found[one].add(other)
    return {stack_id: tuple(sorted(found[stack_id])) for stack_id in sorted(found)}


def reverse(upstreams: Neighbors) -> dict[str, tuple[str, ...]]:
    """Return the dependents of each stack, given the upstreams of each."""
    return neighbors(upstreams, ((up, down) for down, ups in upstreams.items() for up in ups))


def distances(starts: Iterable[str], nexts: Neighbors) -> dict[str, int]:
    """Return how many steps each stack is away from the nearest start, if it is reached."""
    steps = dict.fromkeys(starts, 0)
    front = list(steps)
    while front:
        further: list[str] = []
        for stack_id in front:
            for other in nexts.get(stack_id, ()):
                if other not in steps:
                    steps[other] = steps[stack_id] + 1
                    further.append(other)
        front = further
    return steps


def contract(members: Collection[str], upstreams: Neighbors) -> dict[str, tuple[str, ...]]:
    """Return the upstreams of each member among the members.

    A path that leads through other stacks only counts as an edge. So a stack that depends on one
    that is left out waits for the upstreams of that one.
    """
    return {
        member: tuple(sorted(_nearest(member, members, upstreams))) for member in sorted(members)
    }


def _nearest(member: str, members: Collection[str], upstreams: Neighbors) -> set[str]:
    nearest: set[str] = set()
    passed: set[str] = set()
    front = list(upstreams[member])
    while front:
        stack_id = front.pop()
        if stack_id in members:
            nearest.add(stack_id)
        elif stack_id not in passed:
            passed.add(stack_id)
            front.extend(upstreams[stack_id])
    return nearest


def topological(upstreams: Neighbors, dependents: Neighbors) -> list[str]:
    """Return the stacks such that each comes after its upstreams.

    Stacks on a cycle, and those behind one, are missing.
    """
    open_upstreams = {stack_id: len(ups) for stack_id, ups in upstreams.items()}
    order = sorted(stack_id for stack_id, count in open_upstreams.items() if count == 0)
    for stack_id in order:  # which grows meanwhile
        for dependent in dependents[stack_id]:
            open_upstreams[dependent] -= 1
            if open_upstreams[dependent] == 0:
                order.append(dependent)
    return order


def longest(order: Iterable[str], previous: Neighbors) -> dict[str, int]:
    """Return for each stack of an order the edges of the longest path that leads to it."""
    paths: dict[str, int] = {}
    for stack_id in order:
        paths[stack_id] = max((paths[item] + 1 for item in previous[stack_id]), default=0)
    return paths


def member_of_cycle(upstreams: Neighbors, ordered: Sequence[str]) -> str:
    """Return a stack that is on a cycle, given those that `topological` could order.

    Every other stack has an upstream that is not ordered either, so walking upstream must come back
    to a stack already seen.
    """
    left = set(upstreams) - set(ordered)
    path = [min(left)]
    while True:
        upstream = min(up for up in upstreams[path[-1]] if up in left)
        if upstream in path:
            return min(path[path.index(upstream) :])
        path.append(upstream)


def cycle(start: str, dependents: Neighbors) -> list[str]:
    """Return a shortest way from a stack to its dependents and on that ends at the stack again."""
    came_from = dict.fromkeys(dependents[start], start)
    front = list(came_from)
    while start not in came_from:
        further: list[str] = []
        for stack_id in front:
            for dependent in dependents[stack_id]:
                if dependent not in came_from:
                    came_from[dependent] = stack_id
                    further.append(dependent)
        front = further
    way = [start, came_from[start]]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return list(reversed(way))
