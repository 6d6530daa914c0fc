"""Small workflows whose fate shows how a server behaves; all return plain data."""

import asyncio
import dataclasses
import time
from datetime import timedelta
from typing import Any

import temporalio.exceptions as exceptions
from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

_SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_SCHEDULE = SearchAttributeKey.for_keyword("TemporalScheduledById")


def described(error: BaseException | None) -> str:
    """Return an error and its causes in one line, without ids and times."""
    if error is None:
        return ""
    match error:
        case exceptions.ActivityError():
            state = error.retry_state.name if error.retry_state else "-"
            started = "started" if error.started_event_id else "never started"
            text = f"activity {error.activity_type} {state} {started}"
        case exceptions.ChildWorkflowError():
            state = error.retry_state.name if error.retry_state else "-"
            text = f"child {error.workflow_type} {state}"
        case exceptions.ApplicationError():
            final = " for good" if error.non_retryable else ""
            text = f"{error.type}: {error.message}{final}"
        case exceptions.TimeoutError():
            text = f"timeout {error.type.name if error.type else '-'} {error.message}"
            if error.last_heartbeat_details:
                text += f" {list(error.last_heartbeat_details)}"
        case exceptions.WorkflowAlreadyStartedError():
            text = f"{error.workflow_type} is there already"
        case _:
            text = f"{type(error).__name__}"
    cause = error.__cause__ if isinstance(error, exceptions.FailureError) else None
    return f"{text} < {described(cause)}" if cause is not None else text


@workflow.defn(name="Waits")
class Waits:
    """Listens to signals until one of them says `end`, and returns them."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @workflow.signal
    def say(self, text: str) -> None:
        """Take a word, or a command."""
        self.said.append(text)

    @workflow.query
    def heard(self) -> list[str]:
        """Return what was said."""
        return self.said

    @workflow.query
    def broken(self) -> None:
        """Fail."""
        raise ValueError("no answer")

    @workflow.run
    async def run(self, on_cancel: str = "raise") -> list[str]:
        """Return what was said, or what a cancel makes of it."""
        try:
            await workflow.wait_condition(lambda: "end" in self.said or "fail" in self.said)
        except asyncio.CancelledError:
            if on_cancel == "raise":
                raise
            return ["canceled", *self.said]
        if "fail" in self.said:
            raise exceptions.ApplicationError("as asked", type="Asked")
        return self.said


@workflow.defn(name="Lasts")
class Lasts:
    """Ends at the first signal, in a workflow task that takes a while."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @workflow.signal
    def say(self, text: str) -> None:
        """Take a word."""
        self.said.append(text)

    @workflow.query
    def heard(self) -> list[str]:
        """Return what was said."""
        return self.said

    @workflow.run
    async def run(self, seconds: float) -> list[str]:
        """Return all that was said before the end."""
        await workflow.wait_condition(lambda: bool(self.said))
        # Not a timer: the task itself is to last.
        time.sleep(seconds)  # noqa: ASYNC251
        return self.said


@workflow.defn(name="Breaks")
class Breaks:
    """Fails at its workflow task, with an error that is not a failure."""

    @workflow.run
    async def run(self) -> None:
        """Never return."""
        raise ValueError("broken code")


@dataclasses.dataclass
class Call:
    """One activity and what is done about it; times are in seconds."""

    name: str
    argument: str = ""
    queue: str | None = None
    start_to_close: float | None = 20
    schedule_to_close: float | None = None
    schedule_to_start: float | None = None
    heartbeat: float | None = None
    attempts: int = 1
    pause: float = 0.2
    never_again: list[str] = dataclasses.field(default_factory=list)
    cancellation: str = "TRY_CANCEL"
    cancel_after: float | None = None
    cancel_on_signal: bool = False


@workflow.defn(name="Calls")
class Calls:
    """Calls an activity, cancels it if asked to, and returns what became of it."""

    def __init__(self) -> None:
        self.is_signaled = False

    @workflow.signal
    def go(self) -> None:
        """Cancel now."""
        self.is_signaled = True

    @workflow.run
    async def run(self, call: Call) -> str:
        """Return the result or the error."""
        handle = workflow.start_activity(
            call.name,
            call.argument,
            task_queue=call.queue,
            start_to_close_timeout=_span(call.start_to_close),
            schedule_to_close_timeout=_span(call.schedule_to_close),
            schedule_to_start_timeout=_span(call.schedule_to_start),
            heartbeat_timeout=_span(call.heartbeat),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=call.pause),
                maximum_attempts=call.attempts,
                non_retryable_error_types=call.never_again or None,
            ),
            cancellation_type=workflow.ActivityCancellationType[call.cancellation],
        )
        if call.cancel_after is not None:
            if call.cancel_after:
                await asyncio.sleep(call.cancel_after)
            handle.cancel()
        elif call.cancel_on_signal:
            await workflow.wait_condition(lambda: self.is_signaled)
            handle.cancel()
        try:
            return f"result {await handle}"
        except (exceptions.FailureError, asyncio.CancelledError) as error:
            return described(error)


@dataclasses.dataclass
class Family:
    """A child and what is done about it."""

    child_id: str
    workflow: str = "Waits"
    argument: str = "raise"
    close: str = "TERMINATE"
    cancellation: str = "WAIT_CANCELLATION_COMPLETED"
    is_left: bool = False
    is_canceled: bool = False
    says: str = ""


