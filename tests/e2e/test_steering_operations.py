"""Plan and Destroy, and the policies that say how a chain runs."""

import itertools
import json

from devenv import simulator_process
from tests.support import account_runs, chains
from tests.support.chains import account_document
from tests.support.processes import kubectl

OUR_KEY = f"api::{simulator_process.API_KEY.id}"
ALL_OPERATIONS = ["Plan", "Apply", "Destroy"]


async def test_a_plan_makes_proposed_runs_shows_each_delta_and_applies_nothing(
    release: chains.Installation, parts: chains.Parts
) -> None:
    deltas = {"a": {"add": 3, "change": 1}, "b": {"delete": 2}}
    document = account_document(
        "a -> b -> c",
        stacks={
            **{name: {"outcomes": [{"delta": delta}]} for name, delta in deltas.items()},
            "c": {"outcomes": ["no-op"]},
        },
    )
    account = await release.add_account("plan", document)

    chain = await release.create("plan", "a", account=account, operation="Plan")
    status = await chain.ends("RunSucceeded")
    code, shown = await kubectl(
        parts.control_plane, "get", "schain", "plan", "-n", release.namespace, "-o", "json"
    )

    runs = await account.runs()
    assert {(run["type"], run["state"]) for run in runs} == {("PROPOSED", "FINISHED")}
    assert not {"APPLYING", "CONFIRMED"} & set(
        itertools.chain.from_iterable(map(account_runs.states, runs))
    )
    assert code == 0
    assert {row["id"]: row["delta"] for row in json.loads(shown)["status"]["stacks"]} == {
        "a": {"added": 3, "changed": 1, "deleted": 0},
        "b": {"added": 0, "changed": 0, "deleted": 2},
        "c": {"added": 0, "changed": 0, "deleted": 0},
    }
    assert status["latestRun"]["operation"] == "Plan"
    _, line = await kubectl(
        *(parts.control_plane, "get", "schain", "plan", "-n", release.namespace, "--no-headers")
    )
    assert line.split()[:6] == ["plan", "True", "RunSucceeded", "1", "Plan", "3/3"]


async def test_a_plan_goes_beside_a_run_that_waits_for_a_person(
    release: chains.Installation,
) -> None:
    document = account_document(stacks={"a": {"autodeploy": False}})
    account = await release.add_account("beside", document)
    await account.trigger("a")
    waiting = await account.run_in("a", "UNCONFIRMED")

    chain = await release.create("beside", "a", account=account, operation="Plan")
    await chain.ends("RunSucceeded")

    left, planned = await account.runs("a")
    assert (left["id"], left["state"]) == (waiting["id"], "UNCONFIRMED")
    assert planned["type"] == "PROPOSED"


async def test_a_plan_plans_what_depends_on_a_failed_stack(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"a": {"outcomes": ["fail:planning"]}})
    account = await release.add_account("continues", document)

    chain = await release.create("continues", "a", account=account, operation="Plan")
    status = await chain.ends("StackFailed")

    assert chains.phases(status) == {"a": "Failed", "b": "Succeeded"}
    assert {run["type"] for run in await account.runs()} == {"PROPOSED"}


async def test_destroy_goes_from_the_dependents_to_the_root(release: chains.Installation) -> None:
    account = await release.add_account(
        "destroys", account_document("a -> b -> d", "a -> c"), allowedOperations=ALL_OPERATIONS
    )

    chain = await release.create(
        *("destroys", "a"), account=account, operation="Destroy", destroyConfirmation="destroys"
    )
    await chain.shows("NotRequested")
    await release.stackchains.annotate("destroys", run="now")
    status = await chain.ends("RunSucceeded")
    await release.stackchains.delete("destroys")
    await chain.is_gone()

    runs = {run["stackId"]: run for run in await account.runs()}
    assert len(await account.runs()) == 4
    assert {(run["type"], run["state"]) for run in runs.values()} == {("DESTROY", "FINISHED")}
    for upstream, dependent in (("b", "d"), ("a", "b"), ("a", "c")):
        assert account_runs.ended_at(runs[dependent]) <= account_runs.started_at(runs[upstream])
    assert {row["id"]: row["level"] for row in status["stacks"]} == {"d": 0, "c": 0, "b": 1, "a": 2}
    assert status["latestRun"]["operation"] == "Destroy"


