"""What Temporal's records are read as, those of newer servers included."""

import pytest
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from controller.chain.requests.executions import ExecutionState
from controller.temporal import execution_infos


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (1, ExecutionState.RUNNING),
        (2, ExecutionState.CLOSED),
        (3, ExecutionState.FAILED),
        (4, ExecutionState.TERMINATED),
        (5, ExecutionState.TERMINATED),
        (6, ExecutionState.TERMINATED),
        (7, ExecutionState.TERMINATED),
        pytest.param(8, ExecutionState.RUNNING, id="paused: the SDK does not know that state"),
        pytest.param(99, ExecutionState.RUNNING, id="one that nobody knows has not ended"),
        pytest.param(0, ExecutionState.RUNNING, id="none"),
    ],
)
def test_an_execution_has_ended_only_in_states_that_are_known_for_it(
    status: int, state: ExecutionState
) -> None:
    found = execution_infos._info(WorkflowExecutionInfo(status=status))  # type: ignore[arg-type]

    assert found.state is state
