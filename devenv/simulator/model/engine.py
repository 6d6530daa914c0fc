"""What drives an account: the timetable of runs, and the one place where a run changes its state.

What happens to a run at its time is up to `state_machine`, so that the rules can use the engine
while the engine need not know the rules.

`advance(now)` carries out everything that is due up to an instant, each at its own time, so a late
call finds the same history as a punctual one. What a change causes elsewhere (a dependent's
release, the next run of the stack) goes through a work list and not through the call stack: a wave
of 500 skipped stacks would exceed the recursion limit.
"""

import abc
import heapq
import random
from collections import defaultdict, deque
from collections.abc import Callable

from devenv.simulator.model.account import Account
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.ids import Ulids
from devenv.simulator.model.run_entities import Run, Transition
from devenv.simulator.model.states import LISTED_TYPES, STACK_STATES, TERMINAL, RunState

Listener = Callable[[Run, Transition], None]

DEFAULT_DURATIONS = {
    "queued": 0.0,
    "ready": 0.1,
    "preparing": 0.1,
    "initializing": 0.2,
    "planning": 0.5,
    "confirmed": 0.0,
    "preparing_apply": 0.1,
    "applying": 0.8,
    "performing": 0.5,
    "destroying": 0.8,
    "replan_requested": 0.0,
    "preparing_replan": 0.1,
    "stopping": 0.05,
    "deleting": 0.1,
}

_RUN, _STACK = "run", "stack"


class Engine(abc.ABC):
    """Drives the runs of one account; time only moves through `advance`."""

    def __init__(self, account: Account, *, now: float, rng: random.Random) -> None:
        """Take over an account at the instant `now`."""
        self.account = account
        self.now = now
        self.ids = Ulids(rng)
        self.listeners: list[Listener] = []
        # Queued runs of each stack, and runs waiting for a worker of each pool (None = public).
        self.queues: dict[str, list[str]] = defaultdict(list)
        self.awaiting_worker: dict[str | None, list[str]] = defaultdict(list)
        # Runs that wait for each run.
        self.waiting_runs: dict[str, list[str]] = defaultdict(list)
        self._timetable: list[tuple[float, int, str, str]] = []
        self._entries = 0
        self._todo: deque[Callable[[], None]] = deque()

    # -- time --------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Carry out all that is due until `now`."""
        self._drain()
        while self._timetable and self._timetable[0][0] <= now:
            due, _, kind, key = heapq.heappop(self._timetable)
            self.now = max(self.now, due)
            self._carry_out(due, kind, key)
            self._drain()
        self.now = max(self.now, now)

    def next_due(self) -> float | None:
        """Return when something is due next; None while everything waits for a person."""
        while self._timetable:
            due, _, kind, key = self._timetable[0]
            if self._is_current(due, kind, key):
                return due
            heapq.heappop(self._timetable)
        return None

    def schedule(self, run: Run, seconds: float) -> None:
        """Look at a run again after a while of the account's time."""
        run.due = self.now + seconds / self.account.speed
        self._enter(run.due, _RUN, run.id)
        self.account.touch("run", run.id)

    def schedule_stack(self, stack: Stack, due: float) -> None:
        """Look at a stack's own deadlines at an instant."""
        self._enter(due, _STACK, stack.id)
        self.account.touch("stack", stack.id)

    def later(self, work: Callable[[], None]) -> None:
        """Do something at this instant, after what is being done."""
        self._todo.append(work)

    def duration(self, run: Run, phase: str) -> float:
        """Return how long a phase of a run takes: script, stack, account, in this order."""
        stack = self.account.stacks.get(run.stack_id)
        for profile in (
            run.outcome.durations if run.outcome else {},
            stack.durations if stack else {},
            self.account.durations,
        ):
            if phase in profile:
                return profile[phase]
        return DEFAULT_DURATIONS[phase]

    # -- states ------------------------------------------------------------------------------

    def move(
        self, run: Run, state: RunState, *, note: str | None = None, username: str | None = None
    ) -> None:
        """Put a run into a state, and let everyone know."""
        transition = Transition(
            state=state, state_version=len(run.history), at=self.now, note=note, username=username
        )
        run.history.append(transition)
        run.state = state
        run.updated_at = self.now
        run.due = None
        self._mirror(run, username)
        self.account.touch("run", run.id)
        if transition.terminal:
            self.later(lambda: self._ended(run))
        for listener in self.listeners:
            listener(run, transition)

    def stack_of(self, run: Run) -> Stack:
        """Return the stack of a run that is not over (a deleted stack has no such runs)."""
        return self.account.stacks[run.stack_id]

    def resume(self) -> None:
        """Rebuild timetable, queues and waits from the account's records, after a restart."""
        self._timetable.clear()
        for index in (self.queues, self.awaiting_worker, self.waiting_runs):
            index.clear()
        for run in self.account.runs.values():
            self.ids.continue_after(run.id)
            if run.state not in TERMINAL:
                self._resume_run(run)
        for stack in self.account.stacks.values():
            for due in (stack.active_until, stack.delete_due):
                if due is not None:
                    self._enter(due, _STACK, stack.id)

    # -- the rules ---------------------------------------------------------------------------

    @abc.abstractmethod
    def _leave_state(self, run: Run) -> None:
        """Let a run leave its state, its time there being up."""

    @abc.abstractmethod
    def _ended(self, run: Run) -> None:
        """Draw the consequences of a run's end."""

    @abc.abstractmethod
    def _stack_due(self, stack: Stack, due: float) -> None:
        """Carry out a stack's own deadline."""

    @abc.abstractmethod
    def _wait_again(self, run: Run) -> None:
        """Put an unfinished run back where it waited, after a restart."""

    # -- inner -------------------------------------------------------------------------------

    def _resume_run(self, run: Run) -> None:
        if run.due is not None:
            self._enter(run.due, _RUN, run.id)
        self._wait_again(run)

    def _enter(self, due: float, kind: str, key: str) -> None:
        self._entries += 1
        heapq.heappush(self._timetable, (due, self._entries, kind, key))

    def _is_current(self, due: float, kind: str, key: str) -> bool:
        if kind == _RUN:
            run = self.account.runs.get(key)
            return run is not None and run.due == due
        stack = self.account.stacks.get(key)
        return stack is not None and due in (stack.active_until, stack.delete_due)

    def _carry_out(self, due: float, kind: str, key: str) -> None:
        if not self._is_current(due, kind, key):
            return
        if kind == _RUN:
            run = self.account.runs[key]
            run.due = None
            self._leave_state(run)
        else:
            self._stack_due(self.account.stacks[key], due)

    def _drain(self) -> None:
        while self._todo:
            self._todo.popleft()()

    def _mirror(self, run: Run, username: str | None) -> None:
        """Let the stack show the state of the tracked run at work.

        Runs that never left the queue do not show: QUEUED, CANCELED and SKIPPED are not stack
        states.
        """
        stack = self.account.stacks.get(run.stack_id)
        if stack is None or run.type not in LISTED_TYPES or run.state not in STACK_STATES:
            return
        if stack.active_run_id not in (None, run.id):
            return
        stack.state = run.state
        stack.state_set_at = self.now
        stack.state_set_by = username or run.triggered_by
        self.account.touch("stack", stack.id)
