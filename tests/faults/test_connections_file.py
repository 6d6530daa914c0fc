"""The connections file is broken while a chain runs, loses its account, and is fixed."""

import asyncio

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import stays

BROKEN = "connections: ["
EMPTY = "connections: {}\n"


async def test_a_file_that_is_broken_for_a_while_stops_no_run_and_loses_no_request(
    release: chains.Installation,
) -> None:
    account = await release.add_account(
        "mended", account_document("a -> b", stacks={"a": {"durations": {"planning": 300}}})
    )
    chain = await release.create("mended", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    file = release.directory / "connections.yaml"
    good = file.read_text()

    # What cannot be read changes nothing.
    file.write_text(BROKEN)

    async def is_progressing() -> bool:
        return bool(chains.ready(await chain.status())["reason"] == "Progressing")

    assert await stays(is_progressing, 4)
    await account.hurry()
    await chain.ends("RunSucceeded")

    # One that says that there is no account is believed; what is asked meanwhile stays asked.
    file.write_text(EMPTY)
    # A change of the file is seen within seconds.
    await asyncio.sleep(4)
    await release.stackchains.annotate("mended", run="again")
    await chain.shows("ConnectionUnknown")
    assert [len(await account.runs(stack)) for stack in ("a", "b")] == [1, 1]

    file.write_text(good)
    await chain.ends("RunSucceeded", number=2)
    assert [len(await account.runs(stack)) for stack in ("a", "b")] == [2, 2]
