import pytest

from controller.chain.run.run_states import RunState
from controller.spacelift.models import RunKey, RunRecord

TERMINAL = {"FINISHED", "FAILED", "CANCELED", "DISCARDED", "STOPPED", "SKIPPED"}


def make_run(state: str, *, finished: bool = False) -> RunRecord:
    return RunRecord(run_id="01R", stack_id="vpc", state=state, type="TRACKED", finished=finished)


@pytest.mark.parametrize("state", list(RunState))
def test_the_six_terminal_states_are_terminal_and_no_other(state: RunState) -> None:
    assert make_run(state).is_terminal is (state.value in TERMINAL)
    assert make_run(state).is_known_state


def test_an_unknown_state_counts_as_running() -> None:
    run = make_run("SOMETHING_NEW")

    assert not run.is_terminal
    assert not run.is_known_state


def test_the_finished_flag_ends_a_run_in_an_unknown_state() -> None:
    assert make_run("SOMETHING_NEW", finished=True).is_terminal


def test_a_run_is_looked_up_by_its_key() -> None:
    assert make_run("QUEUED").key == RunKey(stack_id="vpc", run_id="01R")
