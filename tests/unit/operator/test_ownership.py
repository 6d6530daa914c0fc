"""A resource that another installation has: it is left alone, and the log says so once."""

import copy

import pytest

from controller.api.v1alpha1 import Phase
from controller.temporal.activities import chain_status
from tests.support.builders import make_stack
from tests.support.golden import Golden
from tests.unit.operator.fakes import INSTALLATION, NAME, NAMESPACE, Bench

OTHER = "elsewhere"


def is_taken(bench: Bench, by: str = OTHER) -> None:
    """Let an installation write the status, as it does at its first pass."""
    body = copy.deepcopy(bench.body)
    body["status"] = {**(body.get("status") or {}), "installation": by}
    bench.api.put(body)


def said(bench: Bench) -> list[str]:
    return [
        event["message"] for event in bench.api.events if event["reason"] == "OtherInstallation"
    ]


async def test_the_status_says_which_installation_has_the_resource(bench: Bench) -> None:
    bench.apply()

    await bench.reconcile()

    assert bench.body["status"]["installation"] == INSTALLATION
    assert said(bench) == []


async def test_what_another_has_is_left_alone_and_said_once(bench: Bench, golden: Golden) -> None:
    bench.apply()
    is_taken(bench)
    before = copy.deepcopy(bench.body)

    written = [await bench.reconcile() for _ in range(3)]
    bench.edit(roots={"stackIds": ["b"]})
    await bench.reconcile()

    assert written == [False, False, False]
    assert bench.body["status"] == before["status"]
    assert bench.workflows.started == []
    (message,) = said(bench)
    golden("operator_problems").check("another installation has it", message)


async def test_a_live_run_of_another_is_no_contradiction(bench: Bench) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.run(make_stack("a", Phase.RUNNING))
    await bench.publish()
    is_taken(bench)
    status = copy.deepcopy(bench.body["status"])

    await bench.resync_once()

    assert bench.body["status"] == status
    assert bench.known.by_uid == {}
    assert bench.workflows.sent == []


async def test_a_run_that_was_started_for_what_another_has_is_superseded(bench: Bench) -> None:
    """Both have started one: the one whose status was written first has the resource."""
    bench.apply()
    await bench.reconcile()
    is_taken(bench)

    with pytest.raises(chain_status.Superseded, match=OTHER):
        await bench.publish()


async def test_the_one_whose_first_write_comes_second_gives_way(bench: Bench) -> None:
    bench.apply()
    bench.api.before["PATCH"] = lambda: is_taken(bench)

    assert await bench.reconcile() is False
    assert bench.body["status"] == {"installation": OTHER}


async def test_what_a_schedule_says_of_it_is_as_if_it_was_gone(bench: Bench) -> None:
    bench.apply()
    is_taken(bench)

    with pytest.raises(chain_status.Superseded):
        await bench.ask(scheduled_time="2026-03-01T06:00:00Z")


async def test_while_it_is_deleted_the_finalizer_stays_for_who_has_it(bench: Bench) -> None:
    bench.apply()
    is_taken(bench)
    bench.delete()

    assert not await bench.reconciler.release(NAMESPACE, NAME, bench.body["metadata"]["uid"])
    assert len(said(bench)) == 1


async def test_the_annotation_hands_it_over(bench: Bench) -> None:
    bench.apply()
    is_taken(bench)
    await bench.reconcile()

    bench.annotate(installation=INSTALLATION)
    await bench.reconcile()

    assert bench.workflows.started == ["spec"]
    assert bench.body["status"]["installation"] == INSTALLATION


async def test_who_has_it_lets_go_of_what_is_handed_over(bench: Bench) -> None:
    bench.apply()
    await bench.reconcile()
    bench.annotate(installation=OTHER)
    status = copy.deepcopy(bench.body["status"])

    assert await bench.reconcile() is False
    assert bench.body["status"] == status
