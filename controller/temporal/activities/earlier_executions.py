"""What executions of a stack before a reset in Temporal have done, read from their histories.

A reset makes a new execution that starts somewhere in the history of the one before, and ends that
one where it is. Only the old one knows what it had triggered. See ADR 0043.
"""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

import temporalio.activity as activity
import temporalio.client
import temporalio.exceptions
import temporalio.service
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from controller import times
from controller.api import v1alpha1
from controller.chain.requests import executions
from controller.chain.run import failures, progress, run_snapshots
from controller.temporal import client as temporal_client
from controller.temporal import decoding, execution_infos, ids, messages

_Value = TypeVar("_Value")

# The children of this many ended chain runs are remembered: each stack of a chain asks for them.
_REMEMBERED = 32


class EarlierExecutions:
    """Finds the last run of a stack that its run of the chain had wanted before a reset."""

    def __init__(self, client: temporalio.client.Client) -> None:
        self._client = client
        self._children: dict[tuple[str, str], dict[str, list[str]]] = {}

    async def find(self, argument: messages.FindStackRunInput) -> messages.EarlierRun | None:
        """Return the run; None if nothing was reset, or nothing was triggered or adopted before.

        Raises:
            ApplicationError: a history is gone, so no one knows.
        """
        wanted: dict[str, messages.EarlierRun] = {}
        try:
            async for run_id in self._executions(argument):
                reading = _HistoryReading(self._client)
                handle = self._client.get_workflow_handle(_own_id(), run_id=run_id)
                async for event in handle.fetch_history_events():
                    await reading.take(event)
                for wish, run in reading.wanted.items():
                    if wish not in wanted or run.run_id is not None:
                        wanted[wish] = run
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            raise _history_lost(argument.target.stack_id) from error
        except decoding.Unreadable as error:
            raise _history_lost(argument.target.stack_id) from error
        if not wanted:
            return None
        # Run ids sort by time; a run that is not known is newer than the one before it.
        last = max(
            wanted.values(), key=lambda run: (run.run_id or run.newest_run_id, run.run_id is None)
        )
        return dataclasses.replace(last, attempts=len(wanted))

    async def check_awaited(self, first_run_id: str) -> None:
        """Check that the chain waits for the stack's execution that asks, if a reset has made it.

        A reset of an execution that has ended, or of an earlier one than the newest, makes one that
        reports to no one: its chain has gone on, perhaps with another one that has a run.

        Args:
            first_run_id: the first of the executions before the resets; empty: not known.

        Raises:
            ApplicationError: it does not.
            RPCError: Temporal does not answer.
        """
        own_run_id = activity.info().workflow_run_id or ""
        if first_run_id in ("", own_run_id):
            return
        try:
            own = await execution_infos.describe(self._client, _own_id(), own_run_id)
            chain_id = own.parent[0] if own.parent is not None else ""
            chain = await execution_infos.describe(self._client, chain_id)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            raise _not_awaited() from error
        is_live = chain.state is executions.ExecutionState.RUNNING
        if not is_live or (_own_id(), first_run_id) not in chain.children:
            raise _not_awaited()

    async def find_stacks(self, chain: messages.ChainExecutionRef) -> list[messages.EarlierStack]:
        """Return what the executions of a run of a chain before this one have started.

        Raises:
            ApplicationError: a history is gone, so no one knows.
        """
        started: dict[str, list[str]] = {}
        try:
            for chain_run_id in await self._resets_of(chain.workflow_id, chain.first_run_id):
                if chain_run_id != activity.info().workflow_run_id:
                    children = await self._children_of(chain.workflow_id, chain_run_id)
                    for workflow_id, run_ids in children.items():
                        started.setdefault(workflow_id, []).extend(run_ids)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            raise temporalio.exceptions.ApplicationError(
                "The history before the reset is gone.",
                type=failures.HISTORY_LOST,
                non_retryable=True,
            ) from error
        found = [await self._stack(workflow_id, ids) for workflow_id, ids in started.items()]
        return [stack for stack in found if stack is not None]

    async def find_ends(
        self, awaited: Sequence[messages.AwaitedExecution]
    ) -> list[messages.StackEnd]:
        """Return how those of the executions have ended that are not live, as resets made them.

        Raises:
            RPCError: Temporal does not answer.
        """
        found = [await self._end_if_closed(execution) for execution in awaited]
        return [end for end in found if end is not None]

    async def _end_if_closed(
        self, execution: messages.AwaitedExecution
    ) -> messages.StackEnd | None:
        end = messages.StackEnd(execution=execution)
        try:
            last = await self._last_of(execution.workflow_id, execution.first_run_id)
            if last.state is executions.ExecutionState.RUNNING:
                return None
            if last.state is executions.ExecutionState.CLOSED:
                report = await self._end_of(last.workflow_id, last.workflow_run_id)
                return dataclasses.replace(end, report=report)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
        except decoding.Unreadable:
            pass
        return dataclasses.replace(end, is_from_outside=True)

    async def _last_of(self, workflow_id: str, run_id: str) -> execution_infos.ExecutionInfo:
        """Return the execution that resets have made of one; itself, if there were none."""
        seen = {run_id}
        info = await execution_infos.describe(self._client, workflow_id, run_id)
        while info.reset_run_id and info.reset_run_id not in seen:
            seen.add(info.reset_run_id)
            info = await execution_infos.describe(self._client, workflow_id, info.reset_run_id)
        return info

    async def _stack(
        self, workflow_id: str, first_run_ids: list[str]
    ) -> messages.EarlierStack | None:
        """Return the last of a stack's executions; None if it has ended and left no run."""
        unknown = messages.EarlierStack(workflow_id=workflow_id)
        try:
            last = await execution_infos.describe(self._client, workflow_id)
            if last.first_run_id not in first_run_ids:
                # Others have the stack by now.
                before = [
                    await execution_infos.describe(self._client, workflow_id, run_id)
                    for run_id in first_run_ids
                ]
                last = max(before, key=lambda info: info.start_time)
            if last.state is executions.ExecutionState.RUNNING:
                return dataclasses.replace(unknown, is_running=True)
            if last.state is not executions.ExecutionState.CLOSED:
                return unknown
            report = await self._end_of(workflow_id, last.workflow_run_id)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            return unknown
        except decoding.Unreadable:
            return unknown
        if report is None or report.phase is v1alpha1.Phase.WAITING:
            return None
        return dataclasses.replace(unknown, report=report)

    async def _end_of(self, workflow_id: str, workflow_run_id: str) -> progress.StackReport | None:
        handle = self._client.get_workflow_handle(workflow_id, run_id=workflow_run_id)
        what = "The end of a stack's workflow"
        async for event in handle.fetch_history_events(
            event_filter_type=temporalio.client.WorkflowHistoryEventFilterType.CLOSE_EVENT
        ):
            result = event.workflow_execution_completed_event_attributes.result
            with decoding.readable(what):
                wanted: Any = progress.StackReport | None
                values = await self._client.data_converter.decode(result.payloads, [wanted])
            if values and values[0] is not None:
                return decoding.checked(values[0], progress.StackReport, what)
        return None

    async def _executions(self, argument: messages.FindStackRunInput) -> AsyncIterator[str]:
        """Yield the stack's executions before this one that were for the same run of the chain."""
        own_run_id, chain = activity.info().workflow_run_id, argument.chain
        firsts = [argument.first_run_id] if own_run_id != argument.first_run_id else []
        if chain.workflow_run_id != chain.first_run_id:
            for chain_run_id in await self._resets_of(chain.workflow_id, chain.first_run_id):
                if chain_run_id != chain.workflow_run_id:
                    children = await self._children_of(chain.workflow_id, chain_run_id)
                    firsts += children.get(_own_id(), [])
        for first in dict.fromkeys(firsts):
            for run_id in await self._resets_of(_own_id(), first):
                if run_id != own_run_id:
                    yield run_id

    async def _resets_of(self, workflow_id: str, first_run_id: str) -> list[str]:
        """Return an execution and all that resets have made of it.

        Each names the last one that was made of it; only the listing has the older ones.
        """
        first = await execution_infos.describe(self._client, workflow_id, first_run_id)
        found = {first_run_id: None}
        since = times.rfc3339(first.start_time)
        query = f"WorkflowId = '{workflow_id}' AND StartTime >= '{since}'"
        async for item in execution_infos.list_all(self._client, query):
            if item.first_run_id == first_run_id:
                found[item.workflow_run_id] = None
        following = first.reset_run_id
        while following and following not in found:
            found[following] = None
            info = await execution_infos.describe(self._client, workflow_id, following)
            following = info.reset_run_id
        return list(found)

    async def _children_of(self, workflow_id: str, workflow_run_id: str) -> dict[str, list[str]]:
        """Return the executions that an ended chain run has started, by their workflow ids."""
        key = (workflow_id, workflow_run_id)
        if key not in self._children:
            found: dict[str, list[str]] = {}
            handle = self._client.get_workflow_handle(workflow_id, run_id=workflow_run_id)
            async for event in handle.fetch_history_events():
                if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
                    child = event.child_workflow_execution_started_event_attributes
                    execution = child.workflow_execution
                    found.setdefault(execution.workflow_id, []).append(execution.run_id)
            while len(self._children) >= _REMEMBERED:
                del self._children[next(iter(self._children))]
            self._children[key] = found
        return self._children[key]


