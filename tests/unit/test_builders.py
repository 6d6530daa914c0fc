"""The builders refuse objects that cannot exist, so that no test decides about one."""

from collections.abc import Callable

import pytest

from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.requests.executions import ExecutionState
from controller.chain.status import projection
from tests.support import builders


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: builders.make_ref(name="x" * 64), id="name too long"),
        pytest.param(lambda: builders.make_spec("a", "a"), id="a root twice"),
        pytest.param(lambda: builders.make_spec("a", sources=[]), id="no source"),
        pytest.param(lambda: builders.make_spec("a", parallelism=0), id="no parallelism"),
        pytest.param(
            lambda: builders.make_stack_chain(status=builders.make_status(observed_generation=2)),
            id="a status ahead of its spec",
        ),
        pytest.param(lambda: builders.make_run(0), id="run 0"),
        pytest.param(lambda: builders.make_run(phase=Phase.SKIPPED), id="a skipped run"),
        pytest.param(
            lambda: builders.make_run(phase=Phase.RUNNING, completion_time=builders.T1),
            id="running and ended",
        ),
        pytest.param(
            lambda: builders.make_run(reason=ChainReason.GRAPH_CYCLE), id="success with a cycle"
        ),
        pytest.param(lambda: builders.make_stack("a", has_run=True), id="pending with a run"),
        pytest.param(
            lambda: builders.make_stack("a", Phase.SUCCEEDED, has_run=False),
            id="success without a run",
        ),
        pytest.param(
            lambda: builders.make_stack("a", Phase.FAILED, blocked_by="b"), id="failed and blocked"
        ),
        pytest.param(
            lambda: builders.make_stack("a", Phase.SUCCEEDED, reason=StackReason.OUTPUT_UNCHANGED),
            id="success and skipped",
        ),
        pytest.param(
            lambda: builders.make_progress(builders.make_stack("a", depends_on="x")),
            id="an upstream outside of the chain",
        ),
        pytest.param(
            lambda: builders.make_progress(
                builders.make_stack("a", depends_on="b"), builders.make_stack("b", depends_on="a")
            ),
            id="a cycle that runs",
        ),
        pytest.param(
            lambda: builders.make_facts(None, builders.make_progress()),
            id="progress of nothing",
        ),
        pytest.param(
            lambda: builders.make_facts(builders.make_execution(2), builders.make_progress()),
            id="progress of another run",
        ),
        pytest.param(
            lambda: builders.make_facts(
                builders.make_execution(1, state=ExecutionState.CLOSED), builders.make_progress()
            ),
            id="a result that is no end",
        ),
    ],
)
def test_what_cannot_be_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(builders.Impossible):
        build()


def test_defaults_are_valid() -> None:
    known = builders.make_progress(builders.make_stack("a", Phase.RUNNING))

    assert isinstance(builders.make_facts(builders.make_execution(), known), projection.ChainFacts)
    assert builders.make_stack_chain().spec.roots.stack_ids == ("a",)
