"""The calls about schedules that the product makes."""

from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import GrpcStatus, Memo, WorkflowExecution, WorkflowType
from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.api.schedule.v1 import (
    ScheduleActionResult,
    ScheduleInfo,
    ScheduleListEntry,
    ScheduleListInfo,
)
from temporalio.api.workflowservice import v1 as api
from temporalio.service import RPCError, RPCStatusCode

from tests.simulation import virtual_time
from tests.simulation.temporal import chance
from tests.simulation.temporal.history_attributes import stamp
from tests.simulation.temporal.refusals import not_found, only
from tests.simulation.temporal.schedules import Schedule
from tests.simulation.temporal.visibility import compile_query

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_TIMES_AHEAD = 10
_MOST_MATCHING_TIMES = 1000


class ScheduleService:
    """Answers the calls about schedules; a listing shows what was some time ago."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server
        self._listed: dict[str, ScheduleListEntry] = {}

    def on_create_schedule(self, request: Any) -> api.CreateScheduleResponse:
        """Set up a schedule."""
        only(
            request,
            "namespace",
            "schedule_id",
            "schedule",
            "initial_patch",
            "identity",
            "request_id",
            "memo",
        )
        known = self._server.schedules.find(request.schedule_id)
        if known is not None and known.request_id == request.request_id:
            return api.CreateScheduleResponse(conflict_token=b"0")
        if known is not None:
            raise _already_there(request.schedule_id)
        schedule = self._server.schedules.add(
            request.schedule_id,
            request.schedule,
            dict(request.memo.fields),
            request.request_id,
        )
        if request.HasField("initial_patch"):
            self._patch(schedule, request.initial_patch)
        self._show_soon(schedule.schedule_id)
        return api.CreateScheduleResponse(conflict_token=b"0")

    def on_describe_schedule(self, request: Any) -> api.DescribeScheduleResponse:
        """Say how a schedule is."""
        schedule = self._find(request.schedule_id)
        info = ScheduleInfo(
            action_count=schedule.actions,
            overlap_skipped=schedule.skipped,
            missed_catchup_window=schedule.missed,
            buffer_size=len(schedule.waiting),
            create_time=stamp(schedule.created_at),
            recent_actions=[
                ScheduleActionResult(
                    schedule_time=stamp(due - virtual_time.EPOCH),
                    actual_time=stamp(actual - virtual_time.EPOCH),
                    start_workflow_result=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                )
                for due, actual, workflow_id, run_id in schedule.recent
            ],
            future_action_times=[
                stamp(moment - virtual_time.EPOCH)
                for moment in self._server.schedules.next_times(schedule, _TIMES_AHEAD)
            ],
        )
        if schedule.running is not None:
            running = info.running_workflows.add()
            running.workflow_id = schedule.running.workflow_id
            running.run_id = schedule.running.run_id
        return api.DescribeScheduleResponse(
            schedule=schedule.message, info=info, memo=Memo(fields=schedule.memo)
        )

    def on_delete_schedule(self, request: Any) -> api.DeleteScheduleResponse:
        """Remove a schedule."""
        schedule = self._find(request.schedule_id)
        self._server.schedules.remove(schedule)
        self._show_soon(schedule.schedule_id)
        return api.DeleteScheduleResponse()

    def on_patch_schedule(self, request: Any) -> api.PatchScheduleResponse:
        """Pause, unpause or trigger a schedule."""
        schedule = self._find(request.schedule_id)
        self._patch(schedule, request.patch)
        self._show_soon(schedule.schedule_id)
        return api.PatchScheduleResponse()

    def on_list_schedules(self, request: Any) -> api.ListSchedulesResponse:
        """List schedules, page by page."""
        only(request, "namespace", "maximum_page_size", "next_page_token", "query")
        matches = compile_query(request.query, {"ScheduleId": lambda entry: str(entry.schedule_id)})
        found = [entry for entry in self._listed.values() if matches(entry)]
        first = int(request.next_page_token or b"0")
        size = request.maximum_page_size or 1000
        token = str(first + size).encode() if first + size < len(found) else b""
        return api.ListSchedulesResponse(
            schedules=found[first : first + size], next_page_token=token
        )

    def on_list_schedule_matching_times(
        self, request: Any
    ) -> api.ListScheduleMatchingTimesResponse:
        """Return the times of a schedule after one moment and up to another."""
        schedule = self._find(request.schedule_id)
        after = request.start_time.ToMicroseconds() / 1e6
        until = request.end_time.ToMicroseconds() / 1e6
        answer = api.ListScheduleMatchingTimesResponse()
        for moment in schedule.times.between(after, until):
            answer.start_time.append(stamp(moment - virtual_time.EPOCH))
            if len(answer.start_time) == _MOST_MATCHING_TIMES:
                break
        return answer

    def _find(self, schedule_id: str) -> Schedule:
        found = self._server.schedules.find(schedule_id)
        if found is None:
            raise not_found("schedule not found")
        return found

    def _patch(self, schedule: Schedule, patch: Any) -> None:
        only(patch, "trigger_immediately", "pause", "unpause")
        schedules = self._server.schedules
        if patch.HasField("trigger_immediately"):
            schedules.trigger(schedule, patch.trigger_immediately.overlap_policy)
        if patch.pause:
            schedules.set_paused(schedule, is_paused=True, note=patch.pause)
        if patch.unpause:
            schedules.set_paused(schedule, is_paused=False, note=patch.unpause)

    def _show_soon(self, schedule_id: str) -> None:
        self._server.later(self._server.chance.delay(chance.VISIBILITY), self._show, schedule_id)

    def _show(self, schedule_id: str) -> None:
        """Show in listings how a schedule is, or that it is gone."""
        schedule = self._server.schedules.find(schedule_id)
        if schedule is None:
            self._listed.pop(schedule_id, None)
            return
        action = schedule.message.action.start_workflow
        self._listed[schedule_id] = ScheduleListEntry(
            schedule_id=schedule_id,
            memo=Memo(fields=schedule.memo),
            info=ScheduleListInfo(
                spec=schedule.message.spec,
                workflow_type=WorkflowType(name=action.workflow_type.name),
                paused=schedule.message.state.paused,
                notes=schedule.message.state.notes,
            ),
        )


def _already_there(schedule_id: str) -> RPCError:
    message = f"schedule {schedule_id!r} is already registered"
    status = GrpcStatus(code=int(RPCStatusCode.ALREADY_EXISTS), message=message)
    status.details.add().Pack(WorkflowExecutionAlreadyStartedFailure())
    return RPCError(message, RPCStatusCode.ALREADY_EXISTS, status.SerializeToString())