async def test_nothing_is_destroyed_while_a_stack_outside_depends_on_the_chain(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> b", "b -> outside", stacks={"labelled": {"labels": ["dependsOn:a"]}}
    )
    account = await release.add_account("outside", document, allowedOperations=ALL_OPERATIONS)

    chain = await release.create(
        *("outside", "a", "b"),
        account=account,
        operation="Destroy",
        destroyConfirmation="outside",
        graph={"direction": "RootsOnly", "sources": ["Dependencies"]},
    )
    await chain.shows("NotRequested")
    await release.stackchains.annotate("outside", run="now")
    refused = await chain.shows("DependentOutside")
    assert chains.condition(refused, "Stalled")["status"] == "True"
    for text in ("'outside' (depends on 'b')", "'labelled' (depends on 'a')"):
        assert text in chains.ready(refused)["message"]

    await account.admin("PATCH", "/stacks/labelled", {"labels": []})
    await chain.until(
        lambda status: (
            chains.ready(status)["reason"] == "DependentOutside"
            and "labelled" not in chains.ready(status)["message"]
        )
    )
    assert await account.runs() == []

    await account.admin("DELETE", "/edges", {"stack": "outside", "dependsOn": "b"})
    status = await chain.shows("RunSucceeded")

    assert status["latestRun"]["number"] == 1
    account_runs.assert_one_after_the_other(await account.runs(), "b", "a")
    assert await account.runs("outside") == []


