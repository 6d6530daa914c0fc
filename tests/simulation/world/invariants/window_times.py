"""What a chain triggers and confirms itself, it does in its window."""

import itertools
from collections.abc import Iterator
from typing import Any

from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from tests.simulation.world.plans import stages_of
from tests.simulation.world.records import OUR_LOGIN, Record, marker_of

Json = dict[str, Any]

# Steps between the look at the clock and the effect in the account, each of which may be slow.
_STEPS = 4


def within_its_window(record: Record, run: Run) -> Iterator[str]:
    """We trigger and confirm nothing outside of the windows of its chain and its stage.

    The exception is what was on its way when they closed. The windows of plans open every few
    minutes.
    """
    last = run.history[-1]
    is_confirmed = last.state is RunState.CONFIRMED and last.username == OUR_LOGIN
    is_triggered = len(run.history) == 1 and marker_of(run) is not None
    cause = record.cause_of(run)
    if cause is None or not (is_confirmed or is_triggered):
        return
    specs = [chain.first_spec for chain in record.same_name(cause[0])]
    if any(spec.get("operation") == "Plan" for spec in specs):
        return
    windows = [_windows_of(record, spec, run.stack_id) for spec in specs]
    # Where one of several has none, it may be that one which did.
    if not all(windows):
        return
    what = "confirmed" if is_confirmed else "triggered"
    for window in itertools.chain.from_iterable(windows):
        if not (_is_open(window, last.at) or _is_open(window, last.at - _on_its_way(record))):
            late = last.at % 3600
            yield f"{run.id} of {run.stack_id} was {what} {late:.1f} s after the hour ({window})"


def _windows_of(record: Record, spec: Json, stack_id: str) -> list[Json]:
    """Return what holds a stack: the window of its chain, and that of its stage."""
    stage = stages_of(record.plan).get(stack_id)
    stages = [item for item in spec.get("stages", []) if item["name"] == stage]
    return [item["window"] for item in (spec, *stages) if "window" in item]


def _is_open(window: Json, at: float) -> bool:
    minutes = int(window["cron"].split()[0].removeprefix("*/"))
    return at % (60 * minutes) < window["durationSeconds"]


def _on_its_way(record: Record) -> float:
    plan = record.plan
    frozen = sum(
        float(event.value or 0)
        for event in plan.events
        if event.action == "freeze" and "worker" in event.target
    )
    return 1.0 + _STEPS * plan.slowest * max(plan.slow.values(), default=1.0) + frozen
