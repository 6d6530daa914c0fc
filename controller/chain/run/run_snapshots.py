"""One reading of a Spacelift run, as the worker hands it to the workflows. Pure."""

import dataclasses

from controller.api import v1alpha1
from controller.chain.run import holds, run_states
from controller.chain.run.run_states import RunState


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunSnapshot:
    """One reading of a run.

    `problem_reason` names the error when the run could not be read; the rest is then the last
    reading. `hold` is what keeps a queued run from starting, if that is known.
    """

    run_id: str
    state: str
    finished: bool = False
    needs_approval: bool = False
    note: str = ""
    run_url: str = ""
    delta: v1alpha1.Delta | None = None
    problem_reason: str = ""
    problem_message: str = ""
    hold: holds.Hold | None = None

    @property
    def is_over(self) -> bool:
        """Whether Spacelift does nothing more with the run."""
        return self.finished or self.state in run_states.TERMINAL

    @property
    def is_queued(self) -> bool:
        """Whether no worker has begun with the run."""
        return self.state in run_states.QUEUED

    @property
    def is_failed(self) -> bool:
        """Whether the run came to the one end after which another run may be tried."""
        return self.state == RunState.FAILED

    @property
    def needs_confirmation(self) -> bool:
        """Whether the run waits for nothing but the confirmation of its plan."""
        return self.state == RunState.UNCONFIRMED and not self.needs_approval

    @property
    def needs_review(self) -> bool:
        """Whether an approval policy holds the run."""
        return not self.is_over and (self.needs_approval or self.state == RunState.PENDING_REVIEW)

    @property
    def waits_for_person(self) -> bool:
        """Whether the run waits until a person acts, as far as is known."""
        return self.needs_confirmation or self.needs_review

    @property
    def stop_calls(self) -> tuple[run_states.StopCall, ...]:
        """The calls that may end the run, in the order to try them; none: it cannot be stopped."""
        return () if self.is_over else run_states.stop_calls(self.state)

    @property
    def may_be_left(self) -> bool:
        """Whether a run that no call has stopped does no harm: it has only planned."""
        return self.state == RunState.PENDING_REVIEW
