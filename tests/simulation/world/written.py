"""Schedules written by hand, one or two for each promise that chance seldom puts to the test."""

from typing import Any

from tests.simulation.account import transport
from tests.simulation.kube import link
from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan


def _plan(
    *stacks: StackPlan,
    events: tuple[Event, ...] = (),
    chains: tuple[ChainPlan, ...] = (),
    **options: Any,
) -> Plan:
    """Return a plan with a chain below its first stack, where nothing takes long."""
    default = (ChainPlan(name="chain", spec={"roots": {"stackIds": [stacks[0].id]}}),)
    values = {"seed": 1, "slowest": 0.1, **options}
    return Plan(stacks=stacks, chains=chains or default, events=events, **values)


def _chain(*, at: float = 1.0, **spec: Any) -> tuple[ChainPlan, ...]:
    return (ChainPlan(name="chain", at=at, spec={"roots": {"stackIds": ["a"]}, **spec}),)


def _user(at: float, action: str, target: str = "chain", value: Any = None) -> Event:
    return Event(at=at, actor=Actor.USER, action=action, target=target, value=value)


def _fault(at: float, action: str, target: str = "", value: Any = None) -> Event:
    return Event(at=at, actor=Actor.FAULT, action=action, target=target, value=value)


def _person(at: float, action: str, target: str, value: Any = None) -> Event:
    return Event(at=at, actor=Actor.PERSON, action=action, target=target, value=value)


def _administrator(at: float, action: str, target: str) -> Event:
    return Event(at=at, actor=Actor.ADMINISTRATOR, action=action, target=target)


def _lags(*times: float, seconds: float = 3.0) -> tuple[Event, ...]:
    """Let lists show runs later than they exist, each time for twenty seconds."""
    return tuple(_fault(at, "Spacelift lags", value=seconds) for at in times)


def _enabled_beside_a_run(stack_id: str, *, disabled_at: float) -> tuple[Event, ...]:
    """Have a stack enabled, and what is above it triggered, in the second of the chain's run."""
    return (
        _person(disabled_at, "disable", stack_id),
        _person(1.6, "enable", stack_id),
        _person(1.8, "trigger", "a"),
    )


_LABELED = (
    StackPlan(id="a", seconds=2.0),
    StackPlan(id="b", labels=("a",), seconds=2.0),
    StackPlan(id="c", labels=("b",), seconds=2.0),
    StackPlan(id="d", labels=("c",), seconds=2.0),
)


def _line(names: str, *, seconds: float) -> tuple[StackPlan, ...]:
    """Return stacks that hang on each other natively."""
    return tuple(
        StackPlan(
            id=name, upstreams=tuple(names[place - 1 : place]) if place else (), seconds=seconds
        )
        for place, name in enumerate(names)
    )


def _staged(
    *events: Event,
    outcomes: tuple[str, ...] = ("changes",),
    windows: dict[str, dict[str, Any]] | None = None,
    **spec: Any,
) -> Plan:
    """Return three stages that soak and depend on each other, and a slow stack in none of them."""
    stages: list[dict[str, Any]] = [
        {"name": "dev", "labels": ["stage:dev"]},
        {"name": "qa", "labels": ["stage:qa"], "soakSeconds": 10},
        {"name": "prod", "labels": ["stage:prod"], "soakSeconds": 5, "approval": "Required"},
    ]
    for stage in stages:
        if window := (windows or {}).get(stage["name"]):
            stage["window"] = window
    return _plan(
        StackPlan(id="a", stage="dev", seconds=4.0),
        StackPlan(id="b", stage="dev", seconds=8.0, outcomes=outcomes),
        StackPlan(id="c", stage="qa", upstreams=("a",), seconds=4.0),
        StackPlan(id="d", stage="qa", labels=("b",), seconds=4.0),
        StackPlan(id="e", stage="prod", upstreams=("c",), seconds=4.0),
        StackPlan(id="f", stage="prod", upstreams=("e",), labels=("d",), seconds=4.0),
        StackPlan(id="x", seconds=30.0),
        events=events,
        chains=_chain(**{"roots": {"stackIds": ["a", "b", "x"]}, "stages": stages, **spec}),
    )