async def test_deleting_the_resource_keeps_what_is_not_destroyed_yet(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b", stacks={"b": {"durations": {"destroying": 600}}})
    account = await release.add_account("keeps", document, allowedOperations=ALL_OPERATIONS)
    chain = await release.create(
        *("keeps", "a"), account=account, operation="Destroy", destroyConfirmation="keeps"
    )
    await chain.shows("NotRequested")
    await release.stackchains.annotate("keeps", run="now")
    await account.run_in("b", "DESTROYING")

    await release.stackchains.delete("keeps")
    await chain.shows("Deleting")
    await account.hurry()
    await chain.is_gone()

    assert (await account.only_run("b"))["state"] == "FINISHED"
    assert await account.runs("a") == []


async def test_deleting_a_chain_that_applied_destroys_nothing(release: chains.Installation) -> None:
    account = await release.add_account(
        "stays", account_document("a -> b"), allowedOperations=ALL_OPERATIONS
    )
    chain = await release.create("stays", "a", account=account)
    await chain.ends("RunSucceeded")
    before = await account.runs()

    await release.stackchains.delete("stays")
    await chain.is_gone()

    assert await account.runs() == before
    assert await account.requests("stackDelete") == []


async def test_fail_fast_starts_nothing_more_and_lets_running_stacks_end(
    release: chains.Installation,
) -> None:
    document = account_document(
        stacks={"a": {"outcomes": ["fail:planning"]}, "b": {"durations": 600}, "c": {}, "d": {}},
    )
    account = await release.add_account("fast", document)

    chain = await release.create(
        *("fast", "a", "b", "c", "d"), account=account, parallelism=2, failurePolicy="FailFast"
    )
    await chain.until(lambda status: chains.phases(status).get("d") == "Skipped")
    await account.hurry()
    status = await chain.ends("StackFailed")

    assert chains.phases(status) == {
        **{"a": "Failed", "b": "Succeeded"},
        **{"c": "Skipped", "d": "Skipped"},
    }
    for stack_id in "cd":
        row = chains.stack(status, stack_id)
        assert (row["reason"], row["blockedBy"]) == ("FailFast", "a")
        assert await account.runs(stack_id) == []


async def test_auto_confirms_planned_changes_and_leaves_approvals_to_people(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> b",
        stacks={"a": {"autodeploy": False}, "b": {"autodeploy": False, "requiresApproval": True}},
    )
    account = await release.add_account("auto", document)

    chain = await release.create("auto", "a", account=account, confirmationPolicy="Auto")
    waiting = await chain.shows("AwaitingConfirmation")
    assert chains.reasons(waiting) == {"a": "RunFinished", "b": "NeedsApproval"}
    await account.act((await account.only_run("b"))["id"], "approve")
    await chain.ends("RunSucceeded")

    for stack_id in "ab":
        run = await account.only_run(stack_id)
        confirmed = next(e for e in run["history"] if e["state"] == "CONFIRMED")
        assert confirmed["username"] == OUR_KEY, stack_id


async def test_replace_bounds_all_runs_and_no_native_run_does_work(
    release: chains.Installation,
) -> None:
    leaves = [f"leaf-{number}" for number in range(5)]
    document = account_document(
        *(f"a -> {leaf}" for leaf in leaves), duration=1, stacks={"a": {"autodeploy": False}}
    )
    account = await release.add_account("strict", document)

    chain = await release.create(
        "strict", "a", account=account, nativeRuns="Replace", parallelism=2
    )
    # They are taken back while `a` has not ended, however busy the machine is.
    for leaf in leaves:
        await account.run_in(leaf, "CANCELED")
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")
    await chain.ends("RunSucceeded")

    runs = await account.runs()
    natives = [run for run in runs if run["triggeredBy"] != OUR_KEY]
    assert {run["stackId"] for run in natives} == set(leaves)
    assert account_runs.worked(natives) == []
    worked = account_runs.worked(runs)
    assert sorted(run["stackId"] for run in worked) == ["a", *leaves]
    # That the width is used, too, other tests show, of longer runs.
    assert account_runs.most_at_once(worked) <= 2


async def test_commit_and_environment_reach_the_runs(release: chains.Installation) -> None:
    """The commit is the root's; the environment is for all, so none of them may be native."""
    sha = "4f0c2d9" + "0" * 33
    document = account_document(
        "a -> b", stacks={"a": {"commits": [sha, "f" * 40], "autodeploy": False}}
    )
    account = await release.add_account("passes", document)

    chain = await release.create(
        *("passes", "a"),
        account=account,
        commitSHA=sha,
        runtimeEnvironment=[{"name": "TF_VAR_size", "value": "3"}, {"name": "EMPTY", "value": ""}],
    )
    await account.run_in("b", "CANCELED")
    await account.act((await account.run_in("a", "UNCONFIRMED"))["id"], "confirm")
    await chain.ends("RunSucceeded")

    root, dependent = account_runs.worked(await account.runs())
    assert (root["stackId"], root["commit"]) == ("a", sha)
    assert (dependent["stackId"], dependent["triggeredBy"]) == ("b", OUR_KEY)
    for run in (root, dependent):
        assert run["environment"] == {"TF_VAR_size": "3", "EMPTY": ""}


async def test_on_request_runs_only_what_a_token_asks_for(release: chains.Installation) -> None:
    account = await release.add_account("asked", account_document(stacks=["a", "b"]))

    chain = await release.create("asked", "a", account=account, startPolicy="OnRequest")
    status = await chain.shows("NotRequested")
    assert chains.ready(status)["status"] == "Unknown"
    assert chains.condition(status, "Reconciling")["status"] == "False"
    assert "`stackchain.dev/run`" in chains.ready(status)["message"]
    assert await account.runs() == []

    await release.stackchains.annotate("asked", run="now")
    ended = await chain.ends("RunSucceeded")
    assert ended["latestRun"]["cause"] == "RunToken"
    await release.stackchains.set_spec("asked", roots={"stackIds": ["b"]})
    edited = await chain.shows("NotRequested")

    assert "changed since run 1" in chains.ready(edited)["message"]
    assert await account.runs("b") == []
    await account.only_run("a")


async def test_history_keeps_as_many_runs_as_it_may_newest_first(
    release: chains.Installation,
) -> None:
    account = await release.add_account("history", account_document(stacks=["a"]))
    chain = await release.create("history", "a", account=account, historyLimit=2)
    await chain.ends("RunSucceeded")
    await account.script("a", "fail:planning", "changes")

    status: chains.Body = {}
    for number, reason in ((2, "StackFailed"), (3, "RunSucceeded"), (4, "RunSucceeded")):
        await release.stackchains.annotate("history", run=str(number))
        status = await chain.ends(reason, number=number)

    history = [(item["number"], item["reason"]) for item in status["history"]]
    assert history == [(3, "RunSucceeded"), (2, "StackFailed")]
    assert len(await account.runs("a")) == 4
