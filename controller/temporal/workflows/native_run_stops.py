"""Stops the runs that Spacelift queues by itself and nobody wants, beside the work of the chain."""

import asyncio
from collections.abc import Callable, Iterable

import temporalio.exceptions
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.chain.run import run_states, unwanted_runs
    from controller.temporal import messages
    from controller.temporal.activities import stack_operations
    from controller.temporal.workflows import calls

# Called with a stack and what is to be said of a native run of it that goes on.
Tell = Callable[[str, str], None]


class NativeRunStops:
    """Each stop is a task of its own; the chain waits for all of them before it closes."""

    def __init__(self, connection: messages.Connection, tell: Tell) -> None:
        self._connection = connection
        self._tell = tell
        # A list, not a set: the order must be the same on replay.
        self._stops: list[asyncio.Task[None]] = []

    def start(self, unwanted: Iterable[unwanted_runs.Unwanted], *, note: str) -> None:
        """Begin to stop; what cannot be stopped is told of at its stack."""
        targets = [
            messages.NativeRunTarget(
                stack_id=item.stack_id,
                origin_run_ids=item.origin_run_ids,
                queuers=item.queuers,
                keep_run_id=item.keep_run_id,
                depth=item.depth,
            )
            for item in unwanted
        ]
        if targets:
            stop = self._stop(targets, note=f"stackchain: {note}")
            self._stops.append(asyncio.create_task(stop))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being stopped."""
        return all(stop.done() for stop in self._stops)

    async def wait(self) -> None:
        """Return once nothing is being stopped any more."""
        while self._stops:
            stops, self._stops = self._stops, []
            await asyncio.gather(*stops)

    async def _stop(self, targets: list[messages.NativeRunTarget], *, note: str) -> None:
        def ignore(_: tuple[str, str] | None) -> None:
            """The stacks' own executions report what is wrong with Spacelift."""

        try:
            result: messages.StopNativeRunsResult = await calls.persist(
                stack_operations.StackOperations.stop_native_runs,
                messages.StopNativeRunsInput(
                    connection=self._connection, targets=targets, note=note
                ),
                summary=f"stop unwanted runs of {len(targets)} stacks",
                on_problem=ignore,
                start_to_close=calls.BULK_TIMEOUT,
            )
        except temporalio.exceptions.ActivityError as error:
            why = calls.cause_of(error)[1]
            ends = [(target.stack_id, _not_stopped(why)) for target in targets]
        else:
            ends = [(end.stack_id, text) for end in result.runs if (text := _left(end))]
        for stack_id, text in ends:
            self._tell(stack_id, text)


def _not_stopped(why: str) -> str:
    return f" A run that Spacelift queued here could not be stopped: {why}"


def _left(end: messages.NativeRunEnd) -> str:
    """What is to be said of a run that goes on although it is not wanted; "" if it does not."""
    if end.problem:
        return _not_stopped(end.problem)
    if end.state == run_states.RunState.FINISHED:
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was faster than the chain and "
            f"has finished: {end.url}"
        )
    if end.is_left:
        return (
            f" Its run {end.run_id}, which Spacelift had queued, was {end.state} already and is "
            f"left to end: {end.url}"
        )
    return ""
