"""Schedules that have violated something, as small as they got; each is played in `make test`."""

from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan

FIXED: dict[str, Plan] = {
    "a person's run is queued behind a native run that fails and is repeated": Plan(
        seed=363,
        slowest=0.1,
        stacks=(
            StackPlan(id="s0"),
            StackPlan(id="s1", upstreams=("s0",), outcomes=("fail:planning", "changes")),
            StackPlan(id="s2", upstreams=("s1",)),
        ),
        chains=(
            ChainPlan(
                name="chain",
                at=10.6,
                spec={"roots": {"stackIds": ["s0"]}, "retry": {"limit": 1, "backoffSeconds": 5}},
            ),
        ),
        events=(Event(at=18.6, actor=Actor.PERSON, action="trigger", target="s0"),),
    ),
}
