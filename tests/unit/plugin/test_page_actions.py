"""What the page offers of a chain, and what its dialogs say."""

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.plugin import chain_page, page_actions, user_requests
from controller.plugin.exit_codes import CommandError
from controller.plugin.user_requests import RequestKind, WantedRequest
from tests.support.builders import make_shown_chain, make_shown_status, make_stack_status
from tests.ui import samples

FAILED = make_shown_status(
    make_stack_status("a", phase=Phase.SUCCEEDED),
    make_stack_status("b", 1, "a", phase=Phase.FAILED, reason="RunFailed"),
    make_stack_status(
        "c", 2, "b", phase=Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="b"
    ),
    number=7,
    phase=Phase.FAILED,
)
LIVE = make_shown_status(
    make_stack_status("a", phase=Phase.RUNNING),
    make_stack_status("b", 1, "a"),
    number=7,
    phase=Phase.RUNNING,
)

POSSIBLE = {
    "failed": (make_shown_chain(FAILED), ["Run", "Retry", "Suspend", "Parallelism"]),
    "live": (make_shown_chain(LIVE), ["Run", "Cancel", "Suspend", "Parallelism"]),
    "suspended": (
        make_shown_chain(FAILED, suspend=True),
        ["Run", "Retry", "Resume", "Parallelism"],
    ),
    "never run": (make_shown_chain(), ["Run", "Suspend", "Parallelism"]),
}


@pytest.mark.parametrize("case", POSSIBLE)
def test_what_makes_sense_now_is_offered(case: str) -> None:
    chain, actions = POSSIBLE[case]

    assert page_actions.possible(chain)["actions"] == actions


def test_of_each_stack_only_what_can_be_asked_for_it_alone_is_offered() -> None:
    of_failed = page_actions.possible_of_stacks(make_shown_chain(FAILED))
    of_live = page_actions.possible_of_stacks(make_shown_chain(LIVE))

    assert [of_failed(one) for one in "abc"] == [[], ["Retry", "Bypass"], ["Bypass"]]
    assert [of_live(one) for one in "ab"] == [[], ["Bypass"]]


@pytest.mark.parametrize("body", samples.all_kinds(), ids=lambda body: body["metadata"]["name"])
def test_what_is_offered_of_a_stack_is_what_the_command_does_not_refuse(
    body: dict[str, object],
) -> None:
    try:
        chain = v1alpha1.parse(body)
    except v1alpha1.InvalidResource:
        return
    offered = page_actions.possible_of_stacks(chain)
    for stack in chain.status.stacks[:60]:
        for kind in (RequestKind.RETRY, RequestKind.BYPASS):
            wanted = WantedRequest(kind=kind, stacks=(stack.id,))
            try:
                user_requests.decide(chain, wanted, now="now")
                is_possible = True
            except CommandError:
                is_possible = False

            assert (str(kind) in offered(stack.id)) == is_possible, (stack.id, kind)


def test_a_chain_that_is_being_deleted_offers_to_cancel_alone() -> None:
    body = samples.platform()
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    detail = chain_page.describe(body).detail

    assert detail["possible"]["actions"] == ["Cancel"]
    assert all(not one["actions"] for one in detail["advice"].values())


def test_commands_in_sentences_name_cluster_and_namespace() -> None:
    text = "Suspended before `kubectl stackchain resume a`; see `spec.suspend`."

    assert page_actions.with_options(text, "-n b") == (
        "Suspended before `kubectl stackchain resume a -n b`; see `spec.suspend`."
    )


DESTROYING = {
    "run": (RequestKind.RUN, True),
    "resume": (RequestKind.RESUME, True),
    "suspend": (RequestKind.SUSPEND, False),
    "cancel": (RequestKind.CANCEL, False),
    "retry of a run that applied": (RequestKind.RETRY, False),
}


@pytest.mark.parametrize("case", DESTROYING)
def test_whether_a_request_may_destroy(case: str) -> None:
    kind, destroys = DESTROYING[case]
    chain = make_shown_chain(FAILED, operation="Destroy")

    assert page_actions.is_destroying(chain, kind) is destroys
