"""Keeps what Spacelift queues by itself in line with what the chain runs.

`chain.surplus` knows which native runs nobody wants; this says when that is asked, and what a stack
that no longer counts on one does instead: it gets a run of the chain's.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from controller.api import reasons
    from controller.chain.graph import resolve
    from controller.chain.run import progress, unwanted_runs
    from controller.temporal import messages
    from controller.temporal.workflows import native_run_stops

# Spacelift may be away: then the running stacks are not kept from being stopped any longer.
_NATIVE_RUNS_LIMIT = timedelta(seconds=60)


class NativeRuns:
    """A native run goes on only on a stack that adopts it; nothing is stopped before it is known.

    Before the graph is known there are no stacks, and so nothing to stop.
    """

    def __init__(self, connection: messages.Connection, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._stacks: Mapping[str, progress.StackProgress] = {}
        self._waves: unwanted_runs.Waves | None = None
        # Stacks that have left the wave which they adopted from, by a run of their own.
        self._left: list[str] = []
        self._stops = native_run_stops.NativeRunStops(connection, self._tell)

    def know(
        self, resolved: resolve.ChainGraph, stacks: Mapping[str, progress.StackProgress]
    ) -> None:
        """Take in the graph, and the stacks of the chain in its order."""
        self._stacks = stacks
        self._waves = unwanted_runs.Waves(resolved)

    @property
    def waves(self) -> unwanted_runs.Waves:
        """The waves so far."""
        if self._waves is None:
            raise AssertionError("stacks are started only once the graph is known")
        return self._waves

    def note_new(self, *, is_suspended: bool) -> None:
        """A run was created: what it queued on stacks that another wave or the chain runs, ends."""
        for stack in self._stacks.values():
            if self.waves.note(stack):
                unwanted = self.waves.surplus_of(stack.id, self._stacks)
                self.stop(unwanted, note="another run is used here")
                if is_suspended:
                    self.hold_back()

    def leave_failed(self) -> None:
        """A stack gets another run: its wave goes on without it, so nothing behind it may."""
        for stack in self._stacks.values():
            is_retried = stack.reason == reasons.StackReason.RETRY_PENDING or stack.attempts > 1
            if is_retried and stack.id not in self._left:
                self._left.append(stack.id)
                stack.adopts_from = None
                self.leave_behind(stack.id)

    def leave_behind(self, stack_id: str, *, note: str = "another run is used here") -> bool:
        """What lies behind a stack no longer counts on the waves that go through it.

        Returns whether there is anything to stop.
        """
        behind = unwanted_runs.adopting_beyond(self.waves.reach(stack_id), self._stacks)
        return self._trigger_ourselves(behind, note=note)

    def hold_back(self) -> None:
        """The chain is suspended: what a wave would start without it, ends."""
        known = [
            stack
            for stack in unwanted_runs.adopting_beyond(self._stacks, self._stacks)
            if self._stacks[stack.adopts_from or stack.id].run_id is not None
        ]
        self._trigger_ourselves(known, note="the chain is suspended")

    def _trigger_ourselves(self, stacks: Iterable[progress.StackProgress], *, note: str) -> bool:
        left = list(stacks)
        for stack in left:
            stack.adopts_from = None
        return self.stop([stack.id for stack in left], note=note)

    def stop(self, stack_ids: Iterable[str], *, note: str) -> bool:
        """Begin to stop what nobody wants on stacks; returns whether there is anything to stop."""
        unwanted = self._waves.unwanted(stack_ids, self._stacks) if self._waves is not None else []
        self._stops.start(unwanted, note=note)
        return bool(unwanted)

    async def await_ends(self) -> None:
        """Return once nothing is being stopped, or Spacelift is away for too long."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._stops.is_idle,
                timeout=_NATIVE_RUNS_LIMIT,
                timeout_summary="native runs first",
            )

    async def wait(self) -> None:
        """Return once nothing is being stopped any more, however long that takes."""
        await self._stops.wait()

    def _tell(self, stack_id: str, text: str) -> None:
        stack = self._stacks.get(stack_id)
        if stack is not None and stack.phase.is_over:
            stack.message += text
        self._changed()
