"""One operator leaves and the standby takes over: within 2 s if asked to, within 33 s if killed.

The times are those in the Lease; the measurement starts with the signal.
"""

import itertools
import signal
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from controller.config import settings
from controller.kube import lease
from devenv import role_process
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

DURATION_SECONDS = settings.OperatorSettings().lease_duration_seconds
ASKED_SECONDS = 2.0
KILLED_SECONDS = 33.0
# The quickest one counts: a busy machine stalls now and then.
TRIES = 8
TRIES_TO_KILL = 3


@pytest.fixture(scope="module")
async def pair(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """Two operators with the Lease that a release has, and a worker."""
    options = chains.Options(settings={"STACKCHAIN_LEASE_DURATION_SECONDS": str(DURATION_SECONDS)})
    async with chains.installed(parts, tmp_path_factory.mktemp("pair"), options) as running:
        await running.role("operator", instance=1).start()
        yield running


async def lease_of(release: chains.Installation) -> dict[str, Any]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases"
    spec: dict[str, Any] = (await release.parts.kube.get(f"{path}/{lease.LEASE_NAME}"))["spec"]
    return spec


async def leader_and_standby(
    release: chains.Installation,
) -> tuple[role_process.Role, role_process.Role]:
    """Return who holds the Lease, by the name of its pod, and who waits for it."""
    operators = [role for role in release.roles if role.options.role == "operator"]
    for role in operators:
        if not role.is_running:
            await role.start()

    async def is_held() -> str:
        return str((await lease_of(release)).get("holderIdentity", ""))

    holder = await eventually(is_held, chains.SECONDS, what="somebody holds the Lease")
    (leader,) = [role for role in operators if role.options.name == holder]
    (standby,) = [role for role in operators if role.options.name != holder]
    return leader, standby


async def taken_over(release: chains.Installation, standby: role_process.Role) -> dict[str, Any]:
    """Wait until the standby has the Lease, and return what it wrote there."""

    async def has_it() -> dict[str, Any] | None:
        spec = await lease_of(release)
        return spec if spec.get("holderIdentity") == standby.options.name else None

    spec = await eventually(has_it, chains.SECONDS, what=f"{standby.options.name} takes over")
    assert spec is not None
    return spec


def seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()


async def test_a_standby_leads_within_two_seconds_of_a_sigterm(pair: chains.Installation) -> None:
    """While chains start and report; the quickest of several tries, as machines are busy."""
    edges = [f"{a} -> {b}" for a, b in itertools.pairwise(f"s{number}" for number in range(6))]
    account = await pair.add_account("asked", account_document(*edges, stacks=["y"], duration=0.5))
    chain = await pair.create("asked", "s0", account=account)
    await account.run_in("s1", "PLANNING", "APPLYING", "FINISHED")

    took: list[float] = []
    while len(took) < 3 or (min(took) > ASKED_SECONDS and len(took) < TRIES):
        leader, standby = await leader_and_standby(pair)
        before = await lease_of(pair)
        asked_at = time.time()
        leader.process.signal(signal.SIGTERM)
        after = await taken_over(pair, standby)
        took.append(seconds(after["acquireTime"]) - asked_at)
        assert await leader.process.wait() == 0
        assert after["leaseTransitions"] == before["leaseTransitions"] + 1
    print("from SIGTERM to the next leader:", " ".join(f"{item:.2f} s" for item in took))

    assert min(took) <= ASKED_SECONDS
    later = await pair.create("later", "y", account=account)
    for item in (chain, later):
        await item.ends("RunSucceeded")
    for stack_id in (*(f"s{number}" for number in range(6)), "y"):
        await account.only_run(stack_id)


async def test_a_standby_leads_within_33_seconds_of_a_sigkill_and_not_before_the_lease_ends(
    pair: chains.Installation,
) -> None:
    """Killed at the worst moment, with the whole Lease still to pass; the quickest of several."""
    took: list[float] = []
    while not took or (took[-1] > KILLED_SECONDS and len(took) < TRIES_TO_KILL):
        took.append(await seconds_after_a_kill(pair, f"killed-{len(took)}"))
    print("from SIGKILL to the next leader:", " ".join(f"{item:.2f} s" for item in took))

    assert min(took) <= KILLED_SECONDS


async def seconds_after_a_kill(pair: chains.Installation, name: str) -> float:
    """Kill the leader, and return how long it takes until the other one leads."""
    account = await pair.add_account(name, account_document("a -> b"))
    leader, standby = await leader_and_standby(pair)
    renewed = (await lease_of(pair))["renewTime"]

    async def is_renewed() -> bool:
        return bool((await lease_of(pair))["renewTime"] > renewed)

    await eventually(is_renewed, DURATION_SECONDS, what="the Lease is renewed")
    renewed = (await lease_of(pair))["renewTime"]
    killed_at = time.time()
    await leader.kill()
    chain = await pair.create(name, "a", account=account)
    spec = await taken_over(pair, standby)

    assert seconds(spec["acquireTime"]) - seconds(renewed) >= DURATION_SECONDS
    await chain.ends("RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)
    return seconds(spec["acquireTime"]) - killed_at
