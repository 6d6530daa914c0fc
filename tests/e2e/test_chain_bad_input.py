"""What keeps a chain from running: shown with its reason, and gone as soon as its cause is."""

import pytest

from devenv import simulator_process
from tests.support import chains
from tests.support.chains import account_document
from tests.support.waiting import eventually, stays

Body = chains.Body


def assert_stalled(status: Body, *words: str) -> None:
    """Check that a status asks a person to act, and that its message has the words."""
    ready = chains.ready(status)
    assert ready["status"] == "False", chains.explain(status)
    assert chains.condition(status, "Stalled")["status"] == "True"
    assert chains.condition(status, "Reconciling")["status"] == "False"
    for word in words:
        assert word in ready["message"]


def assert_retrying(status: Body, *words: str) -> None:
    """Check that a status says what is wrong and that it is tried again."""
    ready = chains.ready(status)
    assert ready["status"] == "False", chains.explain(status)
    assert chains.condition(status, "Stalled")["status"] == "False"
    assert chains.condition(status, "Reconciling")["status"] == "True"
    for word in words:
        assert word in ready["message"]


async def test_a_retry_that_cannot_begin_runs_only_what_failed_once_it_can(
    release: chains.Installation,
) -> None:
    account = await release.add_account("stuck", account_document("a -> b", "a -> c"))
    await account.script("b", "fail", "changes")
    chain = await release.create("stuck", "a", account=account)
    await chain.ends("StackFailed")

    await account.admin("POST", "/stacks/a/reslug", {"id": "renamed"})
    await release.stackchains.annotate("stuck", retry="1")
    stuck = await chain.ends("UnknownStack", number=2)
    await account.admin("POST", "/stacks/renamed/reslug", {"id": "a"})
    status = await chain.shows("RunSucceeded")

    assert chains.reasons(stuck) == {"a": "Kept", "c": "Kept"}
    assert chains.reasons(status) == {"a": "Kept", "b": "RunFinished", "c": "Kept"}
    assert [len(await account.runs(name)) for name in "abc"] == [1, 2, 1]
    assert status["latestRun"]["attempt"] > 1


async def test_an_unknown_root_runs_nothing_until_the_stack_appears(
    release: chains.Installation,
) -> None:
    account = await release.add_account("unknown", account_document("a -> b"))

    chain = await release.create("unknown", "a", "later", account=account)
    status = await chain.shows("UnknownStack")
    assert_stalled(status, "'later'", "spec.roots.stackIds")
    assert chains.condition(status, "GraphResolved")["status"] == "False"
    assert await account.runs() == []

    await account.add_stack("later")
    status = await chain.shows("RunSucceeded")
    assert sorted(chains.phases(status)) == ["a", "b", "later"]
    assert status["latestRun"]["number"] == 1
    for stack_id in ("a", "b", "later"):
        await account.only_run(stack_id)


async def test_a_cycle_is_named_stack_by_stack_and_passes_once_it_is_cut(
    release: chains.Installation,
) -> None:
    document = account_document("a -> b -> c", stacks={"a": {"labels": ["dependsOn:c"]}})
    account = await release.add_account("cycle", document)

    chain = await release.create("cycle", "a", account=account)
    status = await chain.shows("GraphCycle")
    assert_stalled(status, " -> b -> ", "dependsOn:")
    assert await account.runs() == []

    await account.admin("PATCH", "/stacks/a", {"labels": []})
    await chain.shows("RunSucceeded")


async def test_a_dependent_that_the_key_cannot_see_runs_nothing_until_it_can(
    release: chains.Installation,
) -> None:
    document = account_document(
        "a -> b", spaces={"open": {}, "secret": {}}, stacks={"b": {"space": "secret"}}
    )
    document["defaults"]["stack"]["space"] = "open"
    account = await release.add_account("hidden", document)
    secret = simulator_process.API_KEY.secret
    key = f"/keys/{simulator_process.API_KEY.id}"
    await account.admin("PUT", key, {"secret": secret, "spaces": ["open"]})

    chain = await release.create("hidden", "a", account=account)
    status = await chain.shows("DependentNotVisible")
    assert_stalled(status, "'b' (depends on 'a')", "space")
    assert await account.runs() == []

    await account.admin("PUT", key, {"secret": secret, "spaces": ["open", "secret"]})
    await chain.shows("RunSucceeded")


