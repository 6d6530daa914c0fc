"""Adds to a plan what only some worlds have: a receiver, another installation, slow ways, and more.

Additions are drawn from a separate source, so the rest of a plan stays as it is.
"""

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from tests.simulation import receiver_process
from tests.simulation.account import transport
from tests.simulation.kube import link
from tests.simulation.temporal import chance
from tests.simulation.world.plans import (
    THERE,
    Actor,
    ChainPlan,
    Event,
    Plan,
)
from tests.simulation.world.worlds import OTHER, STAGE_LABEL

Json = dict[str, Any]

_DELIVERIES_GO_WRONG = (
    receiver_process.LOST,
    receiver_process.ANSWER_LOST,
    receiver_process.DOUBLED,
    receiver_process.LATE,
)
_SLOW_STEPS = (
    transport.ANSWER,
    transport.REQUEST,
    link.ANSWER,
    link.REQUEST,
    link.WATCH_EVENT,
    chance.DISPATCH,
    chance.COMPLETION,
    chance.TRANSFER,
    chance.ANSWER,
)
_LAST_AT = 120.0


def add(plan: Plan) -> Plan:
    """Return a plan with what its seed adds to it."""
    rng = random.Random(f"{plan.seed} additions")
    additions: tuple[tuple[float, Callable[[random.Random, Plan], Plan]], ...] = (
        (0.3, _receiver),
        (0.2, _other_installation),
        (0.15, _approvals),
        (0.12, _schedules),
        (0.15, _triggers),
        (0.08, _namespace_gone),
        (0.15, _slow_steps),
        (0.15, _limits),
        (0.15, _order),
        (0.2, _stack_requests),
        (0.15, _windows),
        (0.15, _stages),
        (0.5, _windows_of_stages),
    )
    for share, addition in additions:
        if rng.random() < share:
            plan = addition(rng, plan)
    events = sorted(plan.events, key=lambda event: event.at)
    return dataclasses.replace(plan, events=tuple(events))


def _receiver(rng: random.Random, plan: Plan) -> Plan:
    """Have deliveries, some of them lost, doubled or late; receivers die at any await."""
    wrong = rng.sample(_DELIVERIES_GO_WRONG, rng.choice([0, 1, 2, 4]))
    events = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        action, value = rng.choice(
            [
                ("kill", round(rng.uniform(1, 40), 1)),
                ("kill within steps", int(10 ** rng.uniform(0, 2.5))),
                ("replace", None),
                ("freeze", round(rng.uniform(1, 30), 1)),
                ("cut from Temporal", round(rng.uniform(1, 30), 1)),
                ("add", None),
            ]
        )
        events.append(_fault(rng, action, "receiver", value))
    return dataclasses.replace(
        plan,
        has_receiver=True,
        poll_seconds=rng.choice([10, 30, 60]),
        chances={**plan.chances, **{what: rng.choice([0.05, 0.3]) for what in wrong}},
        events=(*plan.events, *events),
    )


def _other_installation(rng: random.Random, plan: Plan) -> Plan:
    """Have one more chain, or one of those that there are, in a second installation."""
    chains = list(plan.chains)
    if len(chains) == 1:
        chains.append(
            dataclasses.replace(chains[0], name="chain-9", at=round(rng.uniform(0.5, 30), 1))
        )
        if "destroyConfirmation" in chains[1].spec:
            chains[1] = dataclasses.replace(
                chains[1], spec={**chains[1].spec, "destroyConfirmation": "chain-9"}
            )
    chains[-1] = dataclasses.replace(chains[-1], installation=THERE)
    events = (
        dataclasses.replace(event, target=OTHER + event.target)
        if event.target in ("operator", "worker") and rng.random() < 0.5
        else event
        for event in plan.events
    )
    return dataclasses.replace(plan, chains=tuple(chains), events=tuple(events))


def _approvals(rng: random.Random, plan: Plan) -> Plan:
    """Let runs of some stacks ask for approval, which people give, or refuse."""
    stacks = tuple(
        dataclasses.replace(stack, needs_approval=True) if rng.random() < 0.4 else stack
        for stack in plan.stacks
    )
    asking = [stack.id for stack in stacks if stack.needs_approval]
    actions = ["approve"] * 4 + ["reject"]
    events = [
        Event(
            at=_at(rng), actor=Actor.PERSON, action=rng.choice(actions), target=rng.choice(asking)
        )
        for _ in range(rng.choice([0, 2, 5]) if asking else 0)
    ]
    return dataclasses.replace(plan, stacks=stacks, events=(*plan.events, *events))


