"""Resources that are being deleted: what is stopped, what they wait for, when they may go."""

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import gates
from controller.temporal import client as temporal_client
from controller.temporal.activities import chain_status
from tests.support.builders import T0, make_stack
from tests.support.golden import Golden
from tests.unit.operator.fakes import NAME, NAMESPACE, Bench

RUNNING = make_stack("a", Phase.RUNNING)
LEFT = ["parallelism 10", "resume", "orphan"]
SCHEDULED = {"schedule": {"cron": "0 6 * * *"}}


async def deleted(bench: Bench, *stacks: object, **spec: object) -> None:
    """Bring the bench to where a resource with a live run is being deleted."""
    bench.apply(**spec)
    await bench.reconcile()
    bench.workflows.run(*(stacks or (RUNNING,)))
    await bench.publish()
    bench.delete()


async def may_go(bench: Bench) -> bool:
    uid = bench.body["metadata"]["uid"]
    return await bench.reconciler.release(NAMESPACE, NAME, uid)


def message(bench: Bench) -> str:
    ready = bench.status.condition("Ready")
    assert ready is not None
    return ready.message


async def test_a_live_run_is_canceled_and_waited_for(bench: Bench) -> None:
    await deleted(bench)

    first = await may_go(bench)
    said = (bench.ready, message(bench))
    bench.workflows.end()
    second = await may_go(bench)

    assert (first, second) == (False, True)
    assert said[0] == ChainReason.DELETING
    assert "'a'" in said[1]
    assert bench.workflows.sent == ["cancel execution-1"]


@pytest.mark.parametrize(
    "stacks",
    [
        pytest.param(["a"], id="one run"),
        pytest.param(list("abcde"), id="many runs"),
        pytest.param([], id="no run any more"),
    ],
)
async def test_it_says_which_runs_it_waits_for(
    bench: Bench, stacks: list[str], case: str, golden: Golden
) -> None:
    done = make_stack("z", Phase.SUCCEEDED)
    await deleted(bench, *(make_stack(item, Phase.RUNNING) for item in stacks), done)

    await may_go(bench)

    golden("operator_problems").check(f"deleting: {case}", message(bench))


async def test_while_it_waits_it_asks_again_only_now_and_then(bench: Bench) -> None:
    await deleted(bench)

    for _ in range(5):
        await may_go(bench)
    at_once = list(bench.workflows.sent)
    bench.clock.advance(61)
    await may_go(bench)

    assert at_once == ["cancel execution-1"]
    assert bench.workflows.sent == ["cancel execution-1"] * 2


@pytest.mark.parametrize("given", ["no run", "ended run", "past retention", "gone", "recreated"])
async def test_without_a_live_run_it_may_go_at_once(bench: Bench, given: str) -> None:
    uid = bench.apply()
    if given != "no run":
        await bench.reconcile()
        bench.workflows.end()
    if given == "past retention":
        bench.workflows.forget()
    if given in ("gone", "recreated"):
        bench.remove()
    if given == "recreated":
        bench.apply()

    assert await bench.reconciler.release(NAMESPACE, NAME, uid) is True
    assert bench.workflows.sent == []


async def test_orphan_leaves_the_run_alone(bench: Bench) -> None:
    await deleted(bench, deletionPolicy="Orphan")

    assert await may_go(bench) is True
    assert bench.workflows.sent == LEFT


@pytest.mark.parametrize("is_away", [False, True], ids=["at once", "once Temporal is back"])
async def test_what_was_changed_last_holds_for_an_orphan(bench: Bench, is_away: bool) -> None:
    """The operator may have been away for the change, and then see the deletion alone."""
    await deleted(bench, deletionPolicy="Orphan")
    bench.edit(suspend=True, parallelism=7)
    bench.workflows.is_away = is_away

    await may_go(bench)
    bench.workflows.is_away = False
    await bench.reconciler.signal_orphans()

    assert bench.workflows.sent == ["parallelism 7", "suspend", "orphan"]


async def test_an_orphan_that_its_connection_does_not_serve_stays_suspended(bench: Bench) -> None:
    await deleted(bench, deletionPolicy="Orphan", operation="Apply")
    bench.catalog.put("default", operations=("Plan",))

    await may_go(bench)

    assert bench.workflows.sent[-2:] == ["suspend", "orphan"]


