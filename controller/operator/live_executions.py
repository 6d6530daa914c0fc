"""What the operator remembers of live executions between two passes of reconcile.

None of it has to outlive the process: after a restart it asks, signals and cancels once more.
"""

import dataclasses
from typing import Any

from controller import clock
from controller.chain.requests import executions
from controller.chain.run import progress

_CANCEL_AGAIN_SECONDS = 60.0
_REQUEST_AGAIN_SECONDS = 60.0
# A worker that was killed is asked for its cached runs for up to 14 s, although another is there.
_SILENCE_SECONDS = 20.0


class LiveExecutions:
    """Keeps each, by workflow run id, from being asked, signaled or canceled more than it needs."""

    def __init__(self, time: clock.Clock) -> None:
        self._clock = time
        self._canceled_at: dict[str, float] = {}
        # Since when they have not answered.
        self._silent_since: dict[str, float] = {}
        # When they were asked for something of their stacks, by kind and token.
        self._requested: dict[str, dict[tuple[str, str], float]] = {}
        # What they were sent last: one that does not answer is sent it once.
        self._sent: dict[str, executions.LiveSettings] = {}

    def is_silent(self, workflow_run_id: str) -> bool:
        """Whether an execution has not answered for so long that there cannot be a worker.

        Call it whenever it does not answer: the first call starts the silence.
        """
        now = self._clock.monotonic()
        return now - self._silent_since.setdefault(workflow_run_id, now) >= _SILENCE_SECONDS

    def note_answer(self, workflow_run_id: str) -> None:
        """Note that an execution has answered."""
        self._silent_since.pop(workflow_run_id, None)

    def note_sent(self, workflow_run_id: str, **settings: Any) -> None:
        """Note fields of `executions.LiveSettings` that an execution was sent."""
        sent = self.last_sent(workflow_run_id)
        self._sent[workflow_run_id] = dataclasses.replace(sent, **settings)

    def last_sent(self, workflow_run_id: str) -> executions.LiveSettings:
        """Return what an execution was sent last."""
        return self._sent.get(workflow_run_id, executions.LiveSettings())

    def may_cancel(self, workflow_run_id: str) -> bool:
        """Whether to cancel an execution now, which counts as done.

        A cancel is asked for again now and then only: each one is an event in the history.
        """
        now = self._clock.monotonic()
        last = self._canceled_at.get(workflow_run_id)
        if last is not None and now - last < _CANCEL_AGAIN_SECONDS:
            return False
        self._canceled_at[workflow_run_id] = now
        return True

    def may_request(self, workflow_run_id: str, request: progress.LiveRequest) -> bool:
        """Whether to ask an execution for something of its stacks, which counts as done.

        It says when it has handled a request; until then it is asked again now and then only.
        """
        now, asked = self._clock.monotonic(), self._requested.setdefault(workflow_run_id, {})
        last = asked.get((request.kind, request.token))
        if last is not None and now - last < _REQUEST_AGAIN_SECONDS:
            return False
        asked[request.kind, request.token] = now
        return True

    def forget(self, workflow_run_id: str) -> None:
        """Drop what is remembered of an execution that has closed."""
        self._silent_since.pop(workflow_run_id, None)
        self._canceled_at.pop(workflow_run_id, None)
        self._sent.pop(workflow_run_id, None)
        self._requested.pop(workflow_run_id, None)
