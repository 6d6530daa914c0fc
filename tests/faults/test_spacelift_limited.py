"""An account that limits its requests: the wait is in Temporal, and takes no slot of a worker."""

from pathlib import Path

from tests.support import chains
from tests.support.chains import account_document

# A request in 10 s: in slots of a worker, the pauses of these chains would take many minutes.
LIMITED = {"rateLimit": {"perSecond": 0.1, "burst": 1}}


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