@pytest.mark.parametrize("mode", ["A", "B"])
@pytest.mark.parametrize("wrong_secret", ["error", "null"])
async def test_a_wrong_key_is_told_until_a_valid_one_is_mounted(
    release: chains.Installation, mode: str, wrong_secret: str
) -> None:
    name = f"key-{mode}-{wrong_secret}".lower()
    document = account_document(
        "a -> b", behavior={"unauthorizedMode": mode, "wrongSecret": wrong_secret}
    )
    account = await release.add_account(name, document)
    secret = release.key_files(name)[1]
    secret.write_text("mistyped")

    chain = await release.create(name, "a", account=account)
    status = await chain.shows("CredentialsRejected")
    assert_stalled(status, "API key")
    assert "mistyped" not in str(status)
    assert await account.runs() == []

    secret.write_text(simulator_process.API_KEY.secret)
    await chain.shows("RunSucceeded")


@pytest.mark.parametrize("mode", ["A", "B"])
async def test_a_key_that_is_revoked_before_the_chain_is_told_until_it_is_back(
    release: chains.Installation, mode: str
) -> None:
    """In mode A every list is empty then, which must not look like an account without stacks."""
    name = f"revoked-{mode}".lower()
    document = account_document("a -> b", behavior={"unauthorizedMode": mode})
    account = await release.add_account(name, document)
    warm = await release.create(f"{name}-warm", "b", account=account)
    await warm.ends("RunSucceeded")
    key = f"/keys/{simulator_process.API_KEY.id}"
    await account.admin("DELETE", key)

    chain = await release.create(name, "a", account=account)
    status = await chain.shows("CredentialsRejected")
    assert_stalled(status, "API key")
    assert await account.runs("a") == []

    await account.admin("PUT", key, {"secret": simulator_process.API_KEY.secret})
    await chain.shows("RunSucceeded")


async def test_a_problem_that_stays_is_written_once(release: chains.Installation) -> None:
    """Each pass of the resync checks it again; a status that changes would report nothing new."""
    account = await release.add_account("once", account_document("a -> b"))
    chain = await release.create("once", "a", account=account)
    await chain.ends("RunSucceeded")

    release.connect("once", allowedNamespaces=["elsewhere"])
    # At rest nothing looks at a connection; a request does.
    await release.stackchains.annotate("once", run="monday")
    await chain.shows("NamespaceNotAllowed")
    told = await chain.body()

    # kopf's own annotation may still be on its way, so the versions may differ once.
    async def is_as_told() -> bool:
        body = await chain.body()
        return bool(body["status"] == told["status"])

    await stays(is_as_told, 3)
    assert told["status"]["latestRun"]["phase"] == "Succeeded"
    release.connect("once")
    await chain.ends("RunSucceeded", number=2)


@pytest.mark.parametrize("outage", ["refuse", "error"])
async def test_a_chain_that_is_applied_while_spacelift_is_down_goes_on_by_itself(
    release: chains.Installation, outage: str
) -> None:
    name = f"down-{outage}"
    account = await release.add_account(name, account_document("a -> b"))
    await account.outage(outage)

    chain = await release.create(name, "a", account=account)
    status = await chain.shows("SpaceliftUnreachable")
    assert_retrying(status)
    assert status["latestRun"]["phase"] == "Pending"

    await account.outage("off")
    status = await chain.ends("RunSucceeded")
    assert status["latestRun"]["number"] == 1
    for stack_id in "ab":
        await account.only_run(stack_id)


