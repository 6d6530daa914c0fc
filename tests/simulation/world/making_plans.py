"""Makes a plan of a seed: the account, the chains on it, how much goes wrong."""

import random
from typing import Any

from tests.simulation.account import transport
from tests.simulation.kube import link
from tests.simulation.temporal import chance
from tests.simulation.world import making_additions, making_events, making_resets
from tests.simulation.world.plans import ChainPlan, Plan, StackPlan

Json = dict[str, Any]

_LOSSES = (
    chance.COMPLETION_LOST,
    chance.ANSWER_LOST,
    link.REQUEST_LOST,
    link.ANSWER_LOST,
    link.REQUEST_HANGS,
    link.THROTTLED,
    link.UNAVAILABLE,
    link.WATCH_BROKEN,
    transport.UNREACHABLE,
    transport.REQUEST_LOST,
    transport.ANSWER_LOST,
    transport.ANSWER_HANGS,
    transport.ANSWER_CUT_SHORT,
    transport.THROTTLED,
    transport.UNAVAILABLE,
    transport.UNAVAILABLE_AFTERWARDS,
    transport.TOKENS_REVOKED,
)


def make(seed: int) -> Plan:
    """Return the plan of a seed."""
    plan = making_additions.add(make_plain(seed))
    return making_resets.add(plan) if seed >= making_resets.FIRST_SEED else plan


def make_plain(seed: int) -> Plan:
    """Return what a seed makes of one installation without a receiver."""
    rng = random.Random(seed)
    stacks = _stacks(rng)
    chains = tuple(_chain(rng, number, stacks) for number in range(rng.choice([1, 1, 1, 2, 2, 3])))
    return Plan(
        seed=seed,
        stacks=stacks,
        chains=chains,
        events=making_events.make(rng, stacks, chains),
        chances=_chances(rng),
        skews=(rng.choice([0.0, 0.0, -200.0, 90.0]), rng.choice([0.0, 0.0, 200.0, -90.0])),
        slowest=rng.choice([0.1, 0.5, 0.5, 3.0]),
    )


def _stacks(rng: random.Random) -> tuple[StackPlan, ...]:
    count = rng.choice([1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 8, rng.randint(9, 20)])
    names = [f"s{number}" for number in range(count)]
    return tuple(_stack(rng, name, names[:number]) for number, name in enumerate(names))


def _stack(rng: random.Random, name: str, before: list[str]) -> StackPlan:
    upstreams = rng.sample(before, min(len(before), rng.choice([0, 1, 1, 1, 2, 3])))
    by_label = {upstream for upstream in upstreams if rng.random() < 0.2}
    return StackPlan(
        id=name,
        upstreams=tuple(item for item in upstreams if item not in by_label),
        labels=tuple(sorted(by_label)),
        is_autodeployed=rng.random() < 0.75,
        seconds=round(rng.uniform(1, 30), 1),
        outcomes=_outcomes(rng),
    )


def _outcomes(rng: random.Random) -> tuple[str, ...]:
    if rng.random() < 0.75:
        return ("changes",)
    return (
        rng.choice(["no-op", "fail:planning", "fail:applying", "fail:preparing", "worker-lost"]),
        *rng.choice([(), ("changes",), ("changes",)]),
    )


def _chain(rng: random.Random, number: int, stacks: tuple[StackPlan, ...]) -> ChainPlan:
    return ChainPlan(
        name=f"chain-{number}", spec=_spec(rng, number, stacks), at=round(rng.uniform(0.5, 15), 1)
    )


def _spec(rng: random.Random, number: int, stacks: tuple[StackPlan, ...]) -> Json:
    sources = [stack.id for stack in stacks if not stack.upstreams and not stack.labels]
    roots = rng.sample(sources, min(len(sources), rng.choice([1, 1, 2])))
    if rng.random() < 0.1:
        roots = [rng.choice(stacks).id]
    spec: Json = {"roots": {"stackIds": sorted(roots)}}
    operation = rng.choice(["Apply"] * 8 + ["Plan", "Destroy"])
    if operation != "Apply":
        spec["operation"] = operation
    if operation == "Destroy":
        spec["destroyConfirmation"] = f"chain-{number}"
    choices: list[tuple[float, str, list[Any]]] = [
        (0.2, "nativeRuns", ["Strict", "Replace"]),
        (0.3, "parallelism", [1, 2, 3]),
        (0.2, "failurePolicy", ["FailFast"]),
        (0.2, "retry", [{"limit": 1, "backoffSeconds": 5}, {"limit": 2, "backoffSeconds": 10}]),
        (0.15, "concurrencyPolicy", ["Replace"]),
        (0.1, "stackDeadlineSeconds", [20, 60]),
        (0.1, "activeDeadlineSeconds", [30, 90]),
        (0.1, "confirmationDeadlineSeconds", [20, 60]),
        (0.1, "startPolicy", ["OnRequest"]),
        (0.1, "deletionPolicy", ["Orphan"]),
        (0.1, "runtimeEnvironment", [[{"name": "A", "value": "1"}]]),
    ]
    if operation != "Plan":
        choices.append((0.2, "confirmationPolicy", ["Auto"]))
    for share, field, values in choices:
        if rng.random() < share:
            spec[field] = rng.choice(values)
    if rng.random() < 0.2:
        spec["graph"] = _graph(rng, stacks)
    return spec


def _graph(rng: random.Random, stacks: tuple[StackPlan, ...]) -> Json:
    return rng.choice(
        [
            {"direction": "Upstream"},
            {"direction": "RootsOnly"},
            {"sources": ["Labels"]},
            {"sources": ["Dependencies"]},
            {"maxDepth": 1},
            {"includeRoots": False},
            {"exclude": {"stackIds": [rng.choice(stacks).id]}},
        ]
    )


def _chances(rng: random.Random) -> dict[str, float]:
    """Return how often what goes wrong: nothing, one thing often, or all things seldom."""
    kind = rng.random()
    if kind < 0.4:
        return {}
    if kind < 0.8:
        return {what: rng.choice([0.02, 0.1, 0.3]) for what in rng.sample(_LOSSES, 1)}
    return dict.fromkeys(_LOSSES, rng.choice([0.005, 0.02]))
