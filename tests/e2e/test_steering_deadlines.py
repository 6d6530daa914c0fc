"""A deadline that passes while a run waits for a person: it is ended, and the status says why."""

import dataclasses

import pytest

from tests.support import chains, people
from tests.support.chains import account_document


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A deadline, what the test waits for, and what comes of it."""

    field: str
    seconds: int
    chain_reason: str
    reason: str
    dependent: tuple[str, str]
    message: str
    needs: str = "confirmation"


_SKIPPED = ("Skipped", "UpstreamNotSucceeded")

CASES = {
    "confirmation": Case(
        field="confirmationDeadlineSeconds",
        seconds=1,
        chain_reason="StackTimedOut",
        reason="ConfirmationDeadlineExceeded",
        dependent=_SKIPPED,
        message="The run ended DISCARDED because no one confirmed or approved it within "
        "`confirmationDeadlineSeconds` (1 s).",
    ),
    "approval": Case(
        field="confirmationDeadlineSeconds",
        seconds=1,
        chain_reason="StackTimedOut",
        reason="ConfirmationDeadlineExceeded",
        dependent=_SKIPPED,
        message="The run ended CANCELED because no one confirmed or approved it within "
        "`confirmationDeadlineSeconds` (1 s).",
        needs="approval",
    ),
    "stack": Case(
        field="stackDeadlineSeconds",
        # More than the time to the run that waits, on a busy machine too.
        seconds=10,
        chain_reason="StackTimedOut",
        reason="StackDeadlineExceeded",
        dependent=_SKIPPED,
        message="The run ended DISCARDED because `stackDeadlineSeconds` (10 s) passed.",
    ),
    "chain": Case(
        field="activeDeadlineSeconds",
        # More than the time to the run that waits, on a busy machine too.
        seconds=12,
        chain_reason="DeadlineExceeded",
        reason="ChainDeadlineExceeded",
        dependent=("Canceled", "ChainDeadlineExceeded"),
        message="The run was stopped because the chain's deadline passed.",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_deadline_ends_a_run_that_waits_for_a_person(
    release: chains.Installation, people: people.People, name: str
) -> None:
    case = CASES[name]
    holds = {"autodeploy": False}
    if case.needs == "approval":
        holds = {"requiresApproval": True}
    account = await release.add_account(
        name,
        account_document("a -> b -> c", stacks={"a": holds}, duration=0),
    )

    chain = await people.apply(name, "a", account=account, **{case.field: case.seconds})
    status = await chain.ends(case.chain_reason)

    run = await account.only_run("a")
    assert run["state"] == ("CANCELED" if case.needs == "approval" else "DISCARDED")
    assert chains.stack(status, "a") | {
        "phase": "TimedOut",
        "reason": case.reason,
        "message": case.message,
        "runId": run["id"],
    } == chains.stack(status, "a")
    # When a run ends like this, Spacelift skips the direct dependent and starts the one behind it,
    # which would be over before anyone could see it.
    for stack_id in "bc":
        row = chains.stack(status, stack_id)
        assert (row["phase"], row["reason"]) == case.dependent
        for native in await account.runs(stack_id):
            assert native["state"] in ("SKIPPED", "CANCELED", "STOPPED")
            assert not chains.went_through(native, "APPLYING")
    assert status["latestRun"]["phase"] == "TimedOut"
    assert chains.ready(status)["status"] == "False"
    assert chains.condition(status, "Stalled")["status"] == "True"
    assert 'set the annotation `stackchain.dev/retry` to "1"' in chains.ready(status)["message"]
    assert await chain.told(case.chain_reason)
