"""Spacelift fails around `runTrigger`, before or after it creates the run: one run, and a report.

All cases are under way at the same time, each in its own account: they last for seconds, and
waiting for one is waiting for all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from devenv import simulator_process
from devenv.simulator import faults
from devenv.simulator.model.run_entities import Run, Transition
from tests.support import chains
from tests.support.chains import account_document

KEY = f"/keys/{simulator_process.API_KEY.id}"

Body = dict[str, Any]


async def heal(account: chains.Account) -> None:
    await account.heal()


async def restore_key(account: chains.Account) -> None:
    await account.heal()
    await account.admin("PUT", KEY, {"secret": simulator_process.API_KEY.secret})


def forget_key(account: chains.Account) -> None:
    account.server.simulator.account.keys.pop(simulator_process.API_KEY.id, None)


def break_lists(account: chains.Account) -> None:
    spec = faults.FaultSpec(kind="query", field="stack", action="status", status=502, count=0)
    account.server.simulator.faults.add(spec)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What goes wrong with the trigger of `a`, the root of `a -> b`."""

    fault: Body = field(default_factory=dict)
    at_creation: Callable[[chains.Account], None] | None = None
    """Happens in the same instant as the run of `a` comes into being."""
    shows: str = ""
    """The reason that the stack has while it lasts; the cause is fixed once it is seen."""
    words: str = ""
    """What the message says."""
    mend: Callable[[chains.Account], Awaitable[None]] = heal
    ends: str = "RunSucceeded"
    behavior: Body = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a case went."""

    account: chains.Account
    chain: chains.Chain
    shown: Body
    ended: Body


def lasting(words: str, *, shows: str = "SpaceliftUnreachable", **fault: Any) -> Case:
    """Return a fault that strikes before anything is carried out, until it is ended."""
    return Case(fault={"count": 0, **fault}, shows=shows, words=words)


LASTING = {
    "timeout": lasting("no answer", action="timeout"),
    "reset": lasting("no answer", action="reset"),
    "page": lasting("HTTP 502, <html>", action="status", status=502),
    "garbage": lasting("not a GraphQL answer", action="malformed"),
    "internal-error": lasting("internal server error", action="error"),
    "too-many": lasting("HTTP 429", shows="RateLimited", action="status", status=429, retryAfter=1),
}

# The fault stays: a second trigger is hit as well, and has created one more run.
_LOSSES: dict[str, dict[str, Any]] = {
    "timeout": {"action": "timeout"},
    "reset": {"action": "reset"},
    "page": {"action": "status", "status": 502},
    "garbage": {"action": "malformed"},
    "internal-error": {"action": "error"},
    "no-run": {"action": "partial"},
}
LOST = {
    f"lost-{name}": Case(fault={"when": "after", "count": 0, **fault})
    for name, fault in _LOSSES.items()
}

# In mode A of a refused token every list is empty, which must not count as "there is no run".
LOST_AND_BLIND = {
    "blind-lists": Case(
        fault={"when": "after", "action": "reset", "count": 0},
        at_creation=break_lists,
        shows="SpaceliftUnreachable",
        words="HTTP 502",
    ),
    **{
        f"blind-key-{mode.lower()}": Case(
            fault={"when": "after", "action": "reset", "count": 0},
            at_creation=forget_key,
            shows="CredentialsRejected",
            words="rejects the key",
            mend=restore_key,
            behavior={"unauthorizedMode": mode},
        )
        for mode in "AB"
    },
}

EXPIRED = {
    "expired-a": Case(fault={"action": "error", "message": "unauthorized"}),
    "expired-b": Case(fault={"action": "status", "status": 401}),
}

FORBIDDEN = {
    name: Case(fault={**case.fault, "count": 0}, ends="StackFailed")
    for name, case in (
        ("forbidden-a", EXPIRED["expired-a"]),
        ("forbidden-b", EXPIRED["expired-b"]),
    )
}

REVOKED = {
    f"revoked-{mode.lower()}": Case(
        at_creation=forget_key,
        shows="CredentialsRejected",
        words="API key",
        mend=restore_key,
        behavior={"unauthorizedMode": mode},
    )
    for mode in "AB"
}

CASES = {**LASTING, **LOST, **LOST_AND_BLIND, **EXPIRED, **FORBIDDEN, **REVOKED}


async def run_trial(release: chains.Installation, name: str, case: Case) -> Trial:
    # Slow enough that a key can be missed and given back while the run continues.
    document = account_document("a -> b", duration=1, behavior=case.behavior)
    account = await release.add_account(name, document)
    if case.fault:
        await account.fault(field="runTrigger", **case.fault)
    if case.at_creation is not None:
        account.server.simulator.transition_listeners.append(
            _once_created(account, case.at_creation)
        )
    chain = await release.create(name, "a", account=account)
    shown: Body = {}
    if case.shows:

        def is_told(status: Body) -> bool:
            # A busy machine answers late, too: another problem of the same reason, or a separate
            # outage in `Ready`.
            row, ready = chains.stack(status, "a"), chains.ready(status)
            return (
                (row.get("reason"), ready.get("reason")) == (case.shows, case.shows)
                and case.words in row["message"]
                and case.words in ready["message"]
            )

        shown = await chain.until(is_told, what=f"{case.shows}: {case.words}")
        await case.mend(account)
    ended = await chain.ends(case.ends)
    return Trial(account=account, chain=chain, shown=shown, ended=ended)


def _once_created(
    account: chains.Account, act: Callable[[chains.Account], None]
) -> Callable[[Run, Transition], None]:
    acted: list[str] = []

    def hook(run: Run, _: Transition) -> None:
        if run.stack_id == "a" and not acted:
            acted.append(run.id)
            act(account)

    return hook


@pytest.fixture(scope="module")
async def trials(release: chains.Installation) -> AsyncIterator[dict[str, asyncio.Task[Trial]]]:
    tasks = {
        name: asyncio.create_task(run_trial(release, name, case)) for name, case in CASES.items()
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


Trials = dict[str, "asyncio.Task[Trial]"]


async def assert_one_run_each(trial: Trial) -> None:
    runs = {stack_id: await trial.account.only_run(stack_id) for stack_id in "ab"}
    assert {stack_id: run["state"] for stack_id, run in runs.items()} == dict.fromkeys(
        "ab", "FINISHED"
    )
    shown = {row["id"]: row["runId"] for row in trial.ended["stacks"]}
    assert shown == {stack_id: run["id"] for stack_id, run in runs.items()}


def assert_told(trial: Trial, case: Case) -> None:
    """Ready and the stack say the same, and that it is tried again; in the end nothing is left."""
    assert case.words in chains.stack(trial.shown, "a")["message"], chains.explain(trial.shown)
    ready = chains.ready(trial.shown)
    assert (ready["status"], ready["reason"]) == ("False", case.shows)
    assert "'a': " in ready["message"]
    assert case.words in ready["message"]
    assert chains.condition(trial.shown, "Reconciling")["status"] == "True"
    assert chains.condition(trial.shown, "Stalled")["status"] == "False"
    assert chains.reasons(trial.ended) == dict.fromkeys("ab", "RunFinished")


@pytest.mark.parametrize("name", LASTING)
async def test_a_trigger_that_fails_before_anything_is_done_is_told_until_it_goes_through(
    trials: Trials, name: str
) -> None:
    trial = await trials[name]

    assert_told(trial, CASES[name])
    await assert_one_run_each(trial)


@pytest.mark.parametrize("name", LOST)
async def test_a_run_whose_answer_is_lost_is_found_and_not_made_again(
    trials: Trials, name: str
) -> None:
    trial = await trials[name]

    assert len(await trial.account.requests("runTrigger")) == 1
    await assert_one_run_each(trial)


@pytest.mark.parametrize("name", LOST_AND_BLIND)
async def test_a_lost_run_is_not_made_again_while_nobody_can_look_for_it(
    trials: Trials, name: str
) -> None:
    trial = await trials[name]

    assert len(await trial.account.requests("runTrigger")) == 1
    assert_told(trial, CASES[name])
    await assert_one_run_each(trial)


@pytest.mark.parametrize("name", EXPIRED)
async def test_a_token_that_is_refused_at_the_trigger_is_renewed_unseen(
    trials: Trials, name: str
) -> None:
    trial = await trials[name]

    assert len(await trial.account.requests("runTrigger")) == 2
    assert len(await trial.account.requests("apiKeyUser")) == 2
    await assert_one_run_each(trial)


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_a_trigger_that_a_good_key_may_not_do_fails_the_stack_until_it_may(
    trials: Trials, release: chains.Installation, name: str
) -> None:
    trial = await trials[name]

    assert chains.reasons(trial.ended) == {"a": "PermissionDenied", "b": "UpstreamNotSucceeded"}
    assert "give it a role" in chains.ready(trial.ended)["message"]
    assert await trial.account.runs() == []

    await trial.account.heal()
    await release.stackchains.annotate(name, run="again")
    ended = await trial.chain.ends("RunSucceeded", number=2)
    await assert_one_run_each(
        Trial(account=trial.account, chain=trial.chain, shown={}, ended=ended)
    )


@pytest.mark.parametrize("name", REVOKED)
async def test_a_key_that_is_revoked_once_the_run_is_made_is_told_and_the_run_goes_on(
    trials: Trials, name: str
) -> None:
    trial = await trials[name]

    assert_told(trial, CASES[name])
    await assert_one_run_each(trial)
