"""What `nativeRuns` buys and costs: the same schedules in virtual time under Adopt and Strict.

Accounts of stacks with native dependencies, some of which fail, are skipped by Spacelift, are
canceled by people, or run while the worker is away. Counts and times are those of the simulated
world (`tests.simulation`), so they do not depend on the machine.
"""

import asyncio
import dataclasses
import functools
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import Any

from controller.api import reasons
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from tests.benchmarks import figures, rig, tables
from tests.simulation.world import playing
from tests.simulation.world.plans import Actor, ChainPlan, Event, Plan, StackPlan
from tests.simulation.world.records import OUR_LOGIN, Record, marker_of

ADOPT, STRICT = "Adopt", "Strict"
_CHAIN = "chain"
_FULL, _QUICK = 50, 2
_STOPPED = {RunState.CANCELED, RunState.DISCARDED, RunState.STOPPED}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """How long runs take, and how the chain learns of their ends."""

    shortest: float
    longest: float
    has_receiver: bool

    @property
    def name(self) -> str:
        how = "webhooks" if self.has_receiver else "read every 10 s"
        return f"runs of {self.shortest:.0f} to {self.longest:.0f} s, {how}"


SETTINGS = tuple(
    Setting(shortest=shortest, longest=longest, has_receiver=has_receiver)
    for shortest, longest in ((2, 10), (30, 120))
    for has_receiver in (True, False)
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What came of one schedule under one of the two."""

    stacks: int
    behind: int
    twice: int
    requests: int
    triggered: int
    canceled: int
    seconds: float
    """From the first run of the chain to the end of the last one."""
    phases: tuple[str, ...]
    violations: tuple[str, ...]


async def run(*, quick: bool) -> figures.Report:
    """Play each schedule under both, and add up."""
    seeds = range(_QUICK if quick else _FULL)
    details = tables.Table(
        title="Adopt and Strict, by what runs are like",
        columns=[
            "schedules",
            "nativeRuns",
            "applied behind a stack that did not end well",
            "in schedules",
            "applied twice",
            "requests / stack",
            "triggered / stack",
            "canceled / stack",
        ],
    )
    shown: list[figures.Figure] = []
    for setting in SETTINGS:
        pairs = await asyncio.to_thread(_play_all, setting, seeds)
        for place, mode in enumerate((ADOPT, STRICT)):
            courses = [pair[place] for pair in pairs]
            _check(courses, setting, mode)
            details.add(*_row(setting, mode, courses))
        shown += _figures(setting, pairs)
    return figures.Report(
        title=f"nativeRuns: {len(seeds)} schedules of each kind under Adopt and Strict",
        figures=shown,
        notes=[
            "6 to 15 stacks, all with autodeploy; a tenth fail, a tenth are skipped as unchanged",
            "in a third of the schedules a person cancels a run, in a third the worker is away",
        ],
        details=[details],
    )


# Schedules


def make(seed: int, setting: Setting, mode: str) -> Plan:
    """Return the schedule of a seed; only the spec differs between the two modes."""
    rng = random.Random(f"{seed} {setting.name}")  # noqa: S311 - repeatable, not secret
    names = [f"s{number}" for number in range(rng.randint(6, 15))]
    stacks = tuple(_stack(rng, setting, names, number) for number in range(len(names)))
    roots = [stack.id for stack in stacks if not (stack.upstreams or stack.labels)]
    return Plan(
        seed=seed,
        stacks=stacks,
        chains=(ChainPlan(name=_CHAIN, spec={"roots": {"stackIds": roots}, "nativeRuns": mode}),),
        events=tuple(_events(rng, setting, names)),
        has_receiver=setting.has_receiver,
        poll_seconds=60 if setting.has_receiver else 10,
    )


def _stack(rng: random.Random, setting: Setting, names: Sequence[str], number: int) -> StackPlan:
    # What comes just before is the likeliest upstream, so that there are long ways.
    near = names[max(0, number - 4) : number]
    upstreams = tuple(sorted(rng.sample(near, min(len(near), rng.choice([1, 1, 1, 2])))))
    is_labeled = bool(upstreams) and rng.random() < 0.1
    is_root = number == 0 or (number < 3 and rng.random() < 0.2)
    outcome = rng.choices(["changes", "fail:planning", "fail:applying"], [90, 5, 5])[0]
    return StackPlan(
        id=names[number],
        upstreams=() if is_root or is_labeled else upstreams,
        labels=upstreams if is_labeled and not is_root else (),
        seconds=round(rng.uniform(setting.shortest, setting.longest), 1),
        outcomes=(outcome,),
        is_unchanged=bool(upstreams) and rng.random() < 0.1,
    )


def _events(rng: random.Random, setting: Setting, names: Sequence[str]) -> Iterator[Event]:
    kind, at = rng.random(), 5.0 + rng.uniform(0.0, 3 * setting.longest)
    if kind < 1 / 3:
        yield Event(at=at, actor=Actor.PERSON, action="cancel", target=rng.choice(names[1:]))
    elif kind < 2 / 3:
        away = round(rng.uniform(5.0, 20.0), 1)
        yield Event(at=at, actor=Actor.FAULT, action="kill", target="worker", value=away)


# What came of them


def _play_all(setting: Setting, seeds: Sequence[int]) -> list[tuple[Course, Course]]:
    play = functools.partial(_play_both, setting)
    with futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(play, seeds))


def _play_both(setting: Setting, seed: int) -> tuple[Course, Course]:
    adopting, strict = (
        _course(playing.play(make(seed, setting, mode))) for mode in (ADOPT, STRICT)
    )
    return adopting, strict


def _course(outcome: playing.Outcome) -> Course:
    record = outcome.record
    (chain,) = record.chains.values()
    rows: dict[str, Any] = {row["id"]: row for row in chain.runs[1].get("stacks") or ()}
    runs = [run for run in record.account_runs if _is_of_chain(record, run)]
    applied = Counter(run.stack_id for run in runs if _has_applied(run))
    return Course(
        stacks=len(rows),
        behind=sum(_is_behind(rows, stack_id) for stack_id in applied),
        twice=sum(count > 1 for count in applied.values()),
        requests=record.requests(),
        triggered=sum(run.triggered_by == OUR_LOGIN for run in runs),
        canceled=sum(run.state in _STOPPED for run in runs),
        seconds=max(run.history[-1].at for run in runs) - min(run.created_at for run in runs),
        phases=tuple(row["phase"] for row in rows.values()),
        violations=tuple(f"{item.invariant}: {item.text}" for item in outcome.violations),
    )


def _is_of_chain(record: Record, run: Run) -> bool:
    return record.cause_of(run) is not None or marker_of(run) is not None


def _has_applied(run: Run) -> bool:
    return any(item.state is RunState.APPLYING for item in run.history)


def _is_behind(rows: dict[str, Any], stack_id: str) -> bool:
    upstreams = rows.get(stack_id, {}).get("dependsOn") or ()
    return not all(_ended_well(rows[upstream]) for upstream in upstreams)


def _ended_well(row: dict[str, Any]) -> bool:
    return row["phase"] == "Succeeded" or row["reason"] == reasons.StackReason.OUTPUT_UNCHANGED


def _check(courses: Sequence[Course], setting: Setting, mode: str) -> None:
    if bad := [(seed, c.violations) for seed, c in enumerate(courses) if c.violations]:
        raise rig.Failed(f"{setting.name}, {mode}: schedules violate invariants: {bad[:3]}")


def _row(setting: Setting, mode: str, courses: Sequence[Course]) -> list[tables.Cell]:
    stacks = sum(course.stacks for course in courses)
    return [
        f"{len(courses)} with {setting.name}",
        mode,
        sum(course.behind for course in courses),
        sum(course.behind > 0 for course in courses),
        sum(course.twice for course in courses),
        sum(course.requests for course in courses) / stacks,
        sum(course.triggered for course in courses) / stacks,
        sum(course.canceled for course in courses) / stacks,
    ]


def _figures(setting: Setting, pairs: Sequence[tuple[Course, Course]]) -> Iterator[figures.Figure]:
    """Give what is compared: each of it is the same schedule under both."""
    stacks = [sum(pair[place].stacks for pair in pairs) for place in range(2)]
    for place, mode in enumerate((ADOPT, STRICT)):
        behind = sum(pair[place].behind for pair in pairs)
        yield figures.Figure(
            what=f"{setting.name}: stacks applied behind one that did not end well, {mode}",
            measured=100 * behind / stacks[place],
            unit="%",
        )
    ratio = [sum(pair[place].requests for pair in pairs) / stacks[place] for place in range(2)]
    yield figures.Figure(
        what=f"{setting.name}: requests per stack, Strict / Adopt", measured=ratio[1] / ratio[0]
    )
    same = [b.seconds / a.seconds for a, b in pairs if a.phases == b.phases]
    for name, percent in (("p50", 50), ("p90", 90)):
        yield figures.Figure(
            what=f"{setting.name}: makespan, Strict / Adopt, {name} of {len(same)}",
            measured=tables.percentile(same, percent) or 0.0,
        )