async def test_an_outage_of_spacelift_midway_is_told_and_changes_nothing(
    release: chains.Installation,
) -> None:
    """Short ones stay unseen, so this one has to last."""
    document = account_document("a -> b", stacks={"a": {"durations": 600}})
    account = await release.add_account("midway", document)
    chain = await release.create("midway", "a", account=account)
    await chain.until(lambda status: chains.phases(status).get("a") == "Running")

    await account.outage("reset")
    status = await chain.shows("SpaceliftUnreachable")
    assert_retrying(status, "'a'")

    await account.outage("off")
    await account.hurry()
    status = await chain.ends("RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)


async def test_what_stays_wrong_is_looked_at_again_without_a_flicker(
    release: chains.Installation, parts: chains.Parts
) -> None:
    account = await release.add_account("stays", account_document(stacks=["a"]))
    chain = await release.create("stays", "nowhere", account=account)
    async with chains.Story(parts, chain) as story:
        await chain.shows("UnknownStack")
        await chain.until(lambda status: status["latestRun"]["attempt"] >= 4)

    told = chains.undisturbed(story.statuses)
    shown = chains.distinct(chains.ready(status)["reason"] for status in told)
    assert shown[-1] == "UnknownStack"
    assert len(shown) <= 2
    # Once, but for an outage in between, after which it is reported again.
    everything = chains.distinct(chains.ready(status)["reason"] for status in story.statuses)
    times = everything.count("UnknownStack")
    assert len(await chain.told("UnknownStack", times)) == times


async def test_what_is_corrected_in_the_spec_runs_at_once(release: chains.Installation) -> None:
    account = await release.add_account("corrected", account_document(stacks=["a"]))
    chain = await release.create("corrected", "nowhere", account=account)
    await chain.shows("UnknownStack")

    await release.stackchains.set_spec("corrected", roots={"stackIds": ["a"]})

    status = await chain.ends("RunSucceeded", number=2)
    assert status["observedGeneration"] == 2


async def test_twenty_chains_at_once_with_one_in_four_wrong(release: chains.Installation) -> None:
    account = await release.add_account(
        "many", account_document(*(f"a{n} -> b{n}" for n in range(20)))
    )
    roots = [f"a{n}" if n % 4 else "nowhere" for n in range(20)]

    for number, root in enumerate(roots):
        await release.create(f"many-{number}", root, account=account)
    expected = {
        f"many-{number}": "UnknownStack" if root == "nowhere" else "RunSucceeded"
        for number, root in enumerate(roots)
    }

    async def are_told() -> bool:
        statuses = await release.statuses()
        shown = {name: chains.ready(statuses.get(name, {})).get("reason") for name in expected}
        assert shown == expected
        return True

    await eventually(are_told, chains.SECONDS)
    assert len(await account.runs()) == 30


async def test_a_live_run_is_shown_to_its_end_while_its_spec_cannot_be_read(
    release: chains.Installation,
) -> None:
    """The API server knows no time zones, so it takes the edit."""
    document = account_document("a -> b", stacks={"a": {"autodeploy": False}})
    account = await release.add_account("unreadable", document)
    chain = await release.create("unreadable", "a", account=account)
    await chain.shows("AwaitingConfirmation")

    nowhere = {"cron": "0 6 * * *", "durationSeconds": 3600, "timeZone": "Mars/Olympus"}
    await release.stackchains.set_spec("unreadable", window=nowhere)
    await chain.shows("InvalidSpec")
    await account.act((await account.only_run("a"))["id"], "confirm")
    status = await chain.until(lambda status: status["latestRun"].get("completionTime"))

    assert chains.ready(status)["reason"] == "InvalidSpec"
    assert "Mars/Olympus" in chains.ready(status)["message"]
    assert status["latestRun"]["phase"] == "Succeeded"
    assert chains.phases(status) == {"a": "Succeeded", "b": "Succeeded"}
    await chain.events("RunStarted", "RunSucceeded")
    for stack_id in "ab":
        await account.only_run(stack_id)