async def test_an_orphan_whose_spec_cannot_be_read_is_suspended_as_it_says(bench: Bench) -> None:
    await deleted(bench, deletionPolicy="Orphan")
    bench.edit(roots={"stackIds": "not a list"}, suspend=True)

    assert await may_go(bench) is True
    assert bench.workflows.sent == ["suspend", "orphan"]


@pytest.mark.parametrize(
    "suspend",
    [pytest.param(False, id="goes on"), pytest.param(True, id="suspended")],
)
async def test_an_event_says_what_becomes_of_an_orphan(
    bench: Bench, suspend: bool, case: str, golden: Golden
) -> None:
    await deleted(bench, deletionPolicy="Orphan")
    bench.edit(suspend=suspend)

    await may_go(bench)

    (event,) = [item for item in bench.api.events if item["reason"] == "Orphaned"]
    assert event["type"] == "Normal"
    golden("operator_problems").check(f"orphaned: {case}", event["message"])


STAGES = [
    {"name": "dev", "labels": ["dev"], "approval": "Required"},
    {"name": "qa", "labels": ["qa"], "approval": "Required"},
    {"name": "eu", "labels": ["eu"]},
    {"name": "prod", "labels": ["prod"], "approval": "Required"},
]


@pytest.mark.parametrize("operation", ["Apply", "Plan"])
async def test_an_event_names_the_stage_that_no_one_can_approve_after_the_deletion(
    bench: Bench, operation: str, case: str, golden: Golden
) -> None:
    """`dev` was approved; a plan asks for no approval."""
    bench.apply(deletionPolicy="Orphan", stages=STAGES, operation=operation)
    await bench.reconcile()
    stages = gates.stages_of(bench.chain.spec.stages, v1alpha1.Operation(operation))
    stages[0].approved_at = T0
    running = make_stack("a", Phase.RUNNING, stage="dev")
    later = [make_stack(name, stage=name) for name in ("qa", "eu", "prod")]
    bench.workflows.run(running, *later, stages=stages, operation=operation)
    await bench.publish()
    bench.delete()

    await may_go(bench)

    (event,) = [item for item in bench.api.events if item["reason"] == "Orphaned"]
    golden("operator_problems").check(f"orphaned, with stages: {case}", event["message"])


@pytest.mark.parametrize(
    ("now_required", "is_named"),
    [
        pytest.param((), True, id="it needs an approval in the live run alone"),
        pytest.param(("qa",), False, id="it needs one in the spec alone"),
    ],
)
async def test_the_live_run_says_which_stage_needs_an_approval(
    bench: Bench, now_required: tuple[str, ...], is_named: bool
) -> None:
    """A change of the stages does not affect the live run."""

    def stages(*required: str) -> list[dict[str, object]]:
        return [
            {"name": name, "labels": [name]}
            | ({"approval": "Required"} if name in required else {})
            for name in ("dev", "qa")
        ]

    bench.apply(deletionPolicy="Orphan", stages=stages(*(() if now_required else ("qa",))))
    await bench.reconcile()
    live = gates.stages_of(bench.chain.spec.stages, v1alpha1.Operation.APPLY)
    running = make_stack("a", Phase.RUNNING, stage="dev")
    bench.workflows.run(running, make_stack("qa", stage="qa"), stages=live)
    await bench.publish()
    bench.edit(stages=stages(*now_required))
    bench.delete()

    await may_go(bench)

    (event,) = [item for item in bench.api.events if item["reason"] == "Orphaned"]
    assert ("ends before stage 'qa'" in event["message"]) is is_named


async def test_an_event_promises_no_end_to_an_orphan_whose_stages_no_worker_tells(
    bench: Bench, golden: Golden
) -> None:
    bench.apply(deletionPolicy="Orphan", stages=STAGES)
    await bench.reconcile()
    stages = gates.stages_of(bench.chain.spec.stages, v1alpha1.Operation.APPLY)
    bench.workflows.run(make_stack("a", Phase.RUNNING, stage="dev"), stages=stages)
    await bench.publish()
    bench.delete()
    bench.workflows.has_worker = False

    assert await may_go(bench) is True

    (event,) = [item for item in bench.api.events if item["reason"] == "Orphaned"]
    golden("operator_problems").check("orphaned: no worker answers", event["message"])


async def test_without_a_worker_it_waits_and_says_so(bench: Bench, golden: Golden) -> None:
    await deleted(bench)
    bench.workflows.has_worker = False

    assert await may_go(bench) is False
    golden("operator_problems").check("deleting: no worker answers", message(bench))


