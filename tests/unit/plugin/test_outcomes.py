"""When waiting is over and with which exit code, given the chain as it is."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase, StackChain, Status
from controller.plugin import outcomes
from controller.plugin.exit_codes import ExitCode
from controller.plugin.user_requests import RequestKind, UserRequest
from tests.support.builders import (
    make_condition,
    make_shown_chain,
    make_shown_status,
    make_stack_status,
)
from tests.support.golden import Golden

RUN = UserRequest(kind=RequestKind.RUN, messages=(), token="now", latest=7)
RETRY = UserRequest(kind=RequestKind.RETRY, messages=(), token="7", latest=7)
CANCEL = UserRequest(kind=RequestKind.CANCEL, messages=(), token="7", latest=7)


def status(
    phase: Phase,
    number: int = 8,
    *,
    ready: tuple[str, str, str] = ("Unknown", "Progressing", "Goes on."),
    reconciling: str = "True",
    stalled: str = "False",
    **parts: object,
) -> Status:
    base = make_shown_status(
        make_stack_status("a", phase=phase), ready=ready, number=number, phase=phase
    )
    conditions = (
        *base.conditions,
        make_condition("Reconciling", reconciling, ready[1], ready[2]),
        make_condition("Stalled", stalled, ready[1], ready[2]),
    )
    return dataclasses.replace(base, conditions=conditions, **parts)  # type: ignore[arg-type]


def handled(**tokens: str) -> v1alpha1.Handled:
    return v1alpha1.Handled(**tokens)


def code(found: outcomes.CommandOutcome | None) -> ExitCode | None:
    return found.code if found is not None else None


def staged(phase: Phase, approved: str | None, number: int = 7) -> StackChain:
    """Return a chain that has taken up the approval."""
    found = status(phase, number, last_handled=handled(approve="7: live"))
    assert found.latest_run is not None
    stage = v1alpha1.StageStatus(
        name="live", phase=Phase.WAITING, progress="0/1", approved_time=approved
    )
    run = dataclasses.replace(found.latest_run, stages=(stage,))
    return make_shown_chain(dataclasses.replace(found, latest_run=run))


APPROVE = UserRequest(
    kind=RequestKind.APPROVE, messages=(), token="7: live", latest=7, details={"stage": "live"}
)
REQUESTED = {
    "approve: not taken up": (APPROVE, make_shown_chain(status(Phase.RUNNING, 7)), None),
    "approve: approved": (APPROVE, staged(Phase.RUNNING, "2026-03-01T10:00:00Z"), ExitCode.DONE),
    "approve: refused": (APPROVE, staged(Phase.RUNNING, None), ExitCode.NOT_SUCCEEDED),
    "approve: another run is the latest": (
        APPROVE,
        staged(Phase.RUNNING, "2026-03-01T10:00:00Z", 8),
        ExitCode.NOT_SUCCEEDED,
    ),
    "run: not taken up": (RUN, make_shown_chain(status(Phase.SUCCEEDED, 7), run="now"), None),
    "run: in progress": (
        RUN,
        make_shown_chain(status(Phase.RUNNING, last_handled=handled(run="now")), run="now"),
        None,
    ),
    "run: succeeded": (
        RUN,
        make_shown_chain(status(Phase.SUCCEEDED, last_handled=handled(run="now")), run="now"),
        ExitCode.DONE,
    ),
    "run: failed": (
        RUN,
        make_shown_chain(status(Phase.FAILED, last_handled=handled(run="now")), run="now"),
        ExitCode.NOT_SUCCEEDED,
    ),
    "run: timed out": (
        RUN,
        make_shown_chain(status(Phase.TIMED_OUT, last_handled=handled(run="now")), run="now"),
        ExitCode.NOT_SUCCEEDED,
    ),
    "run: somebody asked after us and stands for us": (
        RUN,
        make_shown_chain(status(Phase.SUCCEEDED, last_handled=handled(run="later")), run="later"),
        ExitCode.DONE,
    ),
    "run: the end of the run before is not its end": (
        RUN,
        make_shown_chain(status(Phase.FAILED, 7, last_handled=handled(run="now")), run="now"),
        None,
    ),
    "run: the connection does not allow the namespace": (
        RUN,
        make_shown_chain(
            status(
                Phase.SUCCEEDED,
                7,
                ready=("False", "NamespaceNotAllowed", "Not for 'team'."),
                reconciling="False",
                stalled="True",
            ),
            run="now",
        ),
        ExitCode.NOT_SUCCEEDED,
    ),
    "run: stalled by the failure of the run before": (
        RUN,
        make_shown_chain(
            status(
                Phase.FAILED,
                7,
                ready=("False", "StackFailed", "1 of 1."),
                reconciling="False",
                stalled="True",
            ),
            run="now",
        ),
        None,
    ),
    "retry: not taken up": (RETRY, make_shown_chain(status(Phase.FAILED, 7), retry="7"), None),
    "retry: succeeded": (
        RETRY,
        make_shown_chain(status(Phase.SUCCEEDED, last_handled=handled(retry="7")), retry="7"),
        ExitCode.DONE,
    ),
    "retry: taken up as stale": (
        RETRY,
        make_shown_chain(status(Phase.FAILED, 7, last_handled=handled(retry="7")), retry="7"),
        ExitCode.NOT_SUCCEEDED,
    ),
    "cancel: not taken up": (CANCEL, make_shown_chain(status(Phase.RUNNING, 7), cancel="7"), None),
    "cancel: its runs are being stopped": (
        CANCEL,
        make_shown_chain(status(Phase.RUNNING, 7, last_handled=handled(cancel="7")), cancel="7"),
        None,
    ),
    "cancel: canceled": (
        CANCEL,
        make_shown_chain(status(Phase.CANCELED, 7, last_handled=handled(cancel="7")), cancel="7"),
        ExitCode.DONE,
    ),
    "cancel: the next run has started": (
        CANCEL,
        make_shown_chain(status(Phase.RUNNING, 8, last_handled=handled(cancel="7")), cancel="7"),
        ExitCode.DONE,
    ),
}


@pytest.mark.parametrize("case", REQUESTED)
def test_waiting_for_a_request_ends(case: str, golden: Golden) -> None:
    request, chain, expected = REQUESTED[case]

    found = outcomes.of_request(chain, request, generation=1)

    assert code(found) == expected
    if found is not None:
        golden("plugin_outcomes").check(case, found.text)


@pytest.mark.parametrize(("observed", "is_over"), [(1, False), (2, True), (3, True)])
def test_a_changed_spec_is_taken_up_with_its_generation(observed: int, is_over: bool) -> None:
    request = UserRequest(kind=RequestKind.SUSPEND, messages=())
    chain = make_shown_chain(
        dataclasses.replace(status(Phase.RUNNING), observed_generation=observed)
    )

    assert (outcomes.of_request(chain, request, generation=2) is not None) == is_over


READY = ("True", "RunSucceeded", "All done.")
BAD = ("False", "StackFailed", "1 of 1 failed.")
WATCHED = {
    "nobody has seen it": (make_shown_chain(), None),
    "in progress": (make_shown_chain(status(Phase.RUNNING)), None),
    "succeeded": (
        make_shown_chain(status(Phase.SUCCEEDED, ready=READY, reconciling="False")),
        ExitCode.DONE,
    ),
    "failed": (
        make_shown_chain(status(Phase.FAILED, ready=BAD, reconciling="False", stalled="True")),
        ExitCode.NOT_SUCCEEDED,
    ),
    "suspended": (
        make_shown_chain(
            status(Phase.PENDING, ready=("Unknown", "Suspended", "Held."), reconciling="False")
        ),
        None,
    ),
    "not requested": (
        make_shown_chain(
            status(Phase.SUCCEEDED, ready=("Unknown", "NotRequested", "Ask."), reconciling="False")
        ),
        ExitCode.NOT_SUCCEEDED,
    ),
    "asked, and not taken up": (
        make_shown_chain(status(Phase.SUCCEEDED, ready=READY, reconciling="False"), run="now"),
        None,
    ),
    "the status is about an older spec": (
        make_shown_chain(status(Phase.SUCCEEDED, ready=READY, reconciling="False"), generation=2),
        None,
    ),
    "nothing can start": (
        make_shown_chain(
            status(
                Phase.SUCCEEDED,
                ready=("False", "ConnectionUnknown", "No such."),
                reconciling="False",
                stalled="True",
            ),
            run="now",
        ),
        ExitCode.NOT_SUCCEEDED,
    ),
}


@pytest.mark.parametrize(("chain", "expected"), WATCHED.values(), ids=WATCHED.keys())
def test_watching_ends_when_nothing_more_happens(
    chain: StackChain, expected: ExitCode | None
) -> None:
    assert code(outcomes.of_watching(chain)) == expected


def test_the_end_of_a_run_names_the_next_command(golden: Golden) -> None:
    chain = make_shown_chain(status(Phase.FAILED, ready=BAD, reconciling="False", stalled="True"))

    found = outcomes.of_watching(chain)

    assert found is not None
    golden("plugin_outcomes").check("watching: a failed run", found.text)
