"""Schedules that violated something, as small as possible; `make test` plays each of them."""

from controller.temporal import ids
from tests.simulation.account import transport
from tests.simulation.temporal import chance
from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan

# More than are started at once.
_MANY = tuple(f"s{number}" for number in range(30))


def _reset(
    at: float, target: str, *, task: int, of: str, amid: str = "", after: float = 0.0
) -> Event:
    return Event(
        at=at,
        actor=Actor.ADMINISTRATOR,
        action="reset the workflow of",
        target=target,
        value={"task": task, "amid": amid, "after": after, "of": of},
    )


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
    "an operator that hung for a minute watches again": Plan(
        seed=376,
        slowest=0.1,
        stacks=(StackPlan(id="s0"),),
        chains=(ChainPlan(name="chain", at=1.4, spec={"roots": {"stackIds": ["s0"]}}),),
        events=(
            Event(at=49.6, actor=Actor.FAULT, action="freeze", target="operator", value=60.5),
            Event(at=55.0, actor=Actor.USER, action="delete", target="chain"),
            Event(at=107.9, actor=Actor.USER, action="ask for a run of", target="chain"),
        ),
    ),
    "an operator's clock that is ahead makes no storm of rechecks": Plan(
        seed=495,
        skews=(90.0, 0.0),
        slowest=0.1,
        stacks=(StackPlan(id="s0"), StackPlan(id="s1", labels=("s0", "s1"))),
        chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["s0"]}}),),
        events=(Event(at=60.0, actor=Actor.PERSON, action="trigger", target="s0"),),
    ),
    "a stack is deleted while the run of a lost trigger on it is looked for": Plan(
        seed=1,
        slowest=0.1,
        stacks=(StackPlan(id="s0"),),
        chains=(ChainPlan(name="chain", at=9.1, spec={"roots": {"stackIds": ["s0"]}}),),
        chances={transport.REQUEST_LOST: 0.5},
        events=(
            Event(at=25.0, actor=Actor.PERSON, action="delete", target="s0"),
            Event(at=30.0, actor=Actor.PERSON, action="trigger", target="s0"),
        ),
    ),
    "a stack fails before it has the run that Spacelift queued for it": Plan(
        seed=1078,
        slowest=0.1,
        stacks=(
            StackPlan(id="s0", seconds=9.0),
            StackPlan(id="s1", upstreams=("s0",)),
            StackPlan(id="s2", upstreams=("s1",)),
        ),
        chains=(
            ChainPlan(
                name="chain-0",
                at=12.4,
                spec={"roots": {"stackIds": ["s0"]}, "nativeRuns": "Strict"},
            ),
        ),
        chances={transport.TOKENS_REVOKED: 0.3},
        events=(
            Event(
                at=53.2, actor=Actor.FAULT, action="kill within steps", target="worker", value=30
            ),
        ),
    ),
    "a stack that was disabled is run natively by a person before the chain ends": Plan(
        seed=1,
        stacks=(
            StackPlan(id="first"),
            StackPlan(id="s0", labels=("first",)),
            StackPlan(id="s1", upstreams=("s0",), is_autodeployed=False),
            StackPlan(id="s2", upstreams=("s1",)),
        ),
        chains=(
            ChainPlan(
                name="chain", spec={"roots": {"stackIds": ["first"]}, "nativeRuns": "Strict"}
            ),
        ),
        events=(
            Event(at=5.0, actor=Actor.PERSON, action="disable", target="s2"),
            Event(at=40.0, actor=Actor.PERSON, action="enable", target="s2"),
            Event(at=50.0, actor=Actor.PERSON, action="trigger", target="s0"),
        ),
    ),
    "the resync comes to a resource before its finalizer, and it is deleted": Plan(
        seed=1094,
        slowest=3.0,
        stacks=(StackPlan(id="s15", is_autodeployed=True, seconds=21.2),),
        chains=(
            ChainPlan(name="chain-0", at=2.3, spec={"roots": {"stackIds": ["s15"]}}),
            ChainPlan(name="chain-8", at=28.6, spec={"roots": {"stackIds": ["s15"]}}),
        ),
        events=(
            Event(at=21.1, actor=Actor.USER, action="ask for a retry of", target="chain-0"),
            Event(at=43.0, actor=Actor.USER, action="delete", target="chain-0"),
        ),
        slow={"kube request": 20.0, "transfer": 5.0},
    ),
    "Spacelift skips a run because of a stack that is not above it any more": Plan(
        seed=437706776,
        stacks=(
            StackPlan(id="s0"),
            StackPlan(id="s1", upstreams=("s0",)),
            StackPlan(id="s2", upstreams=("s0", "s1")),
            StackPlan(id="s5", labels=("s2",)),
        ),
        chains=(
            ChainPlan(
                name="chain-0",
                at=3.1,
                spec={"roots": {"stackIds": ["s0"]}, "triggers": [{"type": "RootRunFinished"}]},
            ),
        ),
        events=(
            Event(at=23.3, actor=Actor.PERSON, action="trigger", target="s0"),
            Event(at=31.6, actor=Actor.PERSON, action="cancel", target="s1"),
            Event(
                at=32.0,
                actor=Actor.PERSON,
                action="remove the upstream from",
                target="s1",
                value="s0",
            ),
        ),
    ),
    "an orphan is suspended when its resource is deleted": Plan(
        seed=1033,
        slowest=3.0,
        stacks=(StackPlan(id="s1"),),
        chains=(
            ChainPlan(
                name="chain-0",
                at=10.7,
                spec={"roots": {"stackIds": ["s1"]}, "deletionPolicy": "Orphan"},
            ),
        ),
        events=(
            Event(at=12.6, actor=Actor.USER, action="suspend", target="chain-0"),
            Event(at=67.9, actor=Actor.USER, action="delete", target="chain-0"),
        ),
    ),
    "a limit of retries is lowered once they are used": Plan(
        seed=1810,
        slowest=0.1,
        stacks=(StackPlan(id="s0", outcomes=("fail:planning",)),),
        chains=(
            ChainPlan(
                name="chain",
                spec={"roots": {"stackIds": ["s0"]}, "retry": {"limit": 2, "backoffSeconds": 10}},
            ),
        ),
        events=(
            Event(
                at=98.3,
                actor=Actor.USER,
                action="edit",
                target="chain",
                value={"retry": {"limit": 1, "backoffSeconds": 5}},
            ),
        ),
    ),
    "a run of others that started the chain was faster than the stage of what is behind it": Plan(
        seed=577,
        slowest=0.1,
        stacks=(StackPlan(id="s0"), StackPlan(id="s2", upstreams=("s0",), stage="prod")),
        chains=(
            ChainPlan(
                name="chain",
                at=2.2,
                spec={
                    "roots": {"stackIds": ["s0"]},
                    "triggers": [{"type": "RootRunFinished"}],
                    "stages": [
                        {"name": "dev", "labels": ["stage:dev"]},
                        {"name": "prod", "labels": ["stage:prod"], "approval": "Required"},
                    ],
                },
            ),
        ),
        events=(Event(at=113.8, actor=Actor.PERSON, action="trigger", target="s0"),),
    ),
    "an earlier execution of a stack is reset during a trigger of the live one": Plan(
        seed=1_500_000_369,
        slowest=0.1,
        stacks=(
            StackPlan(id="s0"),
            StackPlan(id="s1", upstreams=("s0",)),
            StackPlan(id="s4", upstreams=("s1",)),
            StackPlan(id="s5"),
        ),
        chains=(
            ChainPlan(
                name="chain",
                at=7.9,
                spec={"roots": {"stackIds": ["s0", "s5"]}, "operation": "Plan"},
            ),
        ),
        events=(
            Event(at=8.3, actor=Actor.PERSON, action="disable", target="s4"),
            _reset(26.1, "s4", task=0, of="earlier", amid=ids.TRIGGER_ACTIVITY, after=1.751),
            Event(at=37.5, actor=Actor.PERSON, action="enable", target="s4"),
        ),
    ),
    "what a reset makes of a run that is over waits for a stack that has ended": Plan(
        seed=1_500_000_572,
        stacks=(StackPlan(id="s0"),),
        chains=(ChainPlan(name="chain", at=4.3, spec={"roots": {"stackIds": ["s0"]}}),),
        events=(
            _reset(6.6, "chain", task=-2, of="live"),
            _reset(22.5, "chain", task=-1, of="earlier"),
            Event(at=40.0, actor=Actor.USER, action="ask for a run of", target="chain"),
        ),
    ),
    "a chain is reset whose end the status shows, while its workflow is open": Plan(
        seed=1000005233,
        slowest=0.5,
        chances={transport.UNAVAILABLE: 0.3},
        slow={chance.COMPLETION: 20.0},
        stacks=(
            StackPlan(id="s0"),
            StackPlan(id="s1", upstreams=("s0",)),
            StackPlan(id="s2", upstreams=("s1",)),
        ),
        chains=(ChainPlan(name="chain-0", at=3.9, spec={"roots": {"stackIds": ["s0"]}}),),
        events=(
            Event(at=17.7, actor=Actor.USER, action="cancel", target="chain-0"),
            Event(at=18.9, actor=Actor.FAULT, action="kill", target="operator", value=27.2),
            Event(
                at=58.8,
                actor=Actor.ADMINISTRATOR,
                action="reset the workflow of",
                target="chain-0",
                value={"task": 3, "amid": "", "after": 0.0},
            ),
        ),
    ),
    "a stack was started again under an execution between two resets of one": Plan(
        seed=7,
        stacks=(
            StackPlan(id="s0", seconds=8.0, outcomes=("fail:planning", "changes")),
            StackPlan(id="s5", seconds=90.0),
        ),
        chains=(ChainPlan(name="chain", at=1.0, spec={"roots": {"stackIds": ["s0", "s5"]}}),),
        events=(
            _reset(4.0, "chain", task=-1, of="live"),
            Event(
                at=20.0,
                actor=Actor.USER,
                action="ask for a retry of stacks of",
                target="chain",
                value=1,
            ),
            _reset(26.0, "chain", task=-1, of="earlier"),
        ),
    ),
    "a chain that was canceled while its many roots started is reset": Plan(
        seed=3,
        slowest=0.1,
        stacks=tuple(StackPlan(id=root, seconds=8.0) for root in _MANY),
        chains=(
            ChainPlan(
                name="chain",
                at=1.0,
                spec={"roots": {"stackIds": [*_MANY]}, "parallelism": len(_MANY)},
            ),
        ),
        events=(
            Event(at=1.8, actor=Actor.USER, action="cancel", target="chain"),
            _reset(30.0, "chain", task=3, of="ended"),
        ),
    ),
}
