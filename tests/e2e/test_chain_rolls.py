"""A chain on its way: applied with the Kubernetes API, run in Spacelift, shown in the status."""

import asyncio
import collections
import itertools
from typing import Any

from devenv import simulator_process
from tests.support import chains
from tests.support.chains import account_document, ended_at
from tests.support.processes import kubectl
from tests.support.waiting import eventually, stays


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """Return how many runs overlapped at most."""
    marks = [(run["createdAt"], 1) for run in runs] + [(ended_at(run), -1) for run in runs]
    return max(itertools.accumulate(step for _, step in sorted(marks)))


async def test_a_chain_is_ready_when_all_its_stacks_have_succeeded_and_not_before(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("diamond", account_document("a -> b -> d", "a -> c -> d"))

    async with chains.Story(parts, release.chain("diamond")) as story:
        chain = await release.create("diamond", "a", account=account)
        status = await chain.ends("RunSucceeded")

    told = chains.undisturbed(story.statuses)
    ready = chains.distinct(chains.ready(item)["status"] for item in told)
    progress = [item["latestRun"].get("progress", "") for item in told]
    assert ready == ["Unknown", "True"]
    assert progress == sorted(progress)
    assert progress[-1] == "4/4"
    assert set(chains.phases(status).values()) == {"Succeeded"}
    assert status["observedGeneration"] == 1
    assert {item["observedGeneration"] for item in status["conditions"]} == {1}
    assert (status["graph"]["stacks"], status["graph"]["edges"]) == (4, 4)
    assert status["latestRun"]["workflowUrl"].startswith("http://temporal.example.com/namespaces/")


async def test_runs_that_spacelift_queues_are_used_and_none_is_triggered_beside_them(
    release: chains.Installation,
) -> None:
    account = await release.add_account("adopts", account_document("a -> b -> d", "a -> c -> d"))

    chain = await release.create("adopts", "a", account=account)
    status = await chain.ends("RunSucceeded")

    triggered_by = {run["stackId"]: run["triggeredBy"] for run in await account.runs()}
    runs = {stack_id: await account.only_run(stack_id) for stack_id in "abcd"}
    assert triggered_by["a"] == f"api::{simulator_process.API_KEY.id}"
    assert (triggered_by["b"], triggered_by["c"]) == ("a", "a")
    assert triggered_by["d"] in ("b", "c")
    assert {run["state"] for run in runs.values()} == {"FINISHED"}
    for row in status["stacks"]:
        assert row["runId"] == runs[row["id"]]["id"]
        assert row["runUrl"] == f"{account.url}/stack/{row['id']}/run/{row['runId']}"
        assert row["delta"] == {"added": 1, "changed": 0, "deleted": 0}


async def test_kubectl_wait_returns_once_the_chain_has_succeeded(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("waits", account_document("a -> b", duration=1))

    await release.create("waits", "a", account=account)
    code, output = await kubectl(
        parts.control_plane,
        *("wait", "--for=condition=Ready", "stackchain/waits"),
        *("--namespace", release.namespace, f"--timeout={chains.SECONDS:.0f}s"),
    )

    assert code == 0, output
    assert {run["state"] for run in await account.runs()} == {"FINISHED"}


async def test_kubectl_get_shows_reason_and_progress(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("columns", account_document("a -> b"))

    chain = await release.create("columns", "a", account=account)
    await chain.ends("RunSucceeded")
    code, output = await kubectl(
        parts.control_plane, "get", "schain", "columns", "-n", release.namespace
    )

    heading, row = output.splitlines()
    assert code == 0
    assert heading.split()[:6] == ["NAME", "READY", "REASON", "RUN", "OPERATION", "PROGRESS"]
    assert row.split()[:6] == ["columns", "True", "RunSucceeded", "1", "Apply", "2/2"]


async def test_each_transition_is_told_once_by_an_event(release: chains.Installation) -> None:
    account = await release.add_account("events", account_document("a -> b"))

    chain = await release.create("events", "a", account=account)
    await chain.ends("RunSucceeded")

    told = collections.Counter(await chain.events("RunSucceeded"))
    assert [told[reason] for reason in ("RunStarted", "GraphResolved", "RunSucceeded")] == [1, 1, 1]
    # Stacks that start or end between two writes of the status share an Event.
    assert set(told) - {"RunStarted", "GraphResolved", "RunSucceeded"} <= {
        *("StackStarted", "StackSucceeded"),
    }
    succeeded = " ".join(await chain.told("StackSucceeded"))
    assert [succeeded.count(f"'{stack_id}'") for stack_id in "ab"] == [1, 1]


async def test_labels_order_stacks_that_spacelift_does_not_connect(
    release: chains.Installation,
) -> None:
    document = account_document(
        stacks={"a": {}, "b": {"labels": ["dependsOn:a"]}, "c": {"labels": ["dependsOn:b"]}}
    )
    account = await release.add_account("labels", document)

    chain = await release.create("labels", "a", account=account)
    status = await chain.ends("RunSucceeded")

    runs = [await account.only_run(stack_id) for stack_id in "abc"]
    assert [row["level"] for row in status["stacks"]] == [0, 1, 2]
    assert {run["triggeredBy"] for run in runs} == {f"api::{simulator_process.API_KEY.id}"}
    assert ended_at(runs[0]) <= runs[1]["createdAt"]
    assert ended_at(runs[1]) <= runs[2]["createdAt"]


async def test_labels_are_left_out_where_only_dependencies_are_asked_for(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"x": {"labels": ["dependsOn:a"]}})
    account = await release.add_account("nolabels", document)

    chain = await release.create(
        "nolabels", "a", account=account, graph={"sources": ["Dependencies"]}
    )
    status = await chain.ends("RunSucceeded")

    assert sorted(chains.phases(status)) == ["a", "b"]
    assert await account.runs("x") == []


async def test_parallelism_bounds_what_runs_and_an_edit_reaches_the_live_run(
    release: chains.Installation,
) -> None:
    names = [f"s{number}" for number in range(8)]
    account = await release.add_account("width", account_document(stacks=names, duration=600))

    chain = await release.create("width", *names, account=account, parallelism=2)

    async def runs(count: int) -> bool:
        return len(await account.runs()) == count

    await eventually(lambda: runs(2), chains.SECONDS, what="two run")
    await stays(lambda: runs(2), 1, what="two run, and no more")
    await account.pass_time()
    await eventually(lambda: runs(4), chains.SECONDS, what="the next two run")
    await release.stackchains.set_spec("width", parallelism=8)
    await eventually(lambda: runs(8), chains.SECONDS, what="all run that are left")
    await account.hurry()
    status = await chain.ends("RunSucceeded")

    assert most_at_once((await account.runs())[:4]) == 2
    assert most_at_once(await account.runs()) == 6
    assert status["observedGeneration"] == 2
    assert status["latestRun"]["number"] == 1


async def test_a_run_that_waits_for_a_person_is_shown_with_its_link_and_goes_on_once_confirmed(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"a": {"autodeploy": False}})
    account = await release.add_account("confirms", document)

    chain = await release.create("confirms", "a", account=account)
    waiting = await chain.shows("AwaitingConfirmation")
    run = await account.only_run("a")
    link = f"{account.url}/stack/a/run/{run['id']}"
    assert chains.ready(waiting)["status"] == "Unknown"
    assert link in chains.ready(waiting)["message"]
    assert chains.condition(waiting, "AwaitingConfirmation")["status"] == "True"
    assert link in chains.condition(waiting, "AwaitingConfirmation")["message"]
    assert chains.stack(waiting, "a")["phase"] == "AwaitingConfirmation"
    assert waiting["latestRun"]["summary"]["awaitingConfirmation"] == 1

    await account.act(run["id"], "confirm")
    status = await chain.ends("RunSucceeded")

    assert chains.condition(status, "AwaitingConfirmation")["status"] == "False"
    assert await chain.told("AwaitingConfirmation")


async def test_a_run_that_an_approval_policy_holds_says_so(release: chains.Installation) -> None:
    document = account_document(stacks={"a": {"requiresApproval": True}})
    account = await release.add_account("approves", document)

    chain = await release.create("approves", "a", account=account)
    waiting = await chain.shows("AwaitingConfirmation")
    assert chains.stack(waiting, "a")["reason"] == "NeedsApproval"

    await account.act((await account.only_run("a"))["id"], "approve")

    await chain.ends("RunSucceeded")


async def test_a_run_in_progress_has_its_start_and_counts_in_the_summary(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"a": {"durations": 600}})
    account = await release.add_account("summary", document)

    chain = await release.create("summary", "a", account=account)
    running = await chain.until(lambda status: chains.phases(status).get("a") == "Running")
    summary = running["latestRun"]["summary"]
    assert summary["running"] == 1
    assert sum(count for name, count in summary.items() if name != "total") == summary["total"] == 2
    assert chains.stack(running, "a")["startTime"]
    assert chains.stack(running, "b")["reason"] == "UpstreamPending"
    assert "'a'" in chains.stack(running, "b")["message"]

    await account.hurry()
    status = await chain.ends("RunSucceeded")
    assert status["latestRun"]["summary"]["succeeded"] == 2


