"""Accounts that limit their requests, or hang, or are limited by us: others are not held up."""

import itertools
from pathlib import Path

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

# A request in 10 s: in slots of a worker, the pauses of these chains would take many minutes.
LIMITED = {"rateLimit": {"perSecond": 0.1, "burst": 1}}
_LATE_SECONDS = 10.0
ROOTS: chains.Body = {root: {} for root in "abcdefgh"}
TEN: chains.Body = {root: {"durations": {"planning": 600}} for root in "abcdefghij"}


async def test_an_account_that_limits_its_requests_says_so_and_holds_up_no_other(
    parts: chains.Parts, tmp_path: Path
) -> None:
    options = chains.Options(settings={"WORKER_MAX_CONCURRENT_ACTIVITIES": "2"})
    async with chains.installed(parts, tmp_path, options) as release:
        limited = await release.add_account(
            "limited",
            account_document(*(f"{root} -> after-{root}" for root in "abcd"), behavior=LIMITED),
        )
        free = await release.add_account("free", account_document("a -> b"))
        held = [await release.create(f"limited-{root}", root, account=limited) for root in "abcd"]
        for chain in held:
            await chain.shows("RateLimited")

        other = await release.create("free", "a", account=free)
        await other.ends("RunSucceeded")
        limited.server.simulator.account.behavior.rate_limit = None
        for chain in held:
            await chain.ends("RunSucceeded")

        for root in "abcd":
            await limited.only_run(root)


async def test_an_account_that_hangs_leaves_slots_of_the_worker_to_others(
    parts: chains.Parts, tmp_path: Path
) -> None:
    options = chains.Options(settings={"WORKER_MAX_CONCURRENT_ACTIVITIES": "4"})
    async with chains.installed(parts, tmp_path, options) as release:
        hanging = await release.add_account("hanging", account_document(stacks=ROOTS))
        free = await release.add_account("free", account_document("a -> b"))
        # Reads only: what hangs has sent no trigger.
        await hanging.fault(kind="query", action="timeout", seconds=600, count=0)
        held = [await release.create(f"hanging-{root}", root, account=hanging) for root in ROOTS]
        await eventually(
            lambda: _any_says(release, "has 2 of this worker's 4 slots for calls"),
            what="a chain says that the connection has its share of the slots",
        )

        other = await release.create("free", "a", account=free)
        await other.ends("RunSucceeded")
        assert await hanging.runs() == []
        await hanging.heal()
        for chain in held:
            await chain.ends("RunSucceeded")

        for root in ROOTS:
            await hanging.only_run(root)


async def test_a_run_without_a_slot_says_so_and_is_followed_once_one_is_free(
    parts: chains.Parts, tmp_path: Path
) -> None:
    options = chains.Options(settings={"WORKER_MAX_CONCURRENT_FOLLOWS": "10"})
    async with chains.installed(parts, tmp_path, options) as release:
        full = await release.add_account("full", account_document(stacks=TEN))
        await release.add_account("other", account_document("a -> b"))
        chain = await release.create("full", *TEN, account=full, parallelism=10)

        def all_wait(status: chains.Body) -> bool:
            found = sorted(chains.reasons(status).values())
            return found == ["RateLimited", *["RunInProgress"] * 9]

        status = await chain.until(all_wait, what="nine are followed, and one says why not")
        late = next(
            stack_id for stack_id, why in chains.reasons(status).items() if why == "RateLimited"
        )
        assert "has 9 of this worker's 10 slots for waits" in str(chains.stack(status, late))
        await full.hurry()
        await chain.ends("RunSucceeded")

        for root in TEN:
            await full.only_run(root)


async def test_a_connections_own_limit_is_kept_and_the_status_says_whose_it_is(
    parts: chains.Parts, tmp_path: Path
) -> None:
    async with chains.installed(parts, tmp_path) as release:
        limited = await release.add_account(
            "limited", account_document(stacks=ROOTS), requestsPerMinute=100
        )
        held = [await release.create(f"limited-{root}", root, account=limited) for root in ROOTS]
        await eventually(
            lambda: _any_says(release, "'limited' has used up its own limit of 100 requests"),
            what="a chain says that the connection's limit is used up",
        )

        requests = (await limited.admin("GET", "/requests"))["requests"]
        sent = sorted(request["at"] for request in requests)
        for first, last in itertools.combinations(range(len(sent)), 2):
            # Ten at once and 1.5 a second, and on a busy machine some of them arrive late.
            most = 10 + 1.5 * (sent[last] - sent[first] + _LATE_SECONDS)
            assert last - first + 1 <= most
        # Without a restart of the worker.
        release.connect("limited")
        for chain in held:
            await chain.ends("RunSucceeded")

        for root in ROOTS:
            await limited.only_run(root)


async def _any_says(release: chains.Installation, words: str) -> bool:
    """Whether the status of a chain, or of one of its stacks, says something."""
    return any(words in str(status) for status in (await release.statuses()).values())