async def test_without_temporal_it_waits_and_says_so(bench: Bench, golden: Golden) -> None:
    await deleted(bench)
    bench.workflows.is_away = True

    with pytest.raises(temporal_client.TemporalUnreachable):
        await may_go(bench)
    assert bench.ready == ChainReason.DELETING
    golden("operator_problems").check("deleting: without Temporal", message(bench))


async def test_an_orphan_goes_without_temporal_and_its_run_hears_of_it_later(
    bench: Bench,
) -> None:
    await deleted(bench, deletionPolicy="Orphan")
    bench.workflows.is_away = True

    went = await may_go(bench)
    bench.remove()
    with pytest.raises(temporal_client.TemporalUnreachable):
        await bench.reconciler.signal_orphans()
    bench.workflows.is_away = False
    await bench.reconciler.signal_orphans()
    await bench.reconciler.signal_orphans()

    assert went is True
    assert bench.workflows.sent == LEFT


async def test_an_orphan_that_publishes_before_it_hears_of_it_is_signaled_then(
    bench: Bench,
) -> None:
    """It would cancel itself if it learned that its resource is gone."""
    await deleted(bench, deletionPolicy="Orphan")
    bench.workflows.is_away = True
    await may_go(bench)
    bench.remove()
    bench.workflows.is_away = False

    assert await bench.publish() == 0
    assert bench.workflows.sent == LEFT
    with pytest.raises(chain_status.ResourceGone):
        await bench.publish()


async def test_an_orphan_that_had_ended_is_signaled_nothing(bench: Bench) -> None:
    await deleted(bench, deletionPolicy="Orphan")
    bench.workflows.is_away = True
    await may_go(bench)
    bench.workflows.is_away = False
    bench.workflows.end()

    await bench.reconciler.signal_orphans()

    assert bench.workflows.sent == []


async def test_its_schedules_go_first(bench: Bench) -> None:
    await deleted(bench, **SCHEDULED)
    bench.schedules.calls.clear()

    await may_go(bench)

    assert bench.schedules.calls == ["remove schedule"]
    assert bench.schedules.all == {}


async def test_a_resource_without_schedules_asks_nothing_about_them(bench: Bench) -> None:
    await deleted(bench)

    await may_go(bench)

    assert bench.schedules.calls == []


async def test_a_spec_that_cannot_be_read_does_not_hold_it(bench: Bench) -> None:
    await deleted(bench)
    bench.edit(roots={"stackIds": "not a list"})

    first = await may_go(bench)
    bench.workflows.end()

    assert (first, await may_go(bench)) == (False, True)
    assert bench.workflows.sent == ["cancel execution-1"]


async def test_a_pass_meanwhile_starts_nothing_and_says_what_it_waits_for(bench: Bench) -> None:
    await deleted(bench)
    bench.annotate(run="now")
    bench.edit(schedule={"cron": "0 6 * * *"})

    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.schedules.calls == []
    assert bench.ready == ChainReason.DELETING


@pytest.mark.parametrize("policy", list(v1alpha1.DeletionPolicy), ids=str)
async def test_what_others_still_hold_says_so_and_whose_finalizers_they_are(
    bench: Bench, policy: v1alpha1.DeletionPolicy, case: str, golden: Golden
) -> None:
    await deleted(bench, deletionPolicy=str(policy))
    await may_go(bench)
    if policy is v1alpha1.DeletionPolicy.CANCEL:
        bench.workflows.end()
    bench.body["metadata"]["finalizers"] = ["others/theirs"]
    bench.touch()

    await bench.reconcile()

    assert bench.ready == ChainReason.DELETING
    golden("operator_problems").check(f"released, and held by others: {case}", message(bench))


@pytest.mark.parametrize("policy", ["Cancel", "Orphan"])
async def test_what_a_reset_makes_of_a_run_that_is_over_keeps_no_resource(
    bench: Bench, policy: str
) -> None:
    bench.apply(deletionPolicy=policy)
    await bench.reconcile()
    bench.workflows.end()
    await bench.reconcile()
    bench.workflows.reset()
    bench.delete()

    assert await may_go(bench)
    assert [text.partition(":")[0] for text in bench.workflows.sent] == [
        "terminate execution-1-reset"
    ]
