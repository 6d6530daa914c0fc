"""What a plan counts for `confirmationLimits`: of two readings always the larger one."""

import pytest

from controller.api.v1alpha1 import ConfirmationLimits, Delta, Phase
from controller.chain.run import confirmation_limits, stack_reports
from controller.chain.run.run_snapshots import RunSnapshot
from tests.support.golden import Golden

NONE_DELETED = ConfirmationLimits(max_deleted=0)
REPLACED = "create-Before-destroy-replaced"


def excess(limits: ConfirmationLimits, delta: tuple[int, int, int] | None, *kinds: str) -> str:
    counted = None
    if delta is not None:
        counted = Delta(added=delta[0], changed=delta[1], deleted=delta[2])
    return confirmation_limits.excess(limits, counted, kinds)


@pytest.mark.parametrize(
    ("limits", "delta", "kinds"),
    [
        (NONE_DELETED, (3, 0, 0), ["added"] * 3),
        (NONE_DELETED, (0, 2, 0), ["changed", "Update"]),
        (NONE_DELETED, (0, 0, 0), []),
        (NONE_DELETED, (1, 1, 0), ["create", "change", "no-op", "read"]),
        (ConfirmationLimits(max_deleted=1), (0, 0, 1), ["deleted"]),
        (ConfirmationLimits(max_deleted=1), (1, 0, 1), [REPLACED]),
        (ConfirmationLimits(max_deleted=1), (0, 1, 0), [REPLACED]),
        (ConfirmationLimits(max_deleted=1), (0, 1, 0), []),
        (ConfirmationLimits(max_added=1, max_changed=1), (1, 1, 9), ["added", "changed"]),
    ],
)
def test_a_plan_within_all_limits(
    limits: ConfirmationLimits, delta: tuple[int, int, int], kinds: list[str]
) -> None:
    assert excess(limits, delta, *kinds) == ""


@pytest.mark.parametrize("delta", [(1, 0, 1), (0, 1, 0), (1, 0, 0)], ids=str)
def test_what_is_replaced_counts_as_added_and_as_deleted_however_the_delta_counts_it(
    delta: tuple[int, int, int],
) -> None:
    assert excess(NONE_DELETED, delta, REPLACED)
    assert excess(ConfirmationLimits(max_added=0), delta, REPLACED)
    assert not excess(ConfirmationLimits(max_added=1, max_deleted=1), delta, REPLACED)


@pytest.mark.parametrize(
    "kinds", [[], ["aws_instance"], ["changed"], ["imported", "changed"]], ids=",".join
)
def test_what_is_not_listed_by_a_known_kind_may_be_replaced(kinds: list[str]) -> None:
    assert excess(NONE_DELETED, (0, 2, 0), *kinds)


def test_a_list_that_says_more_than_the_delta_counts() -> None:
    assert excess(NONE_DELETED, (0, 0, 0), "deleted")
    assert excess(ConfirmationLimits(max_changed=0), (0, 0, 0), "changed")


def test_an_unknown_delta_is_within_no_limit() -> None:
    assert excess(ConfirmationLimits(max_added=1000), None, "added")


SAID = {
    "deletes": (NONE_DELETED, (0, 0, 2), ["deleted", "deleted"]),
    "changes more than all limits": (
        ConfirmationLimits(max_added=1, max_changed=0, max_deleted=0),
        (3, 1, 2),
        [*["added"] * 3, "changed", *["deleted"] * 2],
    ),
    "replaces": (NONE_DELETED, (0, 1, 0), [REPLACED]),
    "may replace": (NONE_DELETED, (0, 2, 0), ["aws_instance", "aws_instance"]),
    "replaces and may replace": (NONE_DELETED, (0, 2, 0), [REPLACED]),
    "is not counted": (NONE_DELETED, None, []),
}


@pytest.mark.parametrize("case", SAID)
def test_what_is_said_of_a_plan_beyond_the_limits(golden: Golden, case: str) -> None:
    limits, delta, kinds = SAID[case]
    run = RunSnapshot(run_id="01A", state="UNCONFIRMED")

    report = stack_reports.limits_exceeded("a", run, excess=excess(limits, delta, *kinds))

    assert (report.phase, report.reason) == (Phase.AWAITING_CONFIRMATION, "LimitsExceeded")
    golden("stack_messages").check(f"a plan that {case}", report.message)
