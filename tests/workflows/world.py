"""A scripted Spacelift behind activity fakes that carry the real activities' names.

Given to a test: what stacks there are, how their runs go, and what fails. Seen by a test: which
activities were called, in order, and how runs ended.
"""

import asyncio
import collections
import contextlib
import dataclasses
import datetime
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import temporalio.activity as activity
import temporalio.exceptions
from temporalio.client import Client

from controller import times
from controller.api import v1alpha1
from controller.chain.graph import packed_reading, resolve
from controller.chain.run import (
    holds,
    native_stops,
    newer_runs,
    progress,
    run_snapshots,
    stack_reports,
    windows,
)
from controller.spacelift import models
from controller.temporal import ids, messages, start_messages
from controller.temporal.activities import errors, execution_waits, heartbeats

# How a run ends on its own when nothing holds it.
DEFAULT_END = "FINISHED"


@dataclasses.dataclass
class Run:
    """One run in the scripted account."""

    id: str
    stack_id: str
    state: str
    is_native: bool = False
    needs_approval: bool = False
    hold: holds.Hold | None = None
    delta: v1alpha1.Delta | None = None
    asked: messages.TriggerStackRunInput | None = None
    skip_note: str = ""

    def snapshot(self) -> run_snapshots.RunSnapshot:
        return run_snapshots.RunSnapshot(
            run_id=self.id,
            state=self.state,
            run_url=f"https://x/{self.id}",
            needs_approval=self.needs_approval,
            note=self.skip_note if self.state == "SKIPPED" else "",
            hold=self.hold,
            delta=self.delta,
        )


def failure(
    kind: str, *, final: bool = False, delay: timedelta | None = None
) -> temporalio.exceptions.ApplicationError:
    """Return what a real activity raises for a Spacelift error."""
    return temporalio.exceptions.ApplicationError(
        f"made up: {kind}", type=kind, non_retryable=final, next_retry_delay=delay
    )