def _schedules(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain run on a schedule."""

    def scheduled(chain: ChainPlan) -> ChainPlan:
        schedule: Json = {"cron": rng.choice(["* * * * *", "*/2 * * * *"])}
        if rng.random() < 0.3:
            schedule["startingDeadlineSeconds"] = 10
        return dataclasses.replace(chain, spec={**chain.spec, "schedule": schedule})

    able = [chain for chain in plan.chains if chain.spec.get("operation") != "Destroy"]
    return _changed(plan, able[:1], scheduled)


def _triggers(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain start after the runs of its roots, which a person triggers."""

    def triggered(chain: ChainPlan) -> ChainPlan:
        spec = {**chain.spec, "triggers": [{"type": "RootRunFinished"}]}
        if rng.random() < 0.6:
            spec["startPolicy"] = "OnRequest"
        return dataclasses.replace(chain, spec=spec)

    able = [chain for chain in plan.chains if _can_have_triggers(chain.spec)][-1:]
    roots = [root for chain in able for root in chain.spec["roots"]["stackIds"]]
    events = [
        Event(at=_at(rng), actor=Actor.PERSON, action="trigger", target=rng.choice(roots))
        for _ in range(rng.choice([1, 2, 3]) if roots else 0)
    ]
    plan = dataclasses.replace(plan, events=(*plan.events, *events))
    return _changed(plan, able, triggered)


def _can_have_triggers(spec: Json) -> bool:
    direction = (spec.get("graph") or {}).get("direction", "Downstream")
    return "operation" not in spec and direction == "Downstream"


def _namespace_gone(rng: random.Random, plan: Plan) -> Plan:
    """Delete the namespace of a chain, and perhaps create it and the chain once more."""
    chain = rng.choice(plan.chains)
    at = _at(rng)
    events = [_administrator("delete the namespace", chain.namespace, at)]
    if rng.random() < 0.6:
        again = round(at + rng.choice([1.0, 10.0, 60.0]), 1)
        events.append(_administrator("create the namespace", chain.namespace, again))
        events.append(Event(at=again + 1, actor=Actor.USER, action="recreate", target=chain.name))
    return dataclasses.replace(plan, events=(*plan.events, *events))


def _slow_steps(rng: random.Random, plan: Plan) -> Plan:
    """Let a party answer late, so that what was read is out of date when it is used."""
    slow = {what: rng.choice([5.0, 20.0]) for what in rng.sample(_SLOW_STEPS, rng.choice([1, 2]))}
    return dataclasses.replace(plan, slow=slow)


def _limits(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain confirm small plans; some are made again, and some stacks would not wait."""

    def limited(chain: ChainPlan) -> ChainPlan:
        limits = {
            name: rng.choice([0, 1, 2])
            for name in rng.sample(["maxAdded", "maxChanged", "maxDeleted"], rng.choice([1, 1, 3]))
        }
        spec = {**chain.spec, "confirmationPolicy": "Auto", "confirmationLimits": limits}
        return dataclasses.replace(chain, spec=spec)

    able = [chain for chain in plan.chains if "operation" not in chain.spec][:1]
    if not able:
        return plan
    is_refused = rng.random() < 0.15
    stacks = tuple(
        dataclasses.replace(
            stack, delta=_delta(rng), is_autodeployed=stack.is_autodeployed and is_refused
        )
        for stack in plan.stacks
    )
    events = [
        Event(
            at=_at(rng),
            actor=Actor.PERSON,
            action="replan",
            target=rng.choice(stacks).id,
            value=_delta(rng),
        )
        for _ in range(rng.choice([0, 2, 6]))
    ]
    behavior = {
        "replacedInDelta": rng.choice(["both", "changed", "added"]),
        "changeTypes": rng.choice(["action", "action", "resource"]),
    }
    plan = dataclasses.replace(
        plan, stacks=stacks, events=(*plan.events, *events), behavior=behavior
    )
    return _changed(plan, able, limited)


def _windows(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain have a window, which opens and closes while it runs."""

    def windowed(chain: ChainPlan) -> ChainPlan:
        spec = {**chain.spec, "window": _window(rng)}
        if "operation" not in spec and rng.random() < 0.5:
            spec["confirmationPolicy"] = "Auto"
        return dataclasses.replace(chain, spec=spec)

    return _changed(plan, [rng.choice(plan.chains)], windowed)


def _windows_of_stages(rng: random.Random, plan: Plan) -> Plan:
    """Give some of the stages their own windows."""

    def windowed(chain: ChainPlan) -> ChainPlan:
        stages = [
            {**stage, "window": _window(rng)} if rng.random() < 0.6 else stage
            for stage in chain.spec["stages"]
        ]
        return dataclasses.replace(chain, spec={**chain.spec, "stages": stages})

    staged = [chain for chain in plan.chains if "stages" in chain.spec]
    return _changed(plan, staged, windowed)


def _window(rng: random.Random) -> Json:
    cron, seconds = rng.choice([("*/2 * * * *", 60), ("*/3 * * * *", 120)])
    return {"cron": cron, "durationSeconds": seconds}


def _order(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain wait for another one, which may be there late, or never, or wait for it too."""
    first = plan.chains[0]
    second = next((c for c in plan.chains[1:] if c.installation == first.installation), None)
    chains = list(plan.chains)
    if second is None:
        others = [stack.id for stack in plan.stacks]
        second = ChainPlan(
            name="chain-8",
            spec={"roots": {"stackIds": [rng.choice(others)]}},
            at=round(rng.uniform(0.5, 30), 1),
            installation=first.installation,
        )
        chains.append(second)
    kind = rng.choice(["after", "after", "after", "before", "absent", "cycle"])
    waits = {first.name: second.name} if kind in ("before", "cycle") else {}
    if kind != "before":
        waits[second.name] = "chain-7" if kind == "absent" else first.name
    events = [
        Event(at=_at(rng), actor=Actor.USER, action="ask for a run of", target=name)
        for name in rng.choices([first.name, second.name], k=rng.choice([0, 2, 4]))
    ]
    return dataclasses.replace(
        plan,
        chains=tuple(
            dataclasses.replace(
                chain, spec={**chain.spec, "dependsOn": [{"name": waits[chain.name]}]}
            )
            if chain.name in waits
            else chain
            for chain in chains
        ),
        events=(*plan.events, *events),
    )


def _stages(rng: random.Random, plan: Plan) -> Plan:
    """Let a chain roll in stages that soak, and that users approve; some stacks have none."""
    names = [f"stage-{number}" for number in range(rng.choice([2, 2, 3]))]

    def stage_of(place: int) -> str:
        # A stack is listed after its upstreams, so these belong to no later stage.
        chance, fitting = rng.random(), names[place * len(names) // len(plan.stacks)]
        return "" if chance < 0.2 else rng.choice(names) if chance < 0.25 else fitting

    def staged(chain: ChainPlan) -> ChainPlan:
        stages = [_stage(rng, name, is_first=name == names[0]) for name in names]
        return dataclasses.replace(chain, spec={**chain.spec, "stages": stages})

    chosen = rng.choice(plan.chains)
    events = [
        Event(
            at=round(chosen.at + 5 + _LAST_AT * rng.random() ** 1.7, 1),
            actor=Actor.USER,
            action="approve a stage of",
            target=chosen.name,
            value=rng.randrange(100),
        )
        for _ in range(rng.choice([0, 1, 3, 6]))
    ]
    plan = dataclasses.replace(
        plan,
        stacks=tuple(
            dataclasses.replace(stack, stage=stage_of(place))
            for place, stack in enumerate(plan.stacks)
        ),
        events=(*plan.events, *events),
    )
    return _changed(plan, [chosen], staged)


def _stage(rng: random.Random, name: str, *, is_first: bool) -> Json:
    stage: Json = {"name": name, "labels": [f"{STAGE_LABEL}{name}"]}
    if not is_first and rng.random() < 0.6:
        stage["soakSeconds"] = rng.choice([3, 10, 25])
    if rng.random() < 0.4:
        stage["approval"] = "Required"
    return stage


def _delta(rng: random.Random) -> Json:
    return {what: rng.choice([0, 0, 0, 1, 1, 2]) for what in ("add", "change", "delete", "replace")}


def _changed(plan: Plan, chosen: list[ChainPlan], change: Callable[[ChainPlan], ChainPlan]) -> Plan:
    chains = tuple(change(chain) if chain in chosen else chain for chain in plan.chains)
    return dataclasses.replace(plan, chains=chains)


def _at(rng: random.Random) -> float:
    return round(_LAST_AT * rng.random() ** 1.5, 1)


def _fault(rng: random.Random, action: str, target: str, value: Any) -> Event:
    return Event(at=_at(rng), actor=Actor.FAULT, action=action, target=target, value=value)


def _administrator(action: str, namespace: str, at: float) -> Event:
    return Event(at=at, actor=Actor.ADMINISTRATOR, action=action, target=namespace)


def _stack_requests(rng: random.Random, plan: Plan) -> Plan:
    """Users retry and bypass stacks, mostly while the run is live."""
    events = list(plan.events)
    for _ in range(rng.choice([1, 2, 3, 5])):
        chain = rng.choice(plan.chains)
        action = rng.choice(
            ["ask for a retry of", "ask for a retry of stacks of", "ask for a bypass in"]
        )
        at = round(chain.at + 3 + _LAST_AT * rng.random() ** 1.7, 1)
        value = None if action == "ask for a retry of" else rng.randrange(100)
        events.append(Event(at=at, actor=Actor.USER, action=action, target=chain.name, value=value))
    events.sort(key=lambda event: event.at)
    return dataclasses.replace(plan, events=tuple(events))
