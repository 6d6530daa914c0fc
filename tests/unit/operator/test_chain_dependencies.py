"""`spec.dependsOn`: a run waits for other chains, and what happens to them wakes it at once."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.requests import handled_asks
from controller.kube import errors as kube_errors
from tests.support.builders import T0, make_stack
from tests.unit.operator.fakes import NAME, NAMESPACE, Bench

DEPENDS_ON = {"dependsOn": [{"name": "network"}]}
SUCCEEDED = make_stack("a", v1alpha1.Phase.SUCCEEDED)


def network(bench: Bench, ready: str = "True", reason: str = "RunSucceeded", **spec: Any) -> None:
    """Let the other chain be there, as some operator has left it."""
    put(bench, "network", ready, reason, **spec)


def put(bench: Bench, name: str, ready: str, reason: str, **spec: Any) -> dict[str, Any]:
    parsed = v1alpha1.read_spec({"roots": {"stackIds": ["n"]}, **spec})
    digest = handled_asks.spec_digest(parsed)
    body: dict[str, Any] = {
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "uid": f"uid-{name}",
            "generation": 1,
            "annotations": {},
        },
        "spec": {"roots": {"stackIds": ["n"]}, **spec},
        "status": {
            "observedGeneration": 1,
            "lastHandled": {"spec": digest},
            "conditions": [
                {
                    "type": "Ready",
                    "status": ready,
                    "reason": reason,
                    "message": "",
                    "observedGeneration": 1,
                    "lastTransitionTime": T0,
                }
            ],
        },
    }
    bench.api.put(body)
    return body


def show(bench: Bench, name: str, event: str = "MODIFIED") -> None:
    """Let the watch show a chain as it is."""
    body = bench.api.objects.get((NAMESPACE, name))
    found = body or {"metadata": {"namespace": NAMESPACE, "name": name, "uid": "gone"}}
    bench.dependencies.take_in(event if body else "DELETED", copy.deepcopy(found))


@contextlib.asynccontextmanager
async def waking(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.dependencies.run(bench.reconciler.reconcile))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_run_starts_once_the_other_chain_is_ready_and_is_woken_by_it(
    bench: Bench,
) -> None:
    bench.apply(**DEPENDS_ON)
    show(bench, NAME)
    seen = []
    async with waking(bench):
        await bench.reconcile()
        seen.append(bench.ready)
        for ready, reason in (
            ("Unknown", "Progressing"),
            ("Unknown", "AwaitingConfirmation"),
            ("True", "RunSucceeded"),
        ):
            network(bench, ready, reason)
            show(bench, "network")
            await bench.settle()
            seen.append(bench.ready)

    assert seen == ["Blocked", "WaitingForChain", "Blocked", "Progressing"]
    assert bench.workflows.started == ["spec"]


async def test_what_waits_is_in_the_status_and_an_event_says_so(bench: Bench) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)

    await bench.reconcile()

    pending, conditions = bench.status.pending_run, bench.status.conditions
    assert pending is not None
    assert (pending.cause, bench.ready) == ("Spec", "WaitingForChain")
    assert "'network'" in pending.message
    values = {item.type: item.status for item in conditions}
    assert (values["Ready"], values["Reconciling"], values["Stalled"]) == (
        *("Unknown", "True", "False"),
    )
    assert [event["reason"] for event in bench.api.events] == ["RunPending"]
    assert "'network'" in bench.api.events[0]["message"]


async def test_a_misspelled_name_is_told_with_the_one_that_may_be_meant(bench: Bench) -> None:
    network(bench)
    show(bench, "network", "ADDED")
    bench.apply(dependsOn=[{"name": "netwrk"}])
    await bench.reconcile()
    told = bench.status.condition("Ready")

    bench.api.objects.pop((NAMESPACE, "network"))
    show(bench, "network")
    bench.apply(dependsOn=[{"name": "networ"}])
    await bench.reconcile()
    later = bench.status.condition("Ready")

    assert told is not None
    assert later is not None
    assert "does not exist in this namespace (did you mean 'network'?)" in told.message
    assert "did you mean" not in later.message


async def test_an_operator_that_starts_anew_goes_on_waiting(bench: Bench) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)
    await bench.reconcile()

    bench.restart()
    await bench.reconcile()
    waits = list(bench.workflows.started)
    network(bench)
    # No watch has shown it: the resync looks at whatever waits.
    bench.known.take_in("ADDED", bench.body)
    await bench.resync.once()

    assert (waits, bench.workflows.started) == ([], ["spec"])


async def test_a_chain_that_others_wait_for_may_be_deleted_and_come_back(bench: Bench) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)
    show(bench, NAME)
    said = []
    async with waking(bench):
        await bench.reconcile()
        bench.api.objects[NAMESPACE, "network"]["metadata"]["deletionTimestamp"] = T0
        show(bench, "network")
        await bench.settle()
        said.append(bench.status.conditions[0].message)
        del bench.api.objects[NAMESPACE, "network"]
        show(bench, "network")
        await bench.settle()
        said.append(bench.status.conditions[0].message)
        network(bench)
        show(bench, "network")
        await bench.settle()

    assert ["is being deleted" in said[0], "does not exist" in said[1]] == [True, True]
    assert bench.workflows.started == ["spec"]


async def test_suspended_while_it_waits_it_starts_suspended(bench: Bench) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)
    await bench.reconcile()
    bench.edit(suspend=True)
    await bench.reconcile()
    before = list(bench.workflows.started)
    network(bench)
    await bench.reconcile()

    assert (before, bench.workflows.started) == ([], ["spec"])
    assert bench.workflows.last.execution.number == 1


async def test_a_cancel_while_it_waits_cancels_nothing_and_what_is_asked_stays_asked(
    bench: Bench,
) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)
    await bench.reconcile()
    bench.annotate(cancel="1")
    await bench.reconcile()
    waits = bench.ready
    network(bench)
    await bench.reconcile()

    assert (waits, bench.workflows.started, bench.workflows.sent) == (
        *("WaitingForChain", ["spec"], []),
    )


async def test_deleted_while_it_waits_it_goes_at_once(bench: Bench) -> None:
    network(bench, "Unknown", "Progressing")
    uid = bench.apply(**DEPENDS_ON)
    await bench.reconcile()
    bench.delete()

    assert await bench.reconciler.release(NAMESPACE, NAME, uid)
    assert bench.workflows.started == []


async def test_a_run_of_its_own_that_is_live_goes_on_whatever_the_other_does(
    bench: Bench,
) -> None:
    network(bench)
    bench.apply(**DEPENDS_ON)
    await bench.reconcile()
    bench.workflows.run(make_stack("a", v1alpha1.Phase.RUNNING))
    network(bench, "Unknown", "Progressing")
    await bench.publish()

    assert bench.ready == "Progressing"
    assert bench.status.pending_run is None


async def test_a_time_of_the_schedule_waits_for_the_other_chain_and_is_one_run_then(
    bench: Bench,
) -> None:
    network(bench, "Unknown", "Progressing")
    bench.clock.set("2026-03-05T05:30:00Z")
    bench.apply(**DEPENDS_ON, startPolicy="OnRequest", schedule={"cron": "0 6 * * *"})
    await bench.reconcile()
    bench.clock.set("2026-03-05T06:00:01Z")
    await bench.ask(scheduled_time="2026-03-05T06:00:00Z")
    pending = bench.status.pending_run
    bench.clock.set("2026-03-05T09:00:00Z")
    network(bench)
    await bench.reconcile()
    await bench.reconcile()

    assert pending is not None
    assert (pending.cause, pending.scheduled_time) == ("Schedule", "2026-03-05T06:00:00Z")
    assert bench.workflows.started == ["schedule"]


async def test_chains_that_wait_for_each_other_are_stalled_until_one_lets_go(
    bench: Bench,
) -> None:
    put(bench, "network", "Unknown", "WaitingForChain", dependsOn=[{"name": NAME}])
    bench.apply(**DEPENDS_ON)
    for name in (NAME, "network"):
        show(bench, name)
    async with waking(bench):
        await bench.reconcile()
        stalled = bench.status.condition("Stalled")
        network(bench)
        show(bench, "network")
        await bench.settle()

    assert stalled is not None
    assert (stalled.status, stalled.reason) == ("True", "ChainCycle")
    assert bench.ready == "Progressing"
    assert bench.workflows.started == ["spec"]


@pytest.mark.parametrize("is_there_again", [False, True])
async def test_a_chain_whose_deletion_was_missed_is_on_no_cycle_any_more(
    bench: Bench, *, is_there_again: bool
) -> None:
    put(bench, "network", "Unknown", "WaitingForChain", dependsOn=[{"name": NAME}])
    bench.apply(**DEPENDS_ON)
    for name in (NAME, "network"):
        show(bench, name)
        bench.known.take_in("ADDED", bench.api.objects[NAMESPACE, name])
    await bench.reconcile()
    stalled = bench.status.condition("Stalled")
    del bench.api.objects[NAMESPACE, "network"]
    if is_there_again:
        put(bench, "network", "Unknown", "WaitingForChain", dependsOn=[{"name": NAME}])
        again = bench.api.objects[NAMESPACE, "network"]
        again["metadata"]["uid"] = "another"
        show(bench, "network")
        bench.known.take_in("ADDED", again)
    bench.watches.listings += 1

    async with waking(bench):
        await bench.resync.once()
        await bench.settle()

    assert stalled is not None
    assert stalled.reason == "ChainCycle"
    assert bench.ready == ("ChainCycle" if is_there_again else "Blocked")


async def test_only_who_waits_for_a_chain_is_woken_and_only_by_what_matters(
    bench: Bench,
) -> None:
    network(bench, "Unknown", "Progressing")
    bench.apply(**DEPENDS_ON)
    woken: list[str] = []

    async def reconcile(_: str, name: str) -> None:
        woken.append(name)

    for name in (NAME, "network"):
        show(bench, name)
    put(bench, "other", "True", "RunSucceeded")
    show(bench, "other")
    task = asyncio.create_task(bench.dependencies.run(reconcile))
    await bench.settle()
    first = list(woken)
    # Nothing of it matters: it is as far from being Ready as it was.
    bench.api.objects[NAMESPACE, "network"]["status"]["stacks"] = []
    show(bench, "network")
    await bench.settle()
    again = list(woken)
    network(bench)
    show(bench, "network")
    await bench.settle()
    task.cancel()

    assert (first, again, woken) == ([NAME], [NAME], [NAME, NAME])


async def test_a_pass_that_fails_leaves_the_others_to_be_woken(bench: Bench) -> None:
    bench.apply(**DEPENDS_ON)
    show(bench, NAME)
    tried: list[str] = []

    async def reconcile(_: str, name: str) -> None:
        tried.append(name)
        raise kube_errors.ApiUnreachable("away")

    task = asyncio.create_task(bench.dependencies.run(reconcile))
    for reason in ("Progressing", "AwaitingConfirmation"):
        network(bench, "Unknown", reason)
        show(bench, "network")
        await bench.settle()
    is_running = not task.done()
    task.cancel()

    assert (tried, is_running) == ([NAME, NAME], True)


async def test_a_chain_that_cannot_be_read_is_waited_for(bench: Bench) -> None:
    network(bench)
    bench.api.objects[NAMESPACE, "network"]["spec"] = {"roots": {}}
    bench.apply(**DEPENDS_ON)

    await bench.reconcile()

    assert bench.ready == "Blocked"
    assert "cannot read" in bench.status.conditions[0].message


async def test_while_the_api_server_does_not_say_how_the_other_stands_nothing_starts(
    bench: Bench,
) -> None:
    network(bench)
    bench.apply(**DEPENDS_ON)
    bench.api.before["GET"] = lambda: bench.api.failures["GET"].extend(
        [kube_errors.ApiUnreachable("away")]
    )

    with pytest.raises(kube_errors.KubeError):
        await bench.reconcile()

    assert bench.workflows.started == []
