"""Whether a workflow continues in an execution that a reset in Temporal has made (ADR 0043)."""

from temporalio import workflow


class ResetNotice:
    """Knows of a reset from its point in the history on, not before.

    What was replayed up to there was decided by an execution that knew nothing of it, so the run
    ids in `workflow.info()` say it too early. Temporal gives another seed there.
    """

    def __init__(self, *, has_come: bool = False) -> None:
        self.has_come = has_come
        self.count = 0
        """How many resets have come, one after the other."""
        workflow.register_random_seed_callback(self._note)

    def _note(self, _: int) -> None:
        self.has_come = True
        self.count += 1

    async def another(self, known: int) -> int:
        """Return how many resets have come, once there are more than those that are known."""
        await workflow.wait_condition(lambda: self.count > known)
        return self.count
