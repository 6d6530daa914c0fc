"""What the Temporal Schedules of a resource look like: one asks for runs, one sweeps the roots.

A schedule starts a small workflow that passes the request on to the operator, which decides
(ADR 0022 and 0023).
"""

import dataclasses
import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import temporalio.client

from controller.api import v1alpha1
from controller.temporal import ids, messages, schedule_list, signing, start_messages

# A workflow that waits for the operator asks for all the times that have passed when it is served.
_START_OVERLAP = temporalio.client.ScheduleOverlapPolicy.SKIP
# The next sweep makes up for a missed one.
_SWEEP_CATCH_UP = timedelta(seconds=10)
# If an operator is gone for good, no workflow waits for it forever. One that comes back later finds
# out on its own which times have passed.
_GIVE_UP = timedelta(days=1)

_EVERY = re.compile(r"\*(?:/(1|3|5|15))?")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DesiredSchedule:
    """One schedule as a resource wants it; equal digests in the memo mean equal schedules."""

    schedule: temporalio.client.Schedule
    memo: start_messages.ScheduleMemo
    starts_at_once: bool


class ScheduleDesigns:
    """What the schedules of an installation's resources look like."""

    def __init__(
        self,
        *,
        installation: str,
        task_queue: str,
        operator_queue: str,
        sweep_seconds: int,
        signing_keys: signing.SigningKeys | None = None,
    ) -> None:
        self._signing_keys = signing_keys or signing.SigningKeys()
        self._installation = installation
        self._task_queue = task_queue
        self._operator_queue = operator_queue
        self._sweep_seconds = sweep_seconds

    def schedule(self, chain: v1alpha1.StackChain) -> DesiredSchedule | None:
        """Return the schedule that asks for runs; None: the resource wants none."""
        wanted, ref = chain.spec.schedule, _without_generation(chain.ref)
        if wanted is None:
            return None
        argument = start_messages.RequestRunInput(ref=ref, operator_queue=self._operator_queue)
        return self._wanted(
            ref,
            ids.SCHEDULE_KIND,
            argument,
            spec=_times(wanted),
            policy=temporalio.client.SchedulePolicy(
                overlap=_START_OVERLAP,
                catchup_window=timedelta(seconds=wanted.starting_deadline_seconds),
            ),
            is_paused=chain.spec.suspend,
            told=[wanted.cron, wanted.time_zone, wanted.starting_deadline_seconds],
        )

    def sweeps(
        self, chain: v1alpha1.StackChain, connection: messages.AccountRef
    ) -> DesiredSchedule | None:
        """Return the schedule that sweeps the roots; None: the resource wants none."""
        if not chain.spec.triggers:
            return None
        ref = _without_generation(chain.ref)
        argument = start_messages.RootSweepInput(
            ref=ref,
            operator_queue=self._operator_queue,
            connection=self._signing_keys.signed(connection),
            roots=chain.spec.roots,
        )
        # Otherwise the sweeps of all chains would start at the same moment.
        offset = int(hashlib.sha256(ref.uid.encode()).hexdigest(), 16) % self._sweep_seconds
        every = temporalio.client.ScheduleIntervalSpec(
            every=timedelta(seconds=self._sweep_seconds), offset=timedelta(seconds=offset)
        )
        return self._wanted(
            ref,
            ids.TRIGGERS_KIND,
            argument,
            spec=temporalio.client.ScheduleSpec(intervals=[every]),
            policy=temporalio.client.SchedulePolicy(
                overlap=schedule_list.SWEEP_OVERLAP, catchup_window=_SWEEP_CATCH_UP
            ),
            is_paused=chain.spec.suspend,
            told=[self._sweep_seconds],
        )

    def _wanted(
        self,
        ref: v1alpha1.Ref,
        kind: str,
        argument: start_messages.RequestRunInput | start_messages.RootSweepInput,
        *,
        spec: temporalio.client.ScheduleSpec,
        policy: temporalio.client.SchedulePolicy,
        is_paused: bool,
        told: list[Any],
    ) -> DesiredSchedule:
        sweep = argument if isinstance(argument, start_messages.RootSweepInput) else None
        workflow = ids.ROOT_SWEEP_WORKFLOW if sweep else ids.REQUEST_RUN_WORKFLOW
        digest = _digest([workflow, dataclasses.asdict(argument), is_paused, *told])
        does = "sweep" if sweep else "schedule"
        action = temporalio.client.ScheduleActionStartWorkflow(
            workflow,
            argument,
            id=schedule_id(ref, kind),
            task_queue=self._task_queue,
            execution_timeout=_GIVE_UP,
            static_summary=f"{does} of {ref.namespace}/{ref.name}",
        )
        memo = start_messages.ScheduleMemo(
            installation=self._installation,
            ref=ref,
            kind=kind,
            digest=digest,
            account=sweep.connection.account if sweep else "",
            roots=sweep.roots if sweep else None,
        )
        state = temporalio.client.ScheduleState(
            paused=is_paused, note="`spec.suspend` is true." if is_paused else None
        )
        return DesiredSchedule(
            schedule=temporalio.client.Schedule(
                action=action, spec=spec, policy=policy, state=state
            ),
            memo=memo,
            starts_at_once=sweep is not None and not is_paused,
        )


def _without_generation(ref: v1alpha1.Ref) -> v1alpha1.Ref:
    """Return what stays the same when the spec changes, so that the schedule does, too."""
    return dataclasses.replace(ref, generation=0)


def _times(schedule: v1alpha1.Schedule) -> temporalio.client.ScheduleSpec:
    """Return the times as Temporal is to evaluate them.

    A cron of every few minutes is an interval, whatever the zone: all offsets are multiples of 15
    minutes. As a cron Temporal 1.32 leaves out nearly two hours when the clock is put back.
    """
    match schedule.cron.split():
        case [minutes, "*", "*", "*", "*"] if (found := _EVERY.fullmatch(minutes)) is not None:
            every = timedelta(minutes=int(found[1] or 1))
            interval = temporalio.client.ScheduleIntervalSpec(every=every)
            return temporalio.client.ScheduleSpec(
                intervals=[interval], time_zone_name=schedule.time_zone
            )
    return temporalio.client.ScheduleSpec(
        cron_expressions=[schedule.cron], time_zone_name=schedule.time_zone
    )


def schedule_id(ref: v1alpha1.Ref, kind: str) -> str:
    """Return the id of a resource's schedule of a kind."""
    return ids.schedule_id(namespace=ref.namespace, name=ref.name, uid=ref.uid, kind=kind)


def _digest(parts: list[Any]) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
