"""Situations reached for real, as the API server has them and as tools read them.

`tests/contract/test_gitops.py` has all of them as the projection writes them. Here are those that a
chain reaches within seconds, each with the conditions and the words of kstatus and Argo CD.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import chains, verdicts
from tests.support.chains import account_document
from tests.support.waiting import eventually

Act = Callable[[chains.Installation, chains.Chain, chains.Account], Awaitable[Any]]

# `Ready`, `Reconciling` and `Stalled`, then what kstatus and Argo CD say.
MOVES = ("Unknown", "True", "False", "InProgress", "Progressing")
RESTS = ("Unknown", "False", "False", "InProgress", "Suspended")
DONE = ("True", "False", "False", "Current", "Healthy")
OVER = ("False", "False", "True", "Failed", "Degraded")
RETRIES = ("False", "True", "False", "InProgress", "Progressing")

STUCK = {"a": {"durations": {"planning": 300}}}
BY_HAND = {"a": {"autodeploy": False}}


async def nothing(
    release: chains.Installation, chain: chains.Chain, account: chains.Account
) -> None:
    """Only wait."""


async def edit(release: chains.Installation, chain: chains.Chain, account: chains.Account) -> None:
    await account.run_in("a", "PLANNING")
    await release.stackchains.set_spec(chain.name, roots={"stackIds": ["b"]})
    await chain.until(lambda status: "pendingRun" in status)


async def discard(
    release: chains.Installation, chain: chains.Chain, account: chains.Account
) -> None:
    run = await account.run_in("a", "UNCONFIRMED")
    await account.act(run["id"], "discard")


async def cancel(
    release: chains.Installation, chain: chains.Chain, account: chains.Account
) -> None:
    await account.run_in("a", "PLANNING")
    await release.stackchains.annotate(chain.name, cancel="1")


async def suspend(
    release: chains.Installation, chain: chains.Chain, account: chains.Account
) -> None:
    """While the first stack runs, so that the other is left."""
    await account.run_in("a", "PLANNING", "APPLYING")
    await release.stackchains.set_spec(chain.name, suspend=True)
    await chain.shows("Suspended")
    await account.hurry()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Situation:
    """How a chain gets into a situation, and what there is to see then."""

    reason: str
    expected: tuple[str, ...]
    stacks: dict[str, Any] = dataclasses.field(default_factory=dict)
    edges: tuple[str, ...] = ("a -> b",)
    roots: tuple[str, ...] = ("a",)
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    outage: str = "off"
    act: Act = nothing


SITUATIONS = {
    "running": Situation(stacks=STUCK, reason="Progressing", expected=MOVES),
    "request-waits": Situation(stacks=STUCK, act=edit, reason="Progressing", expected=MOVES),
    "person": Situation(stacks=BY_HAND, reason="AwaitingConfirmation", expected=MOVES),
    "created-suspended": Situation(spec={"suspend": True}, reason="Suspended", expected=RESTS),
    "work-left": Situation(
        stacks={"a": {"durations": 600}, "b": {"labels": ["dependsOn:a"]}},
        edges=(),
        act=suspend,
        reason="Suspended",
        expected=RESTS,
    ),
    "not-requested": Situation(
        spec={"startPolicy": "OnRequest"}, reason="NotRequested", expected=RESTS
    ),
    "succeeded": Situation(reason="RunSucceeded", expected=DONE),
    "failed": Situation(
        stacks={"a": {"outcomes": ["fail:planning"]}}, reason="StackFailed", expected=OVER
    ),
    "discarded": Situation(stacks=BY_HAND, act=discard, reason="StackCanceled", expected=OVER),
    "canceled": Situation(stacks=STUCK, act=cancel, reason="RunCanceled", expected=OVER),
    "stack-timed-out": Situation(
        stacks=STUCK, spec={"stackDeadlineSeconds": 1}, reason="StackTimedOut", expected=OVER
    ),
    "chain-timed-out": Situation(
        stacks=STUCK, spec={"activeDeadlineSeconds": 1}, reason="DeadlineExceeded", expected=OVER
    ),
    "unknown": Situation(roots=("nowhere",), reason="UnknownStack", expected=OVER),
    "cycle": Situation(
        edges=(),
        stacks={"a": {"labels": ["dependsOn:b"]}, "b": {"labels": ["dependsOn:a"]}},
        reason="GraphCycle",
        expected=OVER,
    ),
    "empty": Situation(
        edges=(),
        stacks={"a": {}},
        spec={"graph": {"includeRoots": False}},
        reason="GraphEmpty",
        expected=OVER,
    ),
    "unreachable": Situation(outage="error", reason="SpaceliftUnreachable", expected=RETRIES),
}


@pytest.mark.parametrize("name", list(SITUATIONS))
async def test_tools_read_the_situation_as_it_is(release: chains.Installation, name: str) -> None:
    situation = SITUATIONS[name]
    document = account_document(*situation.edges, stacks=situation.stacks)
    account = await release.add_account(name, document)
    await account.outage(situation.outage)

    chain = await release.create(name, *situation.roots, account=account, **situation.spec)
    await situation.act(release, chain, account)
    body: chains.Body = {}

    def verdict() -> tuple[str, ...]:
        status = body["status"]
        return (
            *(
                chains.condition(status, kind)["status"]
                for kind in ("Ready", "Reconciling", "Stalled")
            ),
            *(verdicts.kstatus(body), verdicts.argo_cd(body)[0]),
        )

    async def is_there() -> bool:
        body.clear()
        body.update(await chain.body())
        status = body.get("status", {})
        assert chains.ready(status).get("reason") == situation.reason, chains.explain(status)
        return verdict() == situation.expected

    await eventually(is_there, chains.SECONDS, what=f"{situation.expected}")
    status = body["status"]
    assert status["observedGeneration"] == body["metadata"]["generation"]
    assert {item["observedGeneration"] for item in status["conditions"]} == {
        status["observedGeneration"]
    }
    await release.stackchains.delete(name)
