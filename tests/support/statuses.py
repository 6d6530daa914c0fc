"""Statuses as an operator of any version may have written them, for those who only read them.

Unlike `builders`, nothing is refused: a reader has to bear whatever stands in the API server.
"""

from typing import Any

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase, StackStatus

START = "2026-03-01T10:00:00Z"


def make_stack(stack_id: str, level: int = 0, *upstreams: str, **fields: object) -> StackStatus:
    values: dict[str, Any] = {"phase": Phase.PENDING, **fields}
    return StackStatus(id=stack_id, level=level, depends_on=upstreams, **values)


def make_condition(type_: str, status: str, reason: str, message: str) -> v1alpha1.Condition:
    return v1alpha1.Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=1,
        last_transition_time=START,
    )


def make_status(
    *stacks: StackStatus,
    ready: tuple[str, str, str] = ("Unknown", "Progressing", ""),
    read_at: str = START,
    **run: object,
) -> v1alpha1.Status:
    values: dict[str, Any] = {"number": 1, "start_time": START, "phase": Phase.RUNNING, **run}
    return v1alpha1.Status(
        observed_generation=1,
        conditions=(make_condition("Ready", *ready),),
        graph=v1alpha1.GraphStatus(stacks=len(stacks), edges=0, levels=1, resolved_time=read_at),
        latest_run=v1alpha1.RunStatus(**values),
        stacks=stacks,
    )


def make_chain(
    status: v1alpha1.Status | None = None,
    *,
    name: str = "prod",
    generation: int = 1,
    is_deleting: bool = False,
    run: str | None = None,
    retry: str | None = None,
    cancel: str | None = None,
    **spec: object,
) -> v1alpha1.StackChain:
    """Return a chain as read; `run`, `retry` and `cancel` are its annotations."""
    values: dict[str, Any] = {"roots": {"stackIds": ["a"]}, **spec}
    return v1alpha1.StackChain(
        ref=v1alpha1.Ref(namespace="team", name=name, uid="uid", generation=generation),
        resource_version="1",
        is_deleting=is_deleting,
        run_token=run,
        retry_token=retry,
        cancel_token=cancel,
        spec=v1alpha1.StackChainSpec.model_validate(values),
        status=status or v1alpha1.Status(),
        raw_status={},
    )