class _HistoryReading:
    """The runs that one execution wanted, by what they are newer than, or adopted, by their ids."""

    def __init__(self, client: temporalio.client.Client) -> None:
        self._client = client
        self.wanted: dict[str, messages.EarlierRun] = {}
        self._triggers: dict[int, str] = {}
        self._finds: set[int] = set()

    async def take(self, event: HistoryEvent) -> None:
        """Take in the next event."""
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name == ids.FIND_ACTIVITY:
                self._finds.add(event.event_id)
            elif scheduled.activity_type.name == ids.TRIGGER_ACTIVITY:
                wish = await self._decoded(scheduled.input, messages.TriggerStackRunInput)
                self._triggers[event.event_id] = wish.newest_run_id
                unknown = messages.EarlierRun(newest_run_id=wish.newest_run_id, key_id=wish.key_id)
                self.wanted.setdefault(wish.newest_run_id, unknown)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            if completed.scheduled_event_id in self._triggers:
                run = await self._decoded(completed.result, run_snapshots.RunSnapshot)
                newest_run_id = self._triggers[completed.scheduled_event_id]
                self.wanted[newest_run_id] = dataclasses.replace(
                    self.wanted[newest_run_id], run_id=run.run_id
                )
            elif completed.scheduled_event_id in self._finds:
                self._add_found(await self._decoded(completed.result, messages.FindStackRunResult))

    def _add_found(self, found: messages.FindStackRunResult) -> None:
        if found.adopted_run_id is not None:
            self.wanted[f"adopted {found.adopted_run_id}"] = messages.EarlierRun(
                newest_run_id=found.newest_run_id, run_id=found.adopted_run_id, is_adopted=True
            )

    async def _decoded(self, payloads: Payloads, wanted: type[_Value]) -> _Value:
        what = f"The history of a workflow of the stack ({wanted.__name__})"
        with decoding.readable(what):
            values = await self._client.data_converter.decode(payloads.payloads, [wanted])
        return decoding.checked(values[0] if values else None, wanted, what)


def _own_id() -> str:
    return activity.info().workflow_id or ""


def _not_awaited() -> temporalio.exceptions.ApplicationError:
    return temporalio.exceptions.ApplicationError(
        "The workflow was made by a reset in Temporal, of an execution that no chain waits for, so "
        "it triggers nothing. To run the stack again, ask for a retry of its chain.",
        type=failures.NOT_AWAITED,
        non_retryable=True,
    )


def _history_lost(stack_id: str) -> temporalio.exceptions.ApplicationError:
    return temporalio.exceptions.ApplicationError(
        f"The workflow was reset in Temporal, and its history before that is gone, so it is not "
        f"known whether '{stack_id}' has a run for this run of the chain. Check the stack in "
        "Spacelift, then ask for another run of the chain.",
        type=failures.HISTORY_LOST,
        non_retryable=True,
    )
