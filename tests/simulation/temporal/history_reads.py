"""Reads of histories: all events, the last ones first, or only the end, however long it takes."""

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.history.v1 import History as HistoryMessage
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseResponse,
)

from tests.simulation.temporal.history_messages import message_of
from tests.simulation.temporal.records import Execution
from tests.simulation.temporal.refusals import NotSimulated, not_found, only

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_CLOSE = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT


class HistoryReads:
    """Answers the calls that read histories."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def on_get_workflow_execution_history(self, request: Any) -> Any:
        """Return a whole history, or wait for its last event."""
        only(
            request,
            "namespace",
            "execution",
            "maximum_page_size",
            "wait_new_event",
            "history_event_filter_type",
            "skip_archival",
            "next_page_token",
        )
        execution = self._find(request, request.next_page_token.decode())
        if request.history_event_filter_type == _CLOSE:
            if request.wait_new_event and execution.is_running:
                return self._end_of(execution)
            return _last_of(execution)
        if request.wait_new_event:
            raise NotSimulated("waiting for other events than the last one")
        return GetWorkflowExecutionHistoryResponse(
            history=HistoryMessage(events=[message_of(e) for e in execution.history.events])
        )

    def on_get_workflow_execution_history_reverse(
        self, request: Any
    ) -> GetWorkflowExecutionHistoryReverseResponse:
        """Return the newest events, the last one first."""
        execution = self._find(request, "")
        size = request.maximum_page_size or 1000
        events = execution.history.events[::-1][:size]
        return GetWorkflowExecutionHistoryReverseResponse(
            history=HistoryMessage(events=[message_of(event) for event in events])
        )

    def _find(self, request: Any, token: str) -> Execution:
        wanted = request.execution
        found = self._server.find_run(wanted.workflow_id, token or wanted.run_id)
        if found is None:
            raise not_found(f"workflow not found for ID: {wanted.workflow_id}")
        return found

    def _end_of(self, execution: Execution) -> "asyncio.Future[Any]":
        """Return a future of the last event, once there is one."""
        loop = self._server.loop
        answer: asyncio.Future[Any] = loop.create_future()

        def look(_: Any = None) -> None:
            if answer.done():
                return
            if execution.is_running:
                news: asyncio.Future[None] = loop.create_future()
                news.add_done_callback(look, context=loop.world.context)
                execution.waiters.append(news)
            else:
                answer.set_result(_last_of(execution))

        look()
        return answer


def _last_of(execution: Execution) -> GetWorkflowExecutionHistoryResponse:
    last = execution.history.events[-1]
    return GetWorkflowExecutionHistoryResponse(history=HistoryMessage(events=[message_of(last)]))
