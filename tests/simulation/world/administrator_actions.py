"""What administrators do, to a namespace of the cluster or to the workflow of a chain."""

from collections.abc import Awaitable, Callable

from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from controller.temporal import ids
from tests.simulation.kube.store import Key
from tests.simulation.temporal import resets
from tests.simulation.temporal.records import Activity, Execution
from tests.simulation.world.plans import Event
from tests.simulation.world.worlds import World

_RESETTABLE = (ids.CHAIN_WORKFLOW, ids.EXECUTION_WORKFLOW)


async def _delete_namespace(world: World, event: Event) -> None:
    if _has_namespace(world, event.target):
        world.parties.api.delete_namespace(event.target)


async def _create_namespace(world: World, event: Event) -> None:
    if not _has_namespace(world, event.target):
        world.parties.api.create_namespace(event.target)


def _has_namespace(world: World, name: str) -> bool:
    return world.parties.api.store.get(Key("namespaces", "", name)) is not None


async def _terminate(world: World, event: Event) -> None:
    """Terminate the workflow of a chain, which hears nothing of it."""
    for execution in list(world.parties.temporal.executions()):
        if execution.is_running and f"/{event.target}/" in execution.workflow_id:
            world.parties.temporal.terminate(execution, reason="by an administrator")


async def _reset(world: World, event: Event) -> None:
    """Reset the workflow of a chain or a stack, now or when it calls an activity next.

    The value says which execution of it: the live one, the newest one once it has ended, or an
    earlier one; to which of its completed workflow tasks, counted from 0 or from the end; which
    activity; and how many seconds after that has started.
    """
    value = event.value
    if not value["amid"]:
        _reset_now(world, event)
        return
    listeners = world.parties.temporal.activities.on_start

    def listen(activity: Activity) -> None:
        is_named = activity.body.activity_type == value["amid"]
        if is_named and _is_of(activity.execution, event.target):
            listeners.remove(listen)
            later = world.parties.temporal.later
            later(value["after"], _reset_now, world, event)

    listeners.append(listen)


def _reset_now(world: World, event: Event) -> None:
    temporal = world.parties.temporal
    is_wanted = _STATES[event.value.get("of", "live")]
    execution = next(
        (
            one
            for one in temporal.executions()
            if _is_of(one, event.target)
            and is_wanted(one, temporal.latest(one.workflow_id))
            and one.history.tasks
        ),
        None,
    )
    if execution is None or not temporal.is_up or world.is_calm:
        return
    tasks = execution.history.tasks
    at = tasks[event.value["task"] % len(tasks)][1]
    world.record.note(event.actor.value, f"{execution.workflow_id} is reset to event {at}")
    request = ResetWorkflowExecutionRequest(
        reason="by an administrator", workflow_task_finish_event_id=at
    )
    latest = temporal.latest(execution.workflow_id)
    if latest is not None and latest is not execution and latest.is_running:
        world.record.note_cut_off(latest)
    world.record.note_reset(resets.reset(temporal, execution, request))


_STATES: dict[str, Callable[[Execution, Execution | None], bool]] = {
    "live": lambda one, _: one.is_running,
    "ended": lambda one, latest: not one.is_running and one is latest,
    "earlier": lambda one, latest: one is not latest,
}
"""Which of the executions of a workflow id are meant, by how they are and which the newest is."""


def _is_of(execution: Execution, name: str) -> bool:
    """Whether an execution is that of a chain or a stack by its name."""
    parts = execution.workflow_id.split("/")
    return execution.start.workflow_type in _RESETTABLE and name in parts


ACTIONS: dict[str, Callable[[World, Event], Awaitable[None]]] = {
    "delete the namespace": _delete_namespace,
    "create the namespace": _create_namespace,
    "terminate the workflow of": _terminate,
    "reset the workflow of": _reset,
}
