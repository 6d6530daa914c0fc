"""Plans: what seeds make of them, how they look to people, and that all of it shrinks."""

import dataclasses

from tests.simulation import receiver_process
from tests.simulation.kube import link
from tests.simulation.world import making_plans, plan_tables, shrinking
from tests.simulation.world.plans import HERE, THERE, Actor, ChainPlan, Event, Plan, StackPlan

PLANS = [making_plans.make(seed) for seed in range(200)]
ALL_ADDITIONS = Plan(
    seed=1,
    stacks=(StackPlan(id="a", needs_approval=True, stage="dev"),),
    chains=(
        ChainPlan(
            name="chain",
            installation=THERE,
            spec={
                "roots": {"stackIds": ["a"]},
                "schedule": {"cron": "* * * * *"},
                "triggers": [{"type": "RootRunFinished"}],
            },
        ),
    ),
    events=(
        Event(at=9.0, actor=Actor.ADMINISTRATOR, action="delete the namespace", target="other"),
        Event(at=3.0, actor=Actor.FAULT, action="kill", target="other worker", value=2.5),
    ),
    chances={receiver_process.LATE: 0.3},
    slow={link.WATCH_EVENT: 20.0},
    has_receiver=True,
    poll_seconds=60,
)


def test_seeds_make_worlds_of_all_kinds() -> None:
    specs = [chain.spec for plan in PLANS for chain in plan.chains]
    actions = {event.action for plan in PLANS for event in plan.events}

    assert any(plan.has_receiver for plan in PLANS)
    assert any(THERE in plan.installations for plan in PLANS)
    assert any(stack.needs_approval for plan in PLANS for stack in plan.stacks)
    assert any(plan.slow for plan in PLANS)
    assert any("schedule" in spec for spec in specs)
    assert any("triggers" in spec for spec in specs)
    assert any("confirmationLimits" in spec for spec in specs)
    assert any("dependsOn" in spec for spec in specs)
    assert any("window" in spec for spec in specs)
    assert any("stages" in spec for spec in specs)
    assert any("window" in stage for spec in specs for stage in spec.get("stages", []))
    assert any(stack.stage for plan in PLANS for stack in plan.stacks)
    assert {"approve", "reject", "delete the namespace", "create the namespace"} <= actions
    assert {"ask for a retry of stacks of", "ask for a bypass in"} <= actions
    assert "approve a stage of" in actions


def test_a_plan_is_told_in_plain_words() -> None:
    assert plan_tables.of(ALL_ADDITIONS).splitlines() == [
        "stack a    in dev, autodeploy, approved by people, 10 s, changes",
        "webhook delivery late: 0.3",
        "so many times as slow as others: kube watch event 20",
        "Spacelift delivers notifications, runs are read every 60 s",
        "time    actor          event",
        "1.0 s   user           create chain in the other installation with "
        "roots: {'stackIds': ['a']}, schedule: {'cron': '* * * * *'}, "
        "triggers: [{'type': 'RootRunFinished'}]",
        "3.0 s   fault          kill other worker 2.5",
        "9.0 s   administrator  delete the namespace other",
        "14.0 s                 nothing more happens; people confirm what waits",
    ]


def test_all_that_a_plan_has_is_left_out_where_it_does_not_matter() -> None:
    smallest = shrinking.shrink(ALL_ADDITIONS, lambda _: True)

    (stack,), (chain,) = smallest.stacks, smallest.chains
    assert stack == StackPlan(id="a")
    assert (chain.installation, chain.spec) == (HERE, {"roots": {"stackIds": ["a"]}})
    assert smallest == Plan(seed=1, stacks=smallest.stacks, chains=smallest.chains, slowest=0.01)


def test_what_is_added_leaves_the_rest_of_a_plan_as_it_is() -> None:
    for seed, plan in enumerate(PLANS):
        plain = making_plans.make_plain(seed)

        assert [_plain(stack) for stack in plan.stacks] == [_plain(s) for s in plain.stacks]
        assert len(plan.events) >= len(plain.events)


def _plain(stack: StackPlan) -> StackPlan:
    """Return a stack without what additions may change: who is asked for what, and its stage."""
    return dataclasses.replace(
        stack, needs_approval=False, is_autodeployed=False, delta={}, stage=""
    )
