"""Spacelift shows a run later than it creates it: the chain waits for the run, then finds it.

Lists are read after writes here. The installation waits five seconds for a native run and two for
the run of a lost trigger (`chains.FAST`).
"""

import collections
import time
from typing import Any

import pytest

from devenv.simulator import journal
from devenv.simulator.model.run_entities import Run, Transition
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

WITHIN_SETTLE = 0.8
WITHIN_GRACE = 1.6
# A token that is refused twice, the new one too, is a wrong key.
_RENEWAL_SECONDS = 1.0


async def test_the_run_of_a_lost_trigger_is_found_once_lists_show_it(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", behavior={"runsLag": WITHIN_GRACE})
    account = await release.add_account("late-lost", document)
    await account.fault(field="runTrigger", when="after", action="reset", stack="a", count=0)

    chain = await release.create("late-lost", "a", account=account)
    status = await chain.ends("RunSucceeded")

    assert len(await account.requests("runTrigger")) == 1
    assert chains.stack(status, "a")["runId"] == (await account.only_run("a"))["id"]
    await account.only_run("b")


async def test_a_native_run_that_is_listed_a_little_late_is_adopted(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", behavior={"runsLag": WITHIN_SETTLE})
    account = await release.add_account("late-native", document)

    chain = await release.create("late-native", "a", account=account)
    status = await chain.ends("RunSucceeded")

    run = await account.only_run("b")
    assert run["triggeredBy"] == "a"
    assert chains.stack(status, "b")["runId"] == run["id"]


async def test_a_native_run_that_is_listed_too_late_is_canceled_and_the_chains_own_applies(
    release: chains.Installation,
) -> None:
    # Not released before the chain has seen it: a run that applies already is allowed to finish.
    behavior = {"runsLag": 3600, "releaseDelay": 3600}
    account = await release.add_account("too-late", account_document("a -> b", behavior=behavior))

    def show_runs(run: Run, _: Transition) -> None:
        if run.stack_id == "b" and run.triggered_by != "a":
            account.server.simulator.account.behavior.runs_lag = 0

    account.server.simulator.transition_listeners.append(show_runs)
    chain = await release.create("too-late", "a", account=account)
    status = await chain.ends("RunSucceeded")

    native, own = await account.runs("b")
    assert (native["triggeredBy"], native["state"]) == ("a", "CANCELED")
    assert own["state"] == "FINISHED"
    assert chains.stack(status, "b")["runId"] == own["id"]


@pytest.mark.parametrize("mode", ["A", "B"])
async def test_tokens_that_end_at_each_step_of_a_run_are_renewed_unseen(
    release: chains.Installation, parts: chains.Parts, mode: str
) -> None:
    name = f"tokens-{mode.lower()}"
    document = account_document("a -> b", "a -> c", behavior={"unauthorizedMode": mode})
    account = await release.add_account(name, document)
    simulator = account.server.simulator
    revoked_at = 0.0

    def asked(request: journal.RequestRecord) -> tuple[str, str]:
        return request.document, repr(sorted(request.variables.items()))

    def all_were_tried_again() -> bool:
        """Whether everything that was refused has been sent once more, and was taken then."""
        open_requests = collections.Counter[tuple[str, str]]()
        for request in simulator.journal.entries:
            if any(item.name == "apiKeyUser" for item in request.fields):
                continue
            if request.key is not None:
                open_requests[asked(request)] -= 1
            elif request.outcome:
                open_requests[asked(request)] += 1
            open_requests = +open_requests
        return not open_requests

    def revoke(*_: Any) -> None:
        """End all tokens, but not again before the refused requests have been repeated."""
        nonlocal revoked_at
        if time.monotonic() - revoked_at >= _RENEWAL_SECONDS and all_were_tried_again():
            revoked_at = time.monotonic()
            simulator.tokens.revoke_all()

    simulator.transition_listeners.append(revoke)

    async with chains.Story(parts, release.chain(name)) as story:
        chain = await release.create(name, "a", account=account)
        await chain.ends("RunSucceeded")

    told = chains.undisturbed(story.statuses)
    shown = {chains.ready(status)["reason"] for status in told}
    assert shown == {"Progressing", "RunSucceeded"}
    assert len(await account.requests("apiKeyUser")) >= 2
    for stack_id in "abc":
        await account.only_run(stack_id)


async def test_a_rate_limit_slows_a_chain_down_and_breaks_nothing(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> b -> c", "a -> d", behavior={"rateLimit": {"perSecond": 3, "burst": 3}}
    )
    account = await release.add_account("limited", document)

    chain = await release.create("limited", "a", account=account)
    await chain.ends("RunSucceeded", seconds=2 * chains.SECONDS)

    async def was_limited() -> bool:
        counters = await account.admin("GET", "/requests/counters")
        return bool(counters["byOutcome"].get("429"))

    assert await eventually(was_limited)
    for stack_id in "abcd":
        await account.only_run(stack_id)
