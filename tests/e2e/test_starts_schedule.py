"""Runs that a schedule asks for, on the whole path: started, paused, missed, refused, removed.

Temporal evaluates the times, so the shortest real schedule is one of every minute. A time that has
to pass does so on the clock; the meaning of a cron in a time zone is in `tests/workflows`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import temporalio.client

from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually

EVERY_MINUTE = {"cron": "* * * * *", "timeZone": "Europe/Berlin"}
# The longest way to the next minute, plus the delay of a busy machine.
A_MINUTE = 120.0


async def schedule_ids(release: chains.Installation) -> list[str]:
    client = await release.temporal()
    return [item.id async for item in await client.list_schedules()]


async def has_no_schedule(release: chains.Installation, name: str) -> bool:
    return not any(f"/{name}/" in item for item in await schedule_ids(release))


async def schedule_of(
    release: chains.Installation, chain: chains.Chain
) -> temporalio.client.ScheduleHandle:
    uid = (await chain.body())["metadata"]["uid"]
    client = await release.temporal()
    return client.get_schedule_handle(f"stackchain/{release.namespace}/{chain.name}/{uid}/schedule")


async def no_minute_ends(seconds: int) -> None:
    """Wait until none ends for so long, where its end would start a run."""
    await eventually(lambda: datetime.now(UTC).second < 60 - seconds, what="a minute has begun")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_scheduled(status: chains.Body) -> bool:
    return bool(status.get("schedule", {}).get("nextTime"))


async def test_a_plan_of_every_minute_finds_drift_and_says_so(
    release: chains.Installation,
) -> None:
    """The next time is shown before; the run names what asked for it."""
    account = await release.add_account("drift", account_document("a -> b"))
    # A further minute may pass before the schedule is paused, whose run finds nothing.
    await account.script("a", *["no-op"] * 5)
    changes = {"add": 1, "change": 2, "delete": 3}
    await account.script("b", {"result": "changes", "delta": changes}, *["no-op"] * 5)
    await no_minute_ends(20)
    chain = await release.create(
        "drift",
        "a",
        account=account,
        operation="Plan",
        startPolicy="OnRequest",
        schedule=EVERY_MINUTE,
    )
    before = await chain.until(is_scheduled)
    due = before["schedule"]["nextTime"]
    assert at(due).second == 0
    assert chains.ready(before)["reason"] == "NotRequested"

    status = await chain.ends("RunSucceeded", seconds=A_MINUTE)

    assert status["latestRun"]["cause"] == "Schedule"
    assert status["latestRun"]["number"] == 1
    assert status["lastHandled"]["schedule"] == status["schedule"]["lastTime"]
    # The minute may have ended between the schedule and the first status that shows its next time.
    assert at(status["schedule"]["lastTime"]) >= at(due) - timedelta(minutes=1)
    assert at(status["schedule"]["nextTime"]) > at(status["schedule"]["lastTime"])
    assert chains.stack(status, "b")["delta"] == {"added": 1, "changed": 2, "deleted": 3}
    (told,) = await chain.told("DriftDetected")
    assert told == "Run 1 found changes in 1 of 2 stacks: +1 ~2 -3 ('b' +1 ~2 -3)."
    async with httpx.AsyncClient(base_url=release.operator.health_url, trust_env=False) as http:
        metrics = (await http.get("/metrics")).text
    assert "stackchain_drift_runs_total 1.0" in metrics
    assert "stackchain_drift_stacks_total 1.0" in metrics
    labels = f'chain="drift",chain_namespace="{release.namespace}",trouble="DriftDetected"'
    assert f"stackchain_chain_trouble_timestamp_seconds{{{labels}}}" in metrics
    await release.stackchains.set_spec("drift", suspend=True)


async def test_suspend_pauses_the_schedule_and_what_passes_meanwhile_starts_nothing(
    release: chains.Installation,
) -> None:
    account = await release.add_account("paused", account_document("a -> b"))
    await no_minute_ends(30)
    chain = await release.create(
        "paused", "a", account=account, startPolicy="OnRequest", schedule=EVERY_MINUTE
    )
    await chain.until(is_scheduled)

    await release.stackchains.set_spec("paused", suspend=True)
    await chain.until(lambda status: not is_scheduled(status))
    handle = await schedule_of(release, chain)
    assert (await handle.describe()).schedule.state.paused

    await release.stackchains.set_spec("paused", suspend=False)
    status = await chain.until(is_scheduled)
    assert not (await handle.describe()).schedule.state.paused
    assert status["schedule"].get("missed", 0) == 0
    assert "latestRun" not in status
    await release.stackchains.set_spec("paused", suspend=True)


async def test_what_temporal_refuses_is_told_with_what_to_change_and_mended_by_it(
    release: chains.Installation,
) -> None:
    account = await release.add_account("refused", account_document("a -> b"))
    chain = await release.create(
        "refused", "a", account=account, schedule={"cron": "61 * * * *", "timeZone": "UTC"}
    )

    status = await chain.shows("ScheduleInvalid")
    message = chains.ready(status)["message"]
    assert "Minute is not in range [0-59]" in message
    assert "Correct `spec.schedule.cron` or `spec.schedule.timeZone`" in message
    assert chains.condition(status, "Stalled")["status"] == "True"

    await release.stackchains.set_spec(
        "refused", schedule={"cron": "0 6 * * *", "timeZone": "Europe/Atlantis"}
    )
    await chain.until(
        lambda found: "unknown time zone Europe/Atlantis" in chains.ready(found)["message"]
    )
    await release.stackchains.set_spec(
        "refused", schedule={"cron": "0 6 30 2 *", "timeZone": "UTC"}
    )
    await chain.until(lambda found: "The schedule never fires" in chains.ready(found)["message"])

    await release.stackchains.set_spec(
        "refused", schedule={"cron": "0 6 * * *", "timeZone": "Europe/Berlin"}
    )
    status = await chain.ends("RunSucceeded")
    assert is_scheduled(status)


async def test_deletion_and_removal_leave_no_schedule(release: chains.Installation) -> None:
    account = await release.add_account("removed", account_document("a -> b"))
    spec: dict[str, Any] = {
        "account": account,
        "startPolicy": "OnRequest",
        "schedule": {"cron": "0 6 * * *"},
        "triggers": [{"type": "RootRunFinished"}],
    }
    chain = await release.create("removed", "a", **spec)
    other = await release.create("deleted", "a", **spec)
    for found in (chain, other):
        await found.until(lambda status: is_scheduled(status) and bool(status.get("triggers")))

    async def are_listed() -> bool:
        # A list lags behind what has been set up.
        return len([item for item in await schedule_ids(release) if "/removed/" in item]) == 2

    await eventually(are_listed, chains.SECONDS)

    await release.stackchains.set_spec("removed", schedule=None, triggers=None)
    await release.stackchains.delete("deleted")

    await other.is_gone()
    status = await chain.until(lambda found: not ({"schedule", "triggers"} & found.keys()))
    assert chains.ready(status)["reason"] == "NotRequested"
    for name in ("removed", "deleted"):
        await eventually(lambda name=name: has_no_schedule(release, name), chains.SECONDS)


async def test_the_resync_sets_up_what_is_missing_and_removes_what_has_no_resource(
    release: chains.Installation,
) -> None:
    """But not what belongs to another installation."""
    account = await release.add_account("lost", account_document("a -> b"))
    chain = await release.create(
        "lost", "a", account=account, startPolicy="OnRequest", schedule={"cron": "0 6 * * *"}
    )
    await chain.until(is_scheduled)
    handle = await schedule_of(release, chain)
    description = await handle.describe()
    memo = (await description.memo())["stackchain"]
    client = await release.temporal()
    for name, installation in (("orphan", release.namespace), ("foreign", "other")):
        await client.create_schedule(
            f"stackchain/{release.namespace}/{name}/uid/schedule",
            description.schedule,
            memo={
                "stackchain": {
                    **memo,
                    "installation": installation,
                    "ref": {**memo["ref"], "name": name, "uid": "uid"},
                }
            },
        )

    async def is_foreign_listed() -> bool:
        return not await has_no_schedule(release, "foreign")

    # Temporal lists a schedule a moment after it was made.
    await eventually(is_foreign_listed)
    await handle.delete()

    async def is_mended() -> bool:
        found = await schedule_ids(release)
        return handle.id in found and not any("/orphan/" in item for item in found)

    await eventually(is_mended, chains.SECONDS)
    assert await is_foreign_listed()


def minutes_between(after: datetime, until: datetime) -> list[datetime]:
    """Return the times of a cron of every minute."""
    first = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    number = int((until - first).total_seconds() // 60) + 1
    return [first + timedelta(minutes=minute) for minute in range(max(0, number))]


async def test_times_that_pass_while_the_operator_is_down_are_judged_exactly(
    release: chains.Installation,
) -> None:
    """Those past their deadline are missed; of the others the newest starts one run for all.

    The operator is down for as long as the status says that it has not looked.
    """
    account = await release.add_account("late", account_document("a -> b"))
    deadline = 90
    await no_minute_ends(20)
    chain = await release.create(
        "late",
        "a",
        account=account,
        startPolicy="OnRequest",
        schedule={"cron": "* * * * *", "startingDeadlineSeconds": deadline},
    )
    await chain.until(is_scheduled)
    await release.operator.stop()
    down_since = datetime.now(UTC) - timedelta(seconds=200)
    text = down_since.strftime("%Y-%m-%dT%H:%M:%SZ")
    await release.stackchains.kube.patch(
        f"{release.stackchains.path('late')}/status",
        {"status": {"schedule": {"checkedTime": text, "nextTime": text}}},
    )

    before = datetime.now(UTC)
    await release.operator.start()
    status = await chain.ends("RunSucceeded")
    after = datetime.now(UTC)

    known = status["schedule"]
    possible = []
    for second in range(int((after - before).total_seconds()) + 2):
        now = min(before + timedelta(seconds=second), after)
        times = minutes_between(at(text), now)
        late = [time for time in times if (now - time).total_seconds() > deadline]
        possible.append((len(late), late[-1], times[-1]))
    judged = (known["missed"], at(known["lastMissedTime"]), at(status["lastHandled"]["schedule"]))
    assert judged in possible
    # One for all, and those of minutes that passed while it ran.
    assert status["latestRun"]["number"] <= 1 + len(minutes_between(before, after))
    assert len(await account.runs("a")) == status["latestRun"]["number"]
    (told,) = await chain.told("StartMissed")
    assert told.startswith(f"{known['missed']} scheduled start")
    await release.stackchains.set_spec("late", suspend=True)
