"""Makes the events of a plan: what people and users do, and what breaks, at which times."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from tests.simulation.world.plans import Actor, ChainPlan, Event, StackPlan

_LAST_AT = 120.0
_PERSON = (
    ["confirm"] * 6
    + ["trigger"] * 4
    + ["cancel", "discard", "stop"] * 2
    + ["retry", "lock", "disable", "push to"] * 2
    + ["delete", "graph"]
)
_USER = (
    ["ask for a run of", "cancel", "edit"] * 4
    + ["ask for a retry of", "suspend"] * 3
    + ["delete", "recreate"] * 2
)
_FAULT = (
    ["kill operator", "kill worker", "step operator", "step worker"] * 3
    + ["Temporal is down", "API server is away", "Spacelift is away"] * 2
    + ["watches break", "add operator", "add worker", "replace operator", "replace worker"]
    + ["freeze operator", "freeze worker", "Spacelift lags", "cut operator", "cut worker"]
)


def make(
    rng: random.Random, stacks: Sequence[StackPlan], chains: Sequence[ChainPlan]
) -> tuple[Event, ...]:
    """Return the events, by time."""
    events: list[Event] = []
    for _ in range(rng.choice([0, 1, 2, 3, 5, 8])):
        events += _by_person(rng, stacks)
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        events += _by_user(rng, stacks, chains)
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        events.append(_fault(rng))
    for chain in chains:
        is_asked = (
            chain.spec.get("startPolicy") == "OnRequest" or "destroyConfirmation" in chain.spec
        )
        if is_asked:
            at = chain.at + rng.uniform(0.5, 10)
            events.append(
                Event(
                    at=round(at, 1), actor=Actor.USER, action="ask for a run of", target=chain.name
                )
            )
    return tuple(sorted(events, key=lambda event: event.at))


def _at(rng: random.Random) -> float:
    # Much happens at the beginning.
    return round(_LAST_AT * rng.random() ** 1.7, 1)


def _by_person(rng: random.Random, stacks: Sequence[StackPlan]) -> Iterator[Event]:
    action, stack, at = rng.choice(_PERSON), rng.choice(stacks), _at(rng)

    def event(what: str, at: float, value: Any = None) -> Event:
        return Event(at=at, actor=Actor.PERSON, action=what, target=stack.id, value=value)

    opposite = {"lock": "unlock", "disable": "enable"}.get(action)
    if action == "graph":
        yield event(*_graph_change(rng, stack, stacks, at))
        return
    yield event(action, at)
    if opposite:
        yield event(opposite, round(at + rng.uniform(5, 60), 1))


def _graph_change(
    rng: random.Random, stack: StackPlan, stacks: Sequence[StackPlan], at: float
) -> tuple[str, float, Any]:
    if stack.upstreams and rng.random() < 0.5:
        return "remove the upstream from", at, rng.choice(stack.upstreams)
    other = rng.choice(stacks).id
    if rng.random() < 0.5:
        return "label", at, [f"dependsOn:{other}"]
    return "add the upstream to", at, other


def _by_user(
    rng: random.Random, stacks: Sequence[StackPlan], chains: Sequence[ChainPlan]
) -> Iterator[Event]:
    action, chain, at = rng.choice(_USER), rng.choice(chains), _at(rng)

    def event(what: str, at: float, value: Any = None) -> Event:
        return Event(at=at, actor=Actor.USER, action=what, target=chain.name, value=value)

    match action:
        case "edit":
            yield event(action, at, _edit(rng, stacks))
        case "suspend":
            yield event(action, at)
            yield event("resume", round(at + rng.uniform(5, 60), 1))
        case "recreate":
            yield event("delete", at)
            yield event(action, round(at + rng.choice([0.5, 5, 40]), 1))
        case _:
            yield event(action, at)


def _edit(rng: random.Random, stacks: Sequence[StackPlan]) -> dict[str, Any]:
    return rng.choice(
        [
            {"roots": {"stackIds": [rng.choice(stacks).id]}},
            {"parallelism": rng.choice([1, 5])},
            {"graph": {"exclude": {"stackIds": [rng.choice(stacks).id]}}},
            {"nativeRuns": rng.choice(["Adopt", "Strict", "Replace"])},
            {"failurePolicy": rng.choice(["FailFast", "SkipDependents"])},
            {"confirmationPolicy": "StackDefault"},
            {"runtimeEnvironment": [{"name": "B", "value": str(rng.randint(1, 9))}]},
            {"concurrencyPolicy": rng.choice(["Queue", "Replace"])},
            {"stackDeadlineSeconds": 30},
            {"retry": {"limit": 1, "backoffSeconds": 5}},
        ]
    )


def _fault(rng: random.Random) -> Event:
    def event(action: str, target: str = "", value: Any = None) -> Event:
        return Event(at=_at(rng), actor=Actor.FAULT, action=action, target=target, value=value)

    seconds = round(rng.choice([1.0, 5.0, 20.0, 45.0]) * rng.uniform(0.5, 1.5), 1)
    what, _, role = rng.choice(_FAULT).rpartition(" ")
    match what:
        case "kill" | "freeze":
            return event(what, role, seconds)
        case "step":
            return event("kill within steps", role, int(10 ** rng.uniform(0, 3)))
        case "cut":
            return event("cut from Temporal", role, seconds)
        case "add" | "replace":
            return event(what, role)
        case "watches":
            return event("watches break")
        case "Spacelift" if role == "lags":
            return event("Spacelift lags", value=round(rng.uniform(0.2, 3), 1))
        case _:
            return event(f"{what} {role}", value=seconds)
