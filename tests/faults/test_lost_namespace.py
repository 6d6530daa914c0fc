"""The Temporal namespace is deleted and made again, with all histories, under a running release."""

from pathlib import Path

import temporalio.service

from tests.support import chains, temporal
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

SLOW = {"planning": 300}


async def delete_namespace(release: chains.Installation) -> None:
    await temporal.delete_namespace(await release.temporal(), release.temporal_namespace)


async def make_namespace(release: chains.Installation) -> None:
    """Make it again; Temporal takes a while to let go of the name."""
    client = await release.temporal()

    async def is_made() -> bool:
        try:
            await temporal.create_namespace(client, release.temporal_namespace)
        except temporalio.service.RPCError as error:
            if error.status is not temporalio.service.RPCStatusCode.ALREADY_EXISTS:
                raise
            return False
        return True

    await eventually(is_made, what="the namespace is there again")


async def test_a_namespace_that_is_gone_ends_no_run_and_one_that_is_made_again_starts_none(
    parts: chains.Parts, tmp_path: Path
) -> None:
    """Without its namespace the state of a run is unknown; without its history it is lost."""
    async with chains.installed(parts, tmp_path) as release:
        finished = await release.add_account("finished", account_document("a -> b"))
        done = await release.create("finished", "a", account=finished)
        before = await done.ends("RunSucceeded")
        account = await release.add_account(
            "live", account_document("a -> b", stacks={"a": {"durations": SLOW}})
        )
        live = await release.create("live", "a", account=account)
        await live.until(lambda status: chains.phases(status).get("a") == "Running")

        await delete_namespace(release)
        status = await live.shows("TemporalUnreachable")
        assert chains.phases(status) == {"a": "Running", "b": "Pending"}

        await make_namespace(release)
        status = await live.ends("WorkflowTerminated")
        assert chains.phases(status) == {"a": "Failed", "b": "Skipped"}
        assert set(chains.reasons(status).values()) == {"ExecutionEnded"}
        lost = status

        async def is_settled() -> bool:
            return await done.status() == before and await live.status() == lost

        assert await stays(is_settled, 3)
        assert [len(await item.runs()) for item in (finished, account)] == [2, 2]

        # Spacelift has carried the runs out meanwhile, which a retry finds.
        await account.hurry()
        await account.run_in("b", "FINISHED")
        await release.stackchains.annotate("live", retry="1")
        status = await live.ends("RunSucceeded", number=2)
        assert set(chains.reasons(status).values()) == {"Kept"}
        assert len(await account.runs()) == 2
