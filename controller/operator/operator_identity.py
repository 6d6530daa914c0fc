"""For act and project: what sets this operator apart. Its queue, its Temporal UI, its pace."""

import dataclasses

from controller.chain.requests import executions
from controller.temporal import ids, signing


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OperatorIdentity:
    """What this operator puts into the chains that it starts, and into links."""

    installation: str
    operator_queue: str
    temporal_namespace: str
    ui_url: str
    recheck_seconds: float
    signing_keys: signing.SigningKeys = dataclasses.field(default_factory=signing.SigningKeys)

    def url_of(self, execution: executions.Execution) -> str | None:
        """Return the page of an execution in Temporal's web UI; None without a web UI."""
        return ids.workflow_url(
            ui_url=self.ui_url,
            temporal_namespace=self.temporal_namespace,
            workflow_id=execution.workflow_id,
            workflow_run_id=execution.workflow_run_id,
        )
