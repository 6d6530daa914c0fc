"""The worker dies as a window closes: its successor neither triggers nor confirms outside of it."""

import datetime

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

# Enough for a busy machine to start two stacks in.
OPEN_SECONDS = 40
# Longer than the window is open, unless the test lets them end.
LONG = 600


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


async def test_what_comes_due_while_the_window_closes_and_no_worker_is_there_waits(
    release: chains.Installation,
) -> None:
    """`b` may start once `a` has ended, and the plan of `c` may be confirmed: both too late."""
    account = await release.add_account(
        "closing",
        account_document(
            stacks={
                "a": {"durations": {"planning": LONG}},
                "b": {"labels": ["dependsOn:a"]},
                "c": {"durations": {"planning": LONG}, "autodeploy": False},
            }
        ),
    )
    now = _now()
    # No window may be shorter than a minute.
    opened_at = now.replace(second=0, microsecond=0) - datetime.timedelta(minutes=1)
    closes_at = now + datetime.timedelta(seconds=OPEN_SECONDS)
    chain = await release.create(
        *("closing", "a", "c"),
        account=account,
        confirmationPolicy="Auto",
        window={
            "cron": f"{opened_at:%M %H} * * *",
            "durationSeconds": round((closes_at - opened_at).total_seconds()),
        },
    )
    for stack_id in "ac":
        await account.run_in(stack_id, "PLANNING")
    await chain.until(
        lambda status: [chains.phases(status).get(item) for item in "ac"] == ["Running"] * 2
    )

    await release.worker.kill()
    await account.pass_time(LONG)
    await account.run_in("a", "FINISHED")
    await account.run_in("c", "UNCONFIRMED")
    after_it = closes_at + datetime.timedelta(seconds=1)
    await eventually(lambda: _now() > after_it, what="the window has closed")
    await release.worker.start()
    status = await chain.shows("WindowClosed")

    assert chains.phases(status) == {"a": "Succeeded", "b": "Pending", "c": "Waiting"}
    assert chains.reasons(status)["c"] == "WindowClosed"
    assert await account.runs("b") == []
    assert await account.requests("runConfirm") == []

    await release.stackchains.annotate("closing", cancel="1")
    await chain.ends("RunCanceled")

    assert await account.runs("b") == []
    assert (await account.only_run("c"))["state"] == "DISCARDED"
