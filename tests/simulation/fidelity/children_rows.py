"""Rows about executions that start, signal, cancel and leave each other."""

from typing import Any

import temporalio.service
from temporalio.client import WorkflowHandle

from tests.simulation.fidelity.places import Place
from tests.simulation.fidelity.subjects import Family


async def _family(place: Place, **fields: Any) -> tuple[WorkflowHandle[Any, Any], Any]:
    child_id = place.new_id("child")
    parent = await place.start("Parents", Family(child_id, **fields))
    return parent, place.client.get_workflow_handle(child_id)


async def _there(place: Place, child: WorkflowHandle[Any, Any]) -> None:
    async def is_there() -> bool:
        found = place.client.get_workflow_handle(child.id)
        try:
            return await place.status(found) == "RUNNING"
        except temporalio.service.RPCError as error:
            if error.status is not temporalio.service.RPCStatusCode.NOT_FOUND:
                raise
            return False

    await place.until(is_there)


async def a_child_returns_its_result(place: Place) -> object:
    parent, child = await _family(place)
    await _there(place, child)
    await child.signal("say", "end")
    return [await parent.result(), await place.events(parent)]


async def a_child_fails(place: Place) -> object:
    parent, child = await _family(place)
    await _there(place, child)
    await child.signal("say", "fail")
    return [await parent.result(), await place.events(parent)]


async def a_child_is_terminated(place: Place) -> object:
    parent, child = await _family(place)
    await _there(place, child)
    await child.terminate()
    return [await parent.result(), await place.events(parent)]


async def a_child_is_canceled_by_others(place: Place) -> object:
    parent, child = await _family(place)
    await _there(place, child)
    await child.query("heard")
    await child.cancel()
    return [await parent.result(), await place.events(parent)]


async def a_child_is_canceled_by_its_parent(place: Place) -> object:
    found: list[object] = []
    for cancellation in ("WAIT_CANCELLATION_COMPLETED", "TRY_CANCEL", "ABANDON"):
        parent, child = await _family(
            place, is_canceled=True, cancellation=cancellation, close="ABANDON"
        )
        # A parent that does not wait has closed before its cancel is sent, so it never is.
        found.append([await parent.result(), await place.status(child)])
    return found


async def a_child_that_catches_a_cancel_returns(place: Place) -> object:
    parent, child = await _family(place, argument="catch", is_canceled=True)
    return [await parent.result(), await place.closed(child)]


async def a_cancel_of_the_parent_reaches_its_child(place: Place) -> object:
    parent, child = await _family(place, close="ABANDON")
    await _there(place, child)
    await child.query("heard")
    await parent.cancel()
    return [await parent.result(), await place.closed(child), await place.events(parent)]


async def the_id_of_a_child_is_taken(place: Place) -> object:
    child_id = place.new_id("child")
    await place.start("Waits", id=child_id)
    parent = await place.start("Parents", Family(child_id))
    return [await parent.result(), await place.events(parent)]


async def the_id_of_a_child_that_has_ended_is_free(place: Place) -> object:
    child_id = place.new_id("child")
    first = await place.start("Waits", id=child_id)
    await first.terminate()
    parent = await place.start("Parents", Family(child_id, is_left=True, close="ABANDON"))
    return [
        await parent.result(),
        await place.status(place.client.get_workflow_handle(child_id)),
    ]


async def _left(place: Place, close: str) -> str:
    parent, child = await _family(place, is_left=True, close=close)
    await parent.result()
    return await (place.status(child) if close == "ABANDON" else place.closed(child))


async def children_are_left_as_they_were_started_for(place: Place) -> object:
    return [await _left(place, close) for close in ("TERMINATE", "REQUEST_CANCEL", "ABANDON")]


async def children_of_a_terminated_parent_go_the_same_way(place: Place) -> object:
    found = []
    for close in ("TERMINATE", "REQUEST_CANCEL", "ABANDON"):
        parent, child = await _family(place, close=close)
        await _there(place, child)
        await child.query("heard")
        await parent.terminate()
        found.append(await (place.status(child) if close == "ABANDON" else place.closed(child)))
    return found


async def a_parent_signals_its_child(place: Place) -> object:
    parent, _ = await _family(place, says="end")
    return [await parent.result(), await place.events(parent)]


async def a_child_knows_its_parent(place: Place) -> object:
    parent, child = await _family(place)
    await _there(place, child)
    found = await child.describe()
    shown = await parent.describe()
    return [
        found.parent_id == parent.id,
        found.parent_run_id == parent.first_execution_run_id,
        [one.workflow_id == child.id for one in shown.raw_description.pending_children],
    ]


async def an_execution_signals_another(place: Place) -> object:
    other = await place.start("Waits")
    sender = await place.start("Signals", other.id, "end")
    return [await sender.result(), await other.result(), await place.events(sender)]


async def an_execution_signals_what_is_not_there(place: Place) -> object:
    closed = await place.start("Waits")
    await closed.terminate()
    found = []
    for target in (place.new_id("missing"), closed.id):
        sender = await place.start("Signals", target, "x")
        found.append([await sender.result(), await place.events(sender)])
    return found


async def an_execution_cancels_another(place: Place) -> object:
    other = await place.start("Waits")
    await other.query("heard")
    sender = await place.start("Signals", other.id, "cancel")
    missing = await place.start("Signals", place.new_id("missing"), "cancel")
    return [
        await sender.result(),
        await place.closed(other),
        await missing.result(),
        await place.events(sender),
    ]


ROWS = [
    a_child_returns_its_result,
    a_child_fails,
    a_child_is_terminated,
    a_child_is_canceled_by_others,
    a_child_is_canceled_by_its_parent,
    a_child_that_catches_a_cancel_returns,
    a_cancel_of_the_parent_reaches_its_child,
    the_id_of_a_child_is_taken,
    the_id_of_a_child_that_has_ended_is_free,
    children_are_left_as_they_were_started_for,
    children_of_a_terminated_parent_go_the_same_way,
    a_parent_signals_its_child,
    a_child_knows_its_parent,
    an_execution_signals_another,
    an_execution_signals_what_is_not_there,
    an_execution_cancels_another,
]
