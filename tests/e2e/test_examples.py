"""The files in examples/ do what their comments say, with the stacks of `python -m devenv`."""

import datetime
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.config import connections
from devenv import example_account
from devenv.control_plane.server import ControlPlane
from devenv.demo import kubectl as demo_kubectl
from tests.support import chains, starts
from tests.support.processes import kubectl

EXAMPLES = demo_kubectl.PROJECT / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
SPEED = 10


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return document


def account_of_dev(speed: float = SPEED) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(example_account.FILE.read_text())
    return {**document, "speed": speed}


async def run(
    release: chains.Installation, name: str, *, speed: float = SPEED
) -> tuple[chains.Account, chains.Chain]:
    """Create an example's chain with a separate account."""
    # As the connection of `python -m devenv` has it.
    operations = ["Apply", "Plan", "Destroy"]
    account = await release.add_account(name, account_of_dev(speed), allowedOperations=operations)
    spec = example(name)["spec"]
    rest = {key: spec[key] for key in spec if key not in ("connectionName", "roots")}
    roots = spec["roots"]["stackIds"]
    return account, await release.create(name, *roots, account=account, **rest)


async def test_one_command_applies_all_of_them(control_plane: ControlPlane, namespace: str) -> None:
    code, output = await kubectl(
        control_plane,
        *("apply", "--dry-run=server", "--validate=strict"),
        *("--namespace", namespace, "-f", str(EXAMPLES)),
    )

    assert code == 0, output
    assert sorted(output.splitlines()) == [
        f"stackchain.stackchain.dev/{path.stem} created (server dry run)" for path in FILES
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_says_what_it_shows_and_names_stacks_that_are_there(path: Path) -> None:
    text = path.read_text()
    stacks = account_of_dev()["stacks"]

    assert text.startswith("# ")
    assert set(yaml.safe_load(text)["spec"]["roots"]["stackIds"]) <= set(stacks)


async def test_labels_order_what_spacelift_does_not(release: chains.Installation) -> None:
    account, chain = await run(release, "ordered-by-labels")

    await chain.ends("RunSucceeded")

    runs = {stack: await account.only_run(stack) for stack in chains.phases(await chain.status())}
    imports = [runs["events-import"], runs["orders-import"]]
    assert sorted(runs) == ["events-import", "orders-import", "reports", "warehouse"]
    assert all(one["triggeredBy"].startswith("api::") for one in runs.values())
    assert all(runs["warehouse"]["history"][-1]["at"] <= one["createdAt"] for one in imports)
    assert all(one["history"][-1]["at"] <= runs["reports"]["createdAt"] for one in imports)


async def test_two_at_a_time_means_two(release: chains.Installation) -> None:
    # Two seconds, which is longer than it takes to trigger the second one, on a busy machine too.
    account, chain = await run(release, "parallelism", speed=10)

    await chain.ends("RunSucceeded")

    runs = await account.runs()
    marks = [(one["createdAt"], 1) for one in runs]
    marks += [(one["history"][-1]["at"], -1) for one in runs]
    assert len(runs) == 7
    assert max(itertools.accumulate(step for _, step in sorted(marks))) == 2


async def test_a_plan_shows_what_would_change_and_changes_nothing(
    release: chains.Installation,
) -> None:
    account, chain = await run(release, "plan")

    status = await chain.ends("RunSucceeded")

    runs = await account.runs()
    assert len(runs) == len(status["stacks"]) == 12
    assert {one["type"] for one in runs} == {"PROPOSED"}
    assert chains.stack(status, "cluster")["delta"] == {"added": 6, "changed": 2, "deleted": 0}


async def test_a_plan_on_a_schedule_waits_for_its_hour_and_may_be_asked_for(
    release: chains.Installation,
) -> None:
    account, chain = await run(release, "drift")
    before = await chain.until(lambda status: status.get("schedule", {}).get("nextTime"))

    await release.stackchains.annotate("drift", run="now")
    await chain.ends("RunSucceeded")

    assert chains.ready(before)["reason"] == "NotRequested"
    assert before["schedule"]["nextTime"].endswith(":00:00Z")
    assert {one["type"] for one in await account.runs()} == {"PROPOSED"}


async def test_a_run_of_the_root_starts_what_depends_on_it(release: chains.Installation) -> None:
    account, chain = await run(release, "triggered")
    await starts.is_watched(chain, "dns")

    run_id = await starts.finished_run(account, "dns")
    await starts.deliver(release, account, "dns")
    status = await chain.ends("RunSucceeded")

    assert starts.root_runs(status) == [("dns", run_id)]
    runs = await account.runs()
    assert sorted(one["stackId"] for one in runs) == sorted(chains.phases(status))
    assert len(runs) == 3


async def test_a_preview_shows_its_stacks_and_runs_them_once_it_may(
    release: chains.Installation,
) -> None:
    account, chain = await run(release, "preview")

    before = await chain.until(lambda status: len(status.get("stacks") or []) == 7)
    none_yet = await account.runs()
    await release.stackchains.set_spec("preview", suspend=False)
    after = await chain.ends("RunSucceeded")

    assert chains.ready(before)["reason"] == "Suspended"
    assert none_yet == []
    assert chains.phases(after).keys() == chains.phases(before).keys()


async def test_what_is_left_out_does_not_run_and_the_others_keep_their_order(
    release: chains.Installation,
) -> None:
    # Time to cancel what Spacelift queues on a stack that is left out, before it starts.
    account, chain = await run(release, "exclude", speed=1)
    waiting = await account.run_in("database", "UNCONFIRMED")

    await account.act(waiting["id"], "confirm")
    status = await chain.ends("RunSucceeded")

    assert len(status["stacks"]) == 11
    assert chains.stack(status, "alerts")["dependsOn"] == ["cluster"]
    cluster, alerts = await account.only_run("cluster"), chains.stack(status, "alerts")
    used = next(one for one in await account.runs("alerts") if one["id"] == alerts["runId"])
    assert used["createdAt"] >= cluster["history"][-1]["at"]
    assert {one["state"] for one in await account.runs("monitoring")} == {"CANCELED"}


async def test_unattended_nobody_has_to_confirm(release: chains.Installation) -> None:
    account, chain = await run(release, "unattended")

    status = await chain.ends("RunSucceeded")

    states = [one["state"] for one in (await account.only_run("database"))["history"]]
    assert "UNCONFIRMED" in states
    assert sorted(chains.phases(status)) == ["backend", "backups", "database", "frontend"]


async def test_a_plan_within_the_limits_is_confirmed_by_the_chain(
    release: chains.Installation,
) -> None:
    account, chain = await run(release, "confirmed-within-limits")

    await chain.ends("RunSucceeded")

    history = (await account.only_run("database"))["history"]
    assert "CONFIRMED" in [entry["state"] for entry in history]


async def test_a_chain_runs_after_the_one_that_it_names(release: chains.Installation) -> None:
    account, chain = await run(release, "after-platform")
    waiting = await chain.shows("Blocked")
    before = await account.runs()
    # Any chain of that name will do.
    await release.create("platform", "dashboards", account=account)
    await chain.ends("RunSucceeded")

    assert "'platform'" in chains.ready(waiting)["message"]
    assert before == []
    platform = await account.only_run("dashboards")
    assert platform["history"][-1]["at"] <= (await account.runs("warehouse"))[0]["createdAt"]


async def test_destroying_begins_with_what_depends_on_others(
    release: chains.Installation,
) -> None:
    account, chain = await run(release, "destroy")
    await chain.shows("NotRequested")
    await release.stackchains.annotate("destroy", run="now")

    await chain.ends("RunSucceeded")

    names = ("reports", "events-import", "orders-import", "warehouse")
    runs = {name: await account.only_run(name) for name in names}
    ends = {name: one["history"][-1]["at"] for name, one in runs.items()}
    assert {one["type"] for one in runs.values()} == {"DESTROY"}
    assert ends["reports"] <= min(runs[name]["createdAt"] for name in names[1:3])
    assert max(ends[name] for name in names[1:3]) <= runs["warehouse"]["createdAt"]


def test_the_connections_file_is_one() -> None:
    path = EXAMPLES / "settings" / "connections.yaml"

    parsed = connections.parse_connections(yaml.safe_load(path.read_text()), str(path))

    assert sorted(parsed) == ["default", "sandbox"]
    assert not parsed["sandbox"].allowed.serves("elsewhere")


async def test_production_waits_for_its_soak_a_person_and_office_hours(
    release: chains.Installation,
) -> None:
    """With seconds for the hour, and with office hours that start within two minutes."""
    account = await release.add_account("office-hours", account_of_dev())
    spec = example("office-hours")["spec"]
    opens_at = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    opens_at += datetime.timedelta(minutes=2)
    dev, prod = spec["stages"]
    window = {"cron": f"{opens_at:%M %H} * * *", "durationSeconds": 28800}
    chain = await release.create(
        "office-hours",
        *spec["roots"]["stackIds"],
        account=account,
        stages=[dev, prod | {"soakSeconds": 3, "window": window}],
    )
    await chain.shows("AwaitingApproval")
    before = await account.runs()
    await release.stackchains.annotate("office-hours", approve="1: prod")
    left = opens_at - datetime.datetime.now(datetime.UTC)
    await chain.ends("RunSucceeded", seconds=max(left.total_seconds(), 0.0) + chains.SECONDS)

    dev_runs = [await account.only_run(stack) for stack in ("shop-dev", "shop-dev-site")]
    prod_runs = [await account.only_run(stack) for stack in ("shop-prod", "shop-prod-site")]
    assert [run["stackId"] for run in before] == ["shop-dev", "shop-dev-site"]
    soaked_at = dev_runs[1]["history"][-1]["at"] + 3
    assert all(run["createdAt"] >= soaked_at for run in prod_runs)
    assert all(run["createdAt"] >= opens_at.timestamp() for run in prod_runs)
