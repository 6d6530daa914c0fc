"""Notifications for tests of what is sent."""

import dataclasses
from typing import Any

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.news import notifications

RUN = v1alpha1.RunStatus(
    number=7,
    attempt=1,
    cause="Spec",
    operation="Apply",
    phase=Phase.RUNNING,
    reason="Progressing",
    message="",
    progress="2/5",
    start_time="2026-03-01T10:00:00Z",
    workflow_url="https://temporal.example.com/run",
)
STACK = v1alpha1.StackStatus(
    id="vpc",
    level=0,
    phase=Phase.FAILED,
    reason="RunFailed",
    run_url="https://acme.app.spacelift.io/stack/vpc/run/01",
)


def make_told(**fields: Any) -> notifications.Notification:
    """Return a notification of a stack's failure."""
    told = notifications.Notification(
        id="uid-7-1-StackFailed-0123456789abcdef",
        source="/stackchain/prod/team/net",
        transition="StackFailed",
        is_warning=True,
        reason="StackFailed",
        message="The run failed.",
        installation="prod",
        namespace="team",
        chain="net",
        uid="uid",
        generation=3,
        time="2026-03-01T10:01:02Z",
        sequence=14,
        run=RUN,
        stack=STACK,
    )
    return dataclasses.replace(told, **fields)