SCHEDULES: dict[str, Plan] = {
    # Stages
    "stages that hang on each other natively soak and are approved": _staged(
        _user(20.0, "approve a stage of", value=4), _user(60.0, "approve a stage of", value=1)
    ),
    "all are killed while stages soak and wait for a person": _staged(
        *(_fault(at, "kill", "operator", 2.0) for at in (6.0, 15.0, 33.0, 52.0)),
        *(_fault(at, "kill", "worker", 3.0) for at in (9.0, 16.0, 21.0, 40.0, 52.5)),
        _user(51.9, "approve a stage of", value=1),
    ),
    "workers die at each step of stages": _staged(
        *(_fault(5.0 + 4 * n, "kill within steps", "worker", 20 * n + 3) for n in range(12)),
        _user(70.0, "approve a stage of", value=1),
    ),
    "a chain that is orphaned waits for nobody's approval": _staged(
        _user(30.0, "delete"), deletionPolicy="Orphan"
    ),
    "a stack of an earlier stage is retried and bypassed in the live run": _staged(
        _user(12.0, "ask for a retry of stacks of", value=1),
        _user(22.0, "ask for a bypass in", value=5),
        _user(60.0, "approve a stage of", value=1),
        outcomes=("fail:planning",),
    ),
    "windows of stages close while these roll, and workers die when they do": _staged(
        *(_fault(at, "kill", "worker", 2.0) for at in (59.5, 119.5, 179.5)),
        _fault(62.0, "kill", "operator", 3.0),
        _user(70.0, "approve a stage of", value=1),
        windows={
            "qa": {"cron": "*/2 * * * *", "durationSeconds": 60},
            "prod": {"cron": "*/3 * * * *", "durationSeconds": 60},
        },
    ),
    # Whose a native run is
    "someone runs what is above a stack that is enabled in the moment of the chain's run": _plan(
        StackPlan(id="a"),
        StackPlan(id="b", upstreams=("a",)),
        events=_enabled_beside_a_run("b", disabled_at=0.2),
    ),
    "the same, of a stack that was enabled when it was read": _plan(
        StackPlan(id="a"),
        StackPlan(id="b", upstreams=("a",)),
        events=_enabled_beside_a_run("b", disabled_at=1.35),
    ),
    "the same, of a stack that uses no native run": _plan(
        StackPlan(id="a"),
        StackPlan(id="z"),
        StackPlan(id="b", upstreams=("a",), labels=("z",)),
        chains=(ChainPlan(name="chain", spec={"roots": {"stackIds": ["a", "z"]}}),),
        events=_enabled_beside_a_run("b", disabled_at=1.35),
    ),
    # A run for a request
    "answers to triggers are lost, and lists lag": _plan(
        *_LABELED,
        chances={transport.TRIGGER_ANSWER_LOST: 0.5},
        events=(*_lags(0.0, 20.0, 40.0, 60.0, 80.0), _user(50.0, "ask for a run of")),
    ),
    "triggers fail before their answers are lost": _plan(
        *_LABELED,
        chances={transport.TRIGGER_UNREACHABLE: 0.6, transport.TRIGGER_ANSWER_LOST: 0.6},
        events=_lags(0.0, 20.0, 40.0, 60.0, 80.0),
    ),
    "workers die in triggers that are tried again": _plan(
        *_LABELED,
        chances={transport.TRIGGER_UNREACHABLE: 0.6, transport.TRIGGER_ANSWER_LATE: 1.0},
        events=tuple(_fault(4.0 + 5.3 * n, "kill", "worker", 1.0) for n in range(20)),
    ),
    "a failing stack is repeated up to its limit": _plan(
        StackPlan(id="a", outcomes=("fail:planning",) * 5),
        chains=_chain(retry={"limit": 2, "backoffSeconds": 5}),
    ),
    "a plan that is beyond the limits is made again": _plan(
        StackPlan(id="a", is_autodeployed=False, seconds=2.0, delta={"delete": 2}),
        StackPlan(
            id="b", upstreams=("a",), is_autodeployed=False, seconds=2.0, delta={"replace": 1}
        ),
        chains=_chain(confirmationPolicy="Auto", confirmationLimits={"maxDeleted": 0}),
        behavior={"replacedInDelta": "changed"},
        events=(
            _person(15.0, "replan", "a", {"delete": 1}),
            _fault(16.0, "kill", "worker", 1.0),
            _person(30.0, "replan", "a", {"change": 1}),
            _person(60.0, "confirm", "b"),
        ),
    ),
    "a window closes while a chain runs, and workers die when it does": _plan(
        StackPlan(id="a", seconds=40.0),
        StackPlan(id="b", labels=("a",), is_autodeployed=False, seconds=30.0),
        StackPlan(id="c", upstreams=("b",), seconds=10.0),
        StackPlan(id="d", labels=("a",), outcomes=("fail:planning",), seconds=20.0),
        chains=_chain(
            confirmationPolicy="Auto",
            window={"cron": "*/3 * * * *", "durationSeconds": 60},
            retry={"limit": 1, "backoffSeconds": 5},
        ),
        events=(
            _fault(59.5, "kill", "worker", 2.0),
            _fault(90.0, "kill", "operator", 5.0),
            _fault(179.5, "kill", "worker", 2.0),
            _user(200.0, "ask for a run of"),
        ),
    ),
    "a chain waits for one that comes later, and is asked again": _plan(
        StackPlan(id="a", seconds=5.0),
        StackPlan(id="b", seconds=5.0),
        chains=(
            ChainPlan(
                name="after", spec={"roots": {"stackIds": ["b"]}, "dependsOn": [{"name": "chain"}]}
            ),
            *_chain(at=20.0),
        ),
        events=(
            _user(60.0, "ask for a run of"),
            _user(62.0, "ask for a run of", "after"),
            _fault(63.0, "kill", "operator", 10.0),
            _user(120.0, "delete"),
            _user(122.0, "ask for a run of", "after"),
            _user(150.0, "recreate"),
        ),
    ),
    "what is created to destroy is asked later": _plan(
        StackPlan(id="a"),
        StackPlan(id="b", upstreams=("a",)),
        chains=_chain(operation="Destroy", destroyConfirmation="chain"),
        events=(_user(40.0, "ask for a run of"), _user(120.0, "ask for a run of")),
    ),
    "two operators start what is asked": _plan(
        StackPlan(id="a", seconds=2.0),
        chains=_chain(at=10.0),
        slowest=3.0,
        events=(
            _fault(0.5, "add", "operator"),
            *(_user(20.0 + 15 * n, "ask for a run of") for n in range(5)),
            _fault(21.0, "freeze", "operator", 40.0),
            _fault(66.0, "freeze", "operator", 40.0),
        ),
    ),
    "chains wait for each other's stacks": _plan(
        StackPlan(id="a", seconds=20.0),
        StackPlan(id="b", labels=("a",), seconds=20.0),
        chains=tuple(
            ChainPlan(name=f"chain-{n}", at=1.0 + 3 * n, spec={"roots": {"stackIds": ["a"]}})
            for n in range(4)
        ),
    ),
    "a person repeats what failed before it is retried": _plan(
        StackPlan(id="a", outcomes=("fail:planning", "changes")),
        StackPlan(id="b", upstreams=("a",)),
        events=(_person(30.0, "trigger", "a"), _user(60.0, "ask for a retry of")),
    ),
    # Cancel and delete
    "a waiting run is canceled": _plan(
        StackPlan(id="a", is_autodeployed=False),
        StackPlan(id="b", upstreams=("a",)),
        # No one confirms anything before the last event.
        events=(_user(30.0, "cancel"), _person(80.0, "enable", "a")),
    ),
    "a chain is canceled in the middle of a line": _plan(
        *_line("abcd", seconds=30.0), events=(_user(70.0, "cancel"),)
    ),
    "a chain is deleted in the middle of a line": _plan(
        *_line("abcd", seconds=30.0), events=(_user(70.0, "delete"),)
    ),
    "a chain is canceled while the answer to its trigger is on its way": _plan(
        *_line("abc", seconds=30.0),
        chances={transport.TRIGGER_ANSWER_LATE: 1.0},
        events=(_user(4.0, "cancel"),),
    ),
    "a chain is canceled while the answer to its trigger is lost": _plan(
        *_line("abc", seconds=60.0),
        chances={transport.TRIGGER_ANSWER_LATE: 0.5, transport.TRIGGER_ANSWER_LOST: 1.0},
        events=(_user(5.0, "cancel"),),
    ),
    "a chain is replaced while it runs": _plan(
        *_line("abc", seconds=30.0),
        chains=_chain(concurrencyPolicy="Replace"),
        events=(_user(40.0, "ask for a run of"),),
    ),
    "the workflow of a chain is terminated": _plan(
        *_line("abc", seconds=30.0),
        # What is left of it is not confirmed before the last event.
        events=(_administrator(40.0, "terminate the workflow of", "chain"), *_lags(200.0)),
    ),
    # Native runs
    "a native run two steps behind a failure": _plan(
        StackPlan(id="a", outcomes=("fail:planning",)),
        StackPlan(id="b", upstreams=("a",)),
        StackPlan(id="c", upstreams=("b",), is_autodeployed=False),
    ),
    "a native run two steps behind a skip": _plan(
        StackPlan(id="a"),
        StackPlan(id="b", upstreams=("a",), seconds=30.0),
        StackPlan(id="c", upstreams=("b",)),
        StackPlan(id="d", upstreams=("c",)),
        chains=_chain(nativeRuns="Strict"),
        events=(_person(5.0, "cancel", "b"),),
    ),
    "native runs next to labels": _plan(
        StackPlan(id="a", seconds=30.0),
        StackPlan(id="b", upstreams=("a",), seconds=20.0),
        StackPlan(id="c", upstreams=("b",), labels=("a",)),
        StackPlan(id="d", upstreams=("a",), labels=("c",), seconds=20.0),
        StackPlan(id="e", upstreams=("d",), labels=("b",)),
    ),
    "native runs below several roots": _plan(
        StackPlan(id="a", seconds=20.0),
        StackPlan(id="r", seconds=30.0),
        StackPlan(id="s", seconds=40.0),
        *(StackPlan(id=f"d{n}", upstreams=("a", "r", "s")) for n in range(3)),
        chains=_chain(roots={"stackIds": ["a", "r", "s"]}),
    ),
    "native runs behind a disabled stack": _plan(
        StackPlan(id="a", seconds=12.0),
        StackPlan(id="b", upstreams=("a",)),
        StackPlan(id="c", upstreams=("a",)),
        StackPlan(id="d", upstreams=("a",), labels=("c",)),
        chains=_chain(nativeRuns="Replace"),
        events=(_person(0.5, "disable", "b"), _person(90.0, "enable", "b")),
    ),
    "native runs that come late": _plan(
        *_line("abc", seconds=30.0),
        chains=_chain(nativeRuns="Replace"),
        events=_lags(0.0, 20.0, 40.0, seconds=15.0),
    ),
    "a stack that a retry keeps is below one that it runs": _plan(
        StackPlan(id="a", seconds=10.0, outcomes=("fail:planning", "changes")),
        StackPlan(id="r"),
        StackPlan(id="k", labels=("r",), upstreams=("a",)),
        chains=_chain(roots={"stackIds": ["a", "r"]}, graph={"sources": ["Labels"]}),
        events=(_user(60.0, "ask for a retry of"),),
    ),
    "stacks are retried and bypassed while another one waits": _plan(
        StackPlan(id="a", seconds=5.0, outcomes=("fail:planning", "changes")),
        StackPlan(id="b", upstreams=("a",), seconds=5.0),
        StackPlan(id="c", upstreams=("b",), seconds=5.0),
        StackPlan(id="x", seconds=100.0),
        chains=_chain(roots={"stackIds": ["a", "x"]}),
        events=(
            _user(20.0, "ask for a retry of stacks of", value=0),
            _user(30.0, "ask for a bypass in", value=2),
            _fault(30.5, "kill", "operator", 10.0),
            _fault(31.0, "kill", "worker", 5.0),
        ),
    ),
    "a retry is asked for just as the run ends": _plan(
        StackPlan(id="a", seconds=10.0, outcomes=("fail:planning", "changes")),
        StackPlan(id="b", upstreams=("a",), seconds=5.0),
        chains=_chain(),
        events=tuple(_user(9.0 + 0.5 * n, "ask for a retry of") for n in range(8)),
    ),
    "a quick native run gets ahead while no worker is there": _plan(
        StackPlan(id="a", seconds=10.0),
        StackPlan(id="b", upstreams=("a",), seconds=2.0),
        StackPlan(id="c", upstreams=("b",), seconds=2.0),
        chains=_chain(nativeRuns="Replace"),
        chances={transport.TRIGGER_ANSWER_LATE: 1.0},
        events=(_fault(3.0, "kill", "worker", 30.0),),
    ),
    # What breaks
    "watches break": _plan(
        StackPlan(id="a"),
        chances={link.WATCH_BROKEN: 0.2},
        events=tuple(_fault(5.0 + 10 * n, "watches break") for n in range(5)),
    ),
}