@workflow.defn(name="Parents")
class Parents:
    """Starts a child, and waits for it or leaves it."""

    @workflow.run
    async def run(self, family: Family) -> str:
        """Return what became of the child."""
        try:
            handle: workflow.ChildWorkflowHandle[Any, Any] = await workflow.start_child_workflow(
                family.workflow,
                family.argument,
                id=family.child_id,
                parent_close_policy=workflow.ParentClosePolicy[family.close],
                cancellation_type=workflow.ChildWorkflowCancellationType[family.cancellation],
            )
            if family.says:
                await handle.signal("say", family.says)
            if family.is_left:
                return "left"
            if family.is_canceled:
                handle.cancel()
            return f"result {await handle}"
        except (exceptions.FailureError, asyncio.CancelledError) as error:
            return described(error)


@workflow.defn(name="Signals")
class Signals:
    """Signals another execution, or cancels it."""

    @workflow.run
    async def run(self, workflow_id: str, text: str) -> str:
        """Return whether that worked."""
        other: workflow.ExternalWorkflowHandle[Any]
        other = workflow.get_external_workflow_handle(workflow_id)
        try:
            if text == "cancel":
                await other.cancel()
            else:
                await other.signal("say", text)
        except exceptions.FailureError as error:
            return described(error)
        return "done"


@workflow.defn(name="Remembers")
class Remembers:
    """Changes its memo, and then waits forever."""

    @workflow.run
    async def run(self, text: str) -> None:
        """Never return."""
        workflow.upsert_memo({"text": text})
        await asyncio.Event().wait()


@workflow.defn(name="Sleeps")
class Sleeps:
    """Waits for timers."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return what the timers have done."""
        seen = []
        started = workflow.time()
        await asyncio.sleep(1)
        seen.append("slept" if workflow.time() - started >= 1 else "too short")
        try:
            await workflow.wait_condition(lambda: False, timeout=0.5)
        except TimeoutError:
            seen.append("timed out")
        long = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.sleep(0)
        long.cancel()
        seen.append("canceled")
        return seen


@workflow.defn(name="Scheduled")
class Scheduled:
    """Notes which schedule started it, and runs until a signal ends it."""

    def __init__(self) -> None:
        self.is_over = False

    @workflow.signal
    def say(self, text: str) -> None:
        """End."""
        self.is_over = True

    @workflow.run
    async def run(self, is_long: bool) -> list[object]:
        """Return what the schedule has left in the search attributes."""
        if is_long:
            await workflow.wait_condition(lambda: self.is_over)
        found = workflow.info().typed_search_attributes
        due = found.get(_SCHEDULED)
        return [found.get(_SCHEDULE) is not None, due is not None and due.microsecond == 0]


@workflow.defn(name="Directs")
class Directs:
    """Does what signals say, each thing while the others are under way, and returns how they went.

    It can take a while for each of them, so that what comes meanwhile is written after the task.
    """

    def __init__(self) -> None:
        self._children: dict[str, workflow.ChildWorkflowHandle[Any, Any]] = {}
        self._todo: list[list[str]] = []
        self.went: list[str] = []

    @workflow.signal
    def do(self, what: str, *arguments: str) -> None:
        """Take a thing to do, with its arguments."""
        self._todo.append([what, *arguments])

    @workflow.query
    def done(self) -> list[str]:
        """Return how the things went that are over."""
        return self.went

    @workflow.run
    async def run(self, task_seconds: float) -> list[str]:
        """Return how the things went, in the order of their ends."""
        under_way: list[asyncio.Task[None]] = []
        while True:
            try:
                await workflow.wait_condition(lambda: bool(self._todo))
            except asyncio.CancelledError:
                self.went.append("canceled")
                continue
            what, *arguments = self._todo.pop(0)
            if what == "end":
                return self.went
            # Not a timer: the task itself is to last.
            time.sleep(task_seconds)  # noqa: ASYNC251
            under_way.append(asyncio.create_task(self._do(what, arguments)))
            await asyncio.sleep(0)

    async def _do(self, what: str, arguments: list[str]) -> None:
        try:
            self.went.append(f"{what}: {await getattr(self, f'_{what}')(*arguments)}")
        except (exceptions.FailureError, asyncio.CancelledError) as error:
            self.went.append(f"{what}: {described(error)}")

    async def _call(self, name: str, argument: str, queue: str = "") -> Any:
        return await workflow.execute_activity(
            name,
            argument,
            task_queue=queue or None,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )

    async def _sleep(self, seconds: str) -> str:
        started = workflow.time()
        await asyncio.sleep(float(seconds))
        return "on time" if workflow.time() - started < float(seconds) + 2 else "late"

    async def _start(self, workflow_id: str, close: str = "REQUEST_CANCEL") -> Any:
        self._children[workflow_id] = await workflow.start_child_workflow(
            "Waits",
            id=workflow_id,
            parent_close_policy=workflow.ParentClosePolicy[close],
            cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL,
        )
        return await self._children[workflow_id]

    async def _cancel(self, workflow_id: str) -> None:
        self._children[workflow_id].cancel()

    async def _tell(self, workflow_id: str, word: str) -> None:
        await self._children[workflow_id].signal("say", word)

    async def _signal(self, workflow_id: str, word: str) -> None:
        other: workflow.ExternalWorkflowHandle[Any]
        other = workflow.get_external_workflow_handle(workflow_id)
        await other.signal("say", word)

    async def _note(self, text: str) -> None:
        workflow.upsert_memo({"text": text})

    async def _random(self, name: str) -> float:
        return workflow.random().random()


WORKFLOWS = [Waits, Lasts, Breaks, Calls, Parents, Signals, Remembers, Sleeps, Scheduled, Directs]


def _span(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None