class World:
    """The edges are drawn: `"a>b"` is a native one, `"a~b"` one by label.

    A run ends at once as `ends` says, unless its stack is in `held`: then it stays in the state
    that `holds_in` gives until the test calls `move`.
    """

    def __init__(self, *drawing: str, roots: Sequence[str] = ("a",)) -> None:
        self.roots = list(roots)
        self.edges = [_edge(text) for text in drawing]
        self.unknown_roots: tuple[str, ...] = ()
        # The newest runs in Spacelift of stacks that a retry may keep.
        self.newest_runs: list[newer_runs.NewestRun] = []
        # Stacks that were deleted, or that the API key does not see.
        self.hidden: set[str] = set()
        # The stages of the stacks that have one.
        self.stage_of: dict[str, str] = {}
        self.ends: dict[str, str] = {}
        # How the first runs of a stack end; later ones end as `ends` says.
        self.first_ends: dict[str, list[str]] = {}
        # Why Spacelift skips runs of stacks, where it is not for unchanged outputs.
        self.skip_notes: dict[str, str] = {}
        # The runs that stacks had wanted before a reset.
        self.earlier: dict[str, messages.EarlierRun] = {}
        # What holds stacks, so that no run can be created.
        self.stack_holds: dict[str, holds.Hold] = {}
        # Those of stacks that have some.
        self.are_windows_open = False
        # When a closed window is rechecked.
        self.closed_for = timedelta(seconds=1)
        # Where a confirmation leads.
        self.confirms_to = DEFAULT_END
        # Why the plans of stacks are left to a person.
        self.excesses: dict[str, str] = {}
        self.held: set[str] = set()
        self.pace = execution_waits.Pace(refresh=0.3, grace=3.0, look=0.1)
        self.holds_in: dict[str, str] = {}
        self.has_natives = True
        # Stacks on which Spacelift queues nothing automatically.
        self.without_native: set[str] = set()
        # Stacks whose runs cannot be read, with the name of the error.
        self.problems: dict[str, str] = {}
        self.failures: dict[tuple[str, str], list[Exception]] = collections.defaultdict(list)
        # Activities that fail until the test removes them from here, by name and stack.
        self.broken: dict[tuple[str, str], Exception] = {}
        # Activities that wait until their gate is opened, by name and stack.
        self.gates: dict[tuple[str, str], asyncio.Event] = {}
        # Which of their calls is the first that waits.
        self.first_gated: dict[tuple[str, str], int] = {}
        # Activities whose wait at a gate no cancel interrupts, as one that ends just before it.
        self.shields: set[str] = set()
        self.log: list[tuple[str, str]] = []
        self.arguments: list[Any] = []
        self.runs: dict[str, Run] = {}
        self.publishes_open = 0
        self.publishes_most = 0
        # The first publish counts for all but the last one, so none is on its way at the end: the
        # time-skipping server never continues after the cancel of one that ends just then.
        self.publishes_seldom = False
        self.publish_error: Exception | None = None
        self.last_publish_error: Exception | None = None
        # Replaces the fake, for tests of the real one on a real server.
        self.real_trigger: Callable[..., Any] | None = None
        # What sweeps find, and what the operator answers to each call; the last one repeats.
        self.root_runs: list[start_messages.RootRuns] = []
        self.request_answers = [start_messages.RequestRunResult(outcome="reconciled")]
        self._changed = asyncio.Condition()
        self._client: Client | None = None
        self._time = 0

    # What a test does and asks

    def calls(self, name: str) -> list[str]:
        """Return the stacks that an activity was called for, in order."""
        return [stack_id for called, stack_id in self.log if called == name]

    def arguments_of(self, kind: type[Any]) -> list[Any]:
        return [argument for argument in self.arguments if isinstance(argument, kind)]

    def run_of(self, stack_id: str) -> Run:
        """Return the stack's newest run."""
        return max(
            (run for run in self.runs.values() if run.stack_id == stack_id), key=lambda run: run.id
        )

    def states(self, stack_id: str) -> list[str]:
        return [run.state for run in self.runs.values() if run.stack_id == stack_id]

    async def move(self, stack_id: str, state: str, *, run_id: str = "") -> None:
        """Put the stack's newest run, or another one, into a state."""
        async with self._changed:
            run = self.runs[run_id] if run_id else self.run_of(stack_id)
            run.state = state
            self._changed.notify_all()

    async def change(self, stack_id: str, **facts: Any) -> None:
        """Change what is to be seen of the stack's newest run."""
        async with self._changed:
            for name, value in facts.items():
                setattr(self.run_of(stack_id), name, value)
            self._changed.notify_all()

    async def hold_stack(self, stack_id: str, hold: holds.Hold | None) -> None:
        """Lock or disable a stack, or with None let it go."""
        async with self._changed:
            self.stack_holds.pop(stack_id, None)
            if hold is not None:
                self.stack_holds[stack_id] = hold
            self._changed.notify_all()

    async def break_reading(self, stack_id: str, problem: str) -> None:
        """Let reading a stack's run fail from now on, or with "" no longer."""
        async with self._changed:
            self.problems[stack_id] = problem
            self._changed.notify_all()

    def gate(self, name: str, stack_id: str, *, from_call: int = 1) -> asyncio.Event:
        """Make an activity wait, from one of its calls on; it continues when the event is set."""
        self.first_gated[name, stack_id] = from_call
        return self.gates.setdefault((name, stack_id), asyncio.Event())

    def adopt_run(self, run: models.RunRecord) -> None:
        """Take over a run that a real activity created elsewhere."""
        self.runs[run.run_id] = Run(run.run_id, run.stack_id, DEFAULT_END)

    # The activities

    def connect(self, client: Client) -> None:
        self._client = client

    def open_windows(self) -> None:
        """Have the windows open from now on."""
        self.are_windows_open = True

    def close_windows(self) -> None:
        """Have the windows closed from now on; they are rechecked every second."""
        self.are_windows_open = False

    def _window(self) -> windows.WindowState:
        left = timedelta(days=1) if self.are_windows_open else self.closed_for
        until = datetime.datetime.now(datetime.UTC) + left
        return windows.WindowState(is_open=self.are_windows_open, until=times.rfc3339(until))

    def _closed_window(self, stack: messages.StackRef) -> windows.WindowState | None:
        return None if self.are_windows_open or not stack.windows else self._window()

    def calls_queue(self) -> list[Callable[..., Any]]:
        return [
            self.fetch_dependent_stacks,
            self.read_windows,
            self.find_stack_run,
            self.read_stack_run,
            self.real_trigger or self.trigger_stack_run,
            self.confirm_stack_run,
            self.stop_stack_run,
            self.stop_native_runs,
            self.find_triggered_run,
            self.find_root_runs,
            self.find_newest_runs,
            self.find_earlier_stacks,
            self.find_stack_ends,
        ]

    def follows_queue(self) -> list[Callable[..., Any]]:
        return [self.follow_stack_run, self.await_stack_release, self.await_turn]

    @activity.defn(name="fetch_dependent_stacks")
    async def fetch_dependent_stacks(
        self, argument: messages.FetchDependentStacksInput
    ) -> packed_reading.PackedReading:
        async with self._called("fetch_dependent_stacks", "", argument):
            names = self._downstream(argument.scope.roots.stack_ids)
            found = resolve.Discovery(
                stacks=tuple(
                    resolve.StackFacts(id=name, name=name, stage=self.stage_of.get(name, ""))
                    for name in names
                ),
                edges=tuple(
                    edge for edge in self.edges if {edge.upstream, edge.dependent} <= set(names)
                ),
                unknown_roots=self.unknown_roots,
            )
            return packed_reading.pack(found, excluded_labels=())

    @activity.defn(name="read_windows")
    async def read_windows(self, argument: messages.ReadWindowsInput) -> messages.ReadWindowsResult:
        async with self._called("read_windows", "", argument):
            states = dict.fromkeys(argument.windows, self._window())
            return messages.ReadWindowsResult(states=states)

    @activity.defn(name="find_stack_run")
    async def find_stack_run(
        self, argument: messages.FindStackRunInput
    ) -> messages.FindStackRunResult:
        async with self._called("find_stack_run", argument.target.stack_id, argument):
            known = [run for run in self.runs.values() if run.stack_id == argument.target.stack_id]
            natives = [run.id for run in known if run.is_native]
            if argument.adopt_origin is not None and natives:
                # The id of a root's run that finished before is of another kind.
                later = [run_id for run_id in natives if run_id > argument.adopt_origin] or natives
                return messages.FindStackRunResult(newest_run_id=later[0], adopted_run_id=later[0])
            held, closed = self._hold_of(argument.target.stack_id), None
            if held is None and (closed := self._closed_window(argument.target)):
                held = holds.of_window(closed)
            return messages.FindStackRunResult(
                newest_run_id=max((run.id for run in known), default="0"),
                earlier=self.earlier.get(argument.target.stack_id),
                held=held,
                opens_at=closed.until if closed else None,
            )

    def _hold_of(self, stack_id: str) -> progress.StackMeaning | None:
        return holds.of_creation(self.stack_holds.get(stack_id, holds.Hold()))

    def _hold_message(self, stack_id: str) -> str:
        held = self._hold_of(stack_id)
        return held.message if held else ""

    @activity.defn(name="await_stack_release")
    async def await_stack_release(self, argument: messages.AwaitStackReleaseInput) -> None:
        stack_id = argument.target.stack_id
        async with self._called("await_stack_release", stack_id, argument), self._changed:
            await self._changed.wait_for(
                lambda: self._hold_message(stack_id) != argument.hold_message
            )

    @activity.defn(name="trigger_stack_run")
    async def trigger_stack_run(
        self, argument: messages.TriggerStackRunInput
    ) -> run_snapshots.RunSnapshot:
        async with self._called("trigger_stack_run", argument.target.stack_id, argument):
            held = self._hold_of(argument.target.stack_id)
            if held is None and (closed := self._closed_window(argument.target)):
                held = holds.of_window(closed)
            if held is not None:
                raise temporalio.exceptions.ApplicationError(
                    held.message, type=errors.STACK_HELD, non_retryable=True
                )
            run = self.create(argument.target.stack_id)
            run.asked = argument
            return run.snapshot()

    @activity.defn(name="confirm_stack_run")
    async def confirm_stack_run(
        self, argument: messages.ConfirmStackRunInput
    ) -> messages.ConfirmStackRunResult:
        async with (
            self._called("confirm_stack_run", argument.target.stack_id, argument),
            self._changed,
        ):
            run, excess, closed = self.runs[argument.run_id], "", None
            if run.snapshot().needs_confirmation:
                excess = self.excesses.get(argument.target.stack_id, "")
                closed = None if excess else self._closed_window(argument.target)
                if not (excess or closed):
                    run.state = self.confirms_to
                    self._changed.notify_all()
            return messages.ConfirmStackRunResult(
                run=run.snapshot(), excess=excess, closed_window=closed
            )

    @activity.defn(name="read_stack_run")
    async def read_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> messages.ReadStackRunResult:
        stack_id = argument.target.stack_id
        async with self._called("read_stack_run", stack_id, argument):
            if self.problems.get(stack_id):
                raise failure("Unreachable")
            run = self.runs[argument.run_id]
            news = run.snapshot() if self._has_news(argument) else None
            return messages.ReadStackRunResult(news=news)

    @activity.defn(name="follow_stack_run")
    async def follow_stack_run(
        self, argument: messages.FollowStackRunInput
    ) -> run_snapshots.RunSnapshot | None:
        async with (
            self._called("follow_stack_run", argument.target.stack_id, argument),
            self._changed,
        ):
            await self._changed.wait_for(lambda: self._has_news(argument))
            run = self.runs[argument.run_id]
            problem = self.problems.get(argument.target.stack_id, "")
            if problem:
                return run_snapshots.RunSnapshot(run_id=run.id, state="", problem_reason=problem)
            return run.snapshot()

    def _has_news(self, argument: messages.FollowStackRunInput) -> bool:
        problem = self.problems.get(argument.target.stack_id, "")
        if problem or argument.known_problem:
            return problem != argument.known_problem
        return (
            stack_reports.summary(self.runs[argument.run_id].snapshot()) != argument.known_summary
        )

    @activity.defn(name="find_triggered_run")
    async def find_triggered_run(
        self, argument: messages.FindTriggeredRunInput
    ) -> run_snapshots.RunSnapshot | None:
        async with self._called("find_triggered_run", argument.target.stack_id, argument):
            own = [
                run
                for run in self.runs.values()
                if run.stack_id == argument.target.stack_id and not run.is_native
            ]
            return own[-1].snapshot() if own else None

    @activity.defn(name="stop_stack_run")
    async def stop_stack_run(
        self, argument: messages.StopStackRunInput
    ) -> run_snapshots.RunSnapshot:
        async with self._called("stop_stack_run", argument.target.stack_id, argument):
            run = self.runs[argument.run_id]
            await self._stop(run)
            return run.snapshot()

    @activity.defn(name="stop_native_runs")
    async def stop_native_runs(
        self, argument: messages.StopNativeRunsInput
    ) -> messages.StopNativeRunsResult:
        names = ",".join(target.stack_id for target in argument.targets)
        found: list[native_stops.NativeRun] = []
        async with self._called("stop_native_runs", names, argument):
            for target in argument.targets:
                free = [
                    run
                    for run in self.runs.values()
                    if run.stack_id == target.stack_id
                    and run.is_native
                    and run.id not in target.claimed_run_ids
                ]
                for origin in target.origin_run_ids:
                    run = next((item for item in free if item.id > origin), None)
                    if run is not None:
                        free.remove(run)
                        if run.id != target.keep_run_id:
                            await self._stop(run)
                    found.append(
                        native_stops.NativeRun(
                            stack_id=target.stack_id,
                            origin_run_id=origin,
                            run_id=run.id if run else "",
                            state=run.state if run else "",
                            run_url="https://x",
                        )
                    )
        return messages.StopNativeRunsResult(runs=found)

    @activity.defn(name="await_turn")
    async def await_turn(self, argument: messages.AwaitTurnInput) -> messages.AwaitTurnResult:
        async with self._called("await_turn", argument.workflow_id, argument):
            assert self._client is not None
            return await execution_waits.TurnWait(self._client, argument, self.pace).wait()

    @activity.defn(name="find_newest_runs")
    async def find_newest_runs(
        self, argument: messages.FindNewestRunsInput
    ) -> messages.FindNewestRunsResult:
        async with self._called("find_newest_runs", "", argument):
            wanted = set(argument.stack_ids)
            return messages.FindNewestRunsResult(
                runs=[item for item in self.newest_runs if item.stack_id in wanted],
                hidden=sorted(wanted & self.hidden),
            )

    @activity.defn(name="find_earlier_stacks")
    async def find_earlier_stacks(
        self, argument: messages.FindEarlierStacksInput
    ) -> messages.FindEarlierStacksResult:
        async with self._called("find_earlier_stacks", "", argument):
            return messages.FindEarlierStacksResult(stacks=[])

    @activity.defn(name="find_stack_ends")
    async def find_stack_ends(
        self, argument: messages.FindStackEndsInput
    ) -> messages.FindStackEndsResult:
        async with self._called("find_stack_ends", "", argument):
            return messages.FindStackEndsResult(ends=[])

    @activity.defn(name="find_root_runs")
    async def find_root_runs(
        self, argument: start_messages.FindRootRunsInput
    ) -> start_messages.FindRootRunsResult:
        async with self._called("find_root_runs", "", argument):
            return start_messages.FindRootRunsResult(roots=self.root_runs)

    @activity.defn(name="request_run")
    async def request_run(
        self, argument: start_messages.RequestRunCall
    ) -> start_messages.RequestRunResult:
        async with self._called("request_run", "", argument):
            answers = self.request_answers
            return answers.pop(0) if len(answers) > 1 else answers[0]

    @activity.defn(name="publish_chain_status")
    async def publish_chain_status(
        self, argument: messages.PublishChainStatusInput
    ) -> messages.PublishChainStatusResult:
        async with self._called("publish_chain_status", "", argument):
            if argument.is_final and self.last_publish_error is not None:
                raise self.last_publish_error
            # The last one does not wait for the one that it replaces.
            self.publishes_open += not argument.is_final
            self.publishes_most = max(self.publishes_most, self.publishes_open)
            try:
                sequence = await self._sequence(argument)
                # Looked at last, as a write is: one on its way may be the last that there is.
                if self.publish_error is not None:
                    raise self.publish_error
                if self.publishes_seldom:
                    sequence = sys.maxsize
                return messages.PublishChainStatusResult(sequence=sequence)
            finally:
                self.publishes_open -= not argument.is_final

    # Inside

    def create(self, stack_id: str) -> Run:
        """Create a run as Spacelift does: with what hangs on it natively."""
        run = self._add(stack_id, is_native=False)
        if self.has_natives:
            for dependent in self._reached(stack_id):
                if dependent not in self.without_native:
                    self._add(dependent, is_native=True)
        return run

    def _add(self, stack_id: str, *, is_native: bool) -> Run:
        self._time += 1
        state = self.ends.get(stack_id, DEFAULT_END)
        if self.first_ends.get(stack_id):
            state = self.first_ends[stack_id].pop(0)
        elif stack_id in self.held:
            state = self.holds_in.get(stack_id, "PLANNING")
        run = Run(f"{self._time:04d}-{stack_id}", stack_id, state, is_native)
        run.skip_note = self.skip_notes.get(stack_id, "its references have not changed")
        self.runs[run.id] = run
        return run

    def _downstream(self, roots: Sequence[str]) -> list[str]:
        found = set(roots)
        while more := {e.dependent for e in self.edges if e.upstream in found} - found:
            found |= more
        return sorted(found)

    def _reached(self, stack_id: str) -> list[str]:
        reached: list[str] = []
        front = [stack_id]
        while front:
            upstream = front.pop(0)
            for edge in self.edges:
                if edge.is_native and edge.upstream == upstream and edge.dependent not in reached:
                    reached.append(edge.dependent)
                    front.append(edge.dependent)
        return reached

    async def _stop(self, run: Run) -> None:
        possible = run.snapshot().stop_calls
        if possible and run.state != "PENDING_REVIEW":
            async with self._changed:
                ends = {"cancel": "CANCELED", "discard": "DISCARDED", "stop": "STOPPED"}
                run.state = ends[possible[0]]
                self._changed.notify_all()

    async def _sequence(self, argument: messages.PublishChainStatusInput) -> int:
        assert self._client is not None
        handle = self._client.get_workflow_handle(
            argument.workflow_id, run_id=argument.workflow_run_id
        )
        known = await handle.query(ids.PROGRESS_QUERY, result_type=progress.ChainProgress)
        return known.sequence

    @contextlib.asynccontextmanager
    async def _called(self, name: str, stack_id: str, argument: Any) -> AsyncIterator[None]:
        self.log.append((name, stack_id))
        self.arguments.append(argument)
        number = self.log.count((name, stack_id))
        async with heartbeats.kept_alive(seconds=0.2):
            gate = self.gates.get((name, stack_id))
            is_gated = number >= self.first_gated.get((name, stack_id), 1)
            if gate is not None and is_gated:
                await _wait_at(gate, is_shielded=name in self.shields)
            if (error := self.broken.get((name, stack_id))) is not None:
                raise error
            if failures := self.failures[name, stack_id]:
                raise failures.pop(0)
            yield


async def _wait_at(gate: asyncio.Event, *, is_shielded: bool) -> None:
    waiting = asyncio.ensure_future(gate.wait())
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not is_shielded:
                waiting.cancel()
                raise


def _edge(text: str) -> resolve.Edge:
    return resolve.Edge(
        upstream=text[0],
        dependent=text[2],
        is_native=text[1] == ">",
        is_label=text[1] == "~",
    )
