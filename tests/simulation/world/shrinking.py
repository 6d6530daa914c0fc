"""Makes a plan that violates something as small as it gets, while it still violates the same.

First it leaves out events, then what goes wrong by chance, then chains, stacks and edges, and last
parts of their specs. It always reduces the same plan in the same way, in a bounded number of tries.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tests.simulation.world.plans import HERE, ChainPlan, Plan, StackPlan

_T = TypeVar("_T")

Fails = Callable[[Plan], bool]
"""Whether a plan still violates the same."""

_MOST_TRIES = 150


class _Tries:
    """Asks whether plans fail, until there were enough of them."""

    def __init__(self, fails: Fails, most: int) -> None:
        self._fails = fails
        self._left = most

    def __call__(self, plan: Plan) -> bool:
        """Return whether it fails; once there were enough tries, nothing does."""
        if self._left <= 0:
            return False
        self._left -= 1
        return self._fails(plan)


def shrink(plan: Plan, fails: Fails, *, most_tries: int = _MOST_TRIES) -> Plan:
    """Return the smallest plan that is found to fail; the given one fails."""
    tries = _Tries(fails, most_tries)
    before: Plan | None = None
    while before != plan:
        before = plan
        plan = _fewest(plan, "events", tries)
        for smaller_plans in (_calmer, _with_fewer_chains, _with_fewer_stacks, _simpler):
            plan = _first_failing(plan, smaller_plans, tries)
    return plan


def _fewest(plan: Plan, field: str, tries: _Tries) -> Plan:
    """Leave out ever smaller parts of a list (delta debugging)."""
    items: Sequence[Any] = getattr(plan, field)
    size = len(items)
    while size >= 1:
        start = 0
        while start < len(items):
            rest = (*items[:start], *items[start + size :])
            smaller = dataclasses.replace(plan, **{field: rest})
            if tries(smaller):
                plan, items = smaller, rest
            else:
                start += size
        size //= 2
    return plan


def _first_failing(
    plan: Plan, smaller_plans: Callable[[Plan], Iterator[Plan]], tries: _Tries
) -> Plan:
    """Continue with the first smaller plan that fails, until none does."""
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in smaller_plans(plan):
            if smaller != plan and tries(smaller):
                plan, is_smaller = smaller, True
                break
    return plan


def _calmer(plan: Plan) -> Iterator[Plan]:
    yield dataclasses.replace(plan, chances={})
    for what in plan.chances:
        rest = {other: share for other, share in plan.chances.items() if other != what}
        yield dataclasses.replace(plan, chances=rest)
    yield dataclasses.replace(plan, skews=(0.0, 0.0))
    yield dataclasses.replace(plan, slow={})
    for what in plan.slow:
        rest = {other: times for other, times in plan.slow.items() if other != what}
        yield dataclasses.replace(plan, slow=rest)
    yield dataclasses.replace(plan, has_receiver=False)
    yield dataclasses.replace(plan, poll_seconds=10)
    yield dataclasses.replace(plan, slowest=min(plan.slowest, 0.01))
    yield dataclasses.replace(plan, slowest=min(plan.slowest, 0.1))


def _with_fewer_chains(plan: Plan) -> Iterator[Plan]:
    for chain in plan.chains:
        if len(plan.chains) > 1:
            yield dataclasses.replace(
                plan,
                chains=tuple(other for other in plan.chains if other is not chain),
                events=tuple(event for event in plan.events if event.target != chain.name),
            )


def _with_fewer_stacks(plan: Plan) -> Iterator[Plan]:
    named = {name for chain in plan.chains for name in _stacks_of(chain.spec)}
    named |= {name for event in plan.events for name in _stacks_of(event.value)}
    for stack in reversed(plan.stacks):
        if stack.id not in named and len(plan.stacks) > 1:
            yield dataclasses.replace(
                plan,
                stacks=tuple(_without(other, stack.id) for other in plan.stacks if other != stack),
                events=tuple(event for event in plan.events if event.target != stack.id),
            )
    for stack in plan.stacks:
        for upstream in (*stack.upstreams, *stack.labels):
            yield _with_stack(plan, stack, _without(stack, upstream))


def _simpler(plan: Plan) -> Iterator[Plan]:
    for chain in plan.chains:
        yield _with_chain(plan, chain, dataclasses.replace(chain, installation=HERE))
        for field in chain.spec:
            if field == "roots" or field == "destroyConfirmation":
                continue
            spec = {name: value for name, value in chain.spec.items() if name != field}
            if field == "operation":
                spec.pop("destroyConfirmation", None)
            yield _with_chain(plan, chain, dataclasses.replace(chain, spec=spec))
    for stack in plan.stacks:
        for changes in (
            {"outcomes": ("changes",)},
            {"delta": {}},
            {"is_autodeployed": True},
            {"needs_approval": False},
            {"stage": ""},
            {"seconds": 10.0},
        ):
            yield _with_stack(plan, stack, dataclasses.replace(stack, **changes))


def _without(stack: StackPlan, upstream: str) -> StackPlan:
    return dataclasses.replace(
        stack,
        upstreams=tuple(item for item in stack.upstreams if item != upstream),
        labels=tuple(item for item in stack.labels if item != upstream),
    )


def _with_stack(plan: Plan, old: StackPlan, new: StackPlan) -> Plan:
    return dataclasses.replace(
        plan, stacks=tuple(new if stack is old else stack for stack in plan.stacks)
    )


def _with_chain(plan: Plan, old: ChainPlan, new: ChainPlan) -> Plan:
    return dataclasses.replace(
        plan, chains=tuple(new if chain is old else chain for chain in plan.chains)
    )


def _stacks_of(value: Any) -> Iterator[str]:
    """Give all texts in a value: the ids of stacks are among them."""
    if isinstance(value, str):
        yield value.removeprefix("dependsOn:")
    elif isinstance(value, dict):
        for item in value.values():
            yield from _stacks_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _stacks_of(item)