async def test_two_chains_side_by_side_do_not_disturb_each_other(
    release: chains.Installation,
) -> None:
    account = await release.add_account("beside", account_document("a -> b", "x -> y"))

    first = await release.create("beside-1", "a", account=account)
    second = await release.create("beside-2", "x", account=account)

    await asyncio.gather(first.ends("RunSucceeded"), second.ends("RunSucceeded"))
    for stack_id in "abxy":
        await account.only_run(stack_id)


async def version_at_rest(chain: chains.Chain) -> str:
    """Return the version of a chain once it stays the same for a while."""

    async def unchanged() -> str | None:
        before = (await chain.body())["metadata"]["resourceVersion"]
        await asyncio.sleep(1)
        return before if (await chain.body())["metadata"]["resourceVersion"] == before else None

    version = await eventually(unchanged, chains.SECONDS, what=f"{chain.name} is at rest")
    assert version is not None
    return version


async def test_no_second_status_is_written_for_a_chain_that_is_done(
    release: chains.Installation,
) -> None:
    """A chain at rest costs no writes, however often the resync passes."""
    account = await release.add_account("quiet", account_document(stacks=["a"]))
    chain = await release.create("quiet", "a", account=account)
    await chain.ends("RunSucceeded")

    # kopf's own annotation may still be on its way.
    before = await version_at_rest(chain)
    other = await release.create("quiet-2", "a", account=account)
    await other.ends("RunSucceeded")

    async def is_done() -> bool:
        return len(await account.runs("a")) == 2

    await eventually(is_done)
    assert (await chain.body())["metadata"]["resourceVersion"] == before
