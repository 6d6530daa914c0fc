"""How a world comes to its end: nothing goes wrong any more, and people let everything continue.

What has not ended half an hour later never ends.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from devenv.simulator.model.states import RunState
from tests.simulation.world import records, user_actions
from tests.simulation.world.worlds import World

Json = dict[str, Any]

PATIENCE_SECONDS = 1800.0
_LOOK_SECONDS = 5.0
_CALM_SECONDS = 75.0
"""What comes late comes with the second resync at the latest."""
_STUCK_SECONDS = 600.0
"""A chain that is not Ready after so long does not become Ready on its own."""


async def settle(world: World) -> None:
    """Let everything come to its end, delete the chains, and note what did not end or is left."""
    record = world.record
    await _make_calm(world)
    if not await _wait(world, _unsettled):
        record.unsettled = _unsettled(world)
        return
    record.quiet_at = world.loop.time()
    await asyncio.sleep(_CALM_SECONDS)
    if not await _wait(world, _unsettled):
        record.unsettled = _unsettled(world)
        return
    record.is_quiet = True


async def delete_all(world: World) -> None:
    """Delete all chains, and note what is left of them."""
    for body in world.chains():
        await world.delete(body["metadata"]["name"])
    await _wait(world, _leftovers)
    world.record.leftovers = _leftovers(world)


async def _make_calm(world: World) -> None:
    world.chance.calm()
    world.parties.temporal.come_up()
    for role in world.record.roles:
        role.process.thaw()
        for connection in role.temporal:
            connection.restore()
        if role.kube is not None:
            role.kube.restore()
        for way in role.spacelift:
            way.is_cut = False
    _start_what_is_missing(world)
    for stack in list(world.parties.account.simulator.account.stacks):
        world.people.unlock(stack)
        world.people.enable(stack)
    for body in world.chains():
        spec: Json = {}
        if body["spec"].get("suspend"):
            spec["suspend"] = False
        if "schedule" in body["spec"]:
            # A chain with one never comes to its end.
            spec["schedule"] = None
        if spec:
            await world.change(body["metadata"]["name"], {"spec": spec})


async def _wait(world: World, left: Callable[[World], list[str]]) -> bool:
    deadline = world.loop.time() + PATIENCE_SECONDS
    began = world.loop.time()
    while left(world):
        if world.loop.time() > deadline:
            return False
        if world.loop.time() - began > _STUCK_SECONDS:
            await _let_go(world)
        await asyncio.sleep(_LOOK_SECONDS)
        _let_all_continue(world)
        await _approve_stages(world)
    return True


async def _approve_stages(world: World) -> None:
    for body in world.chains():
        latest = (body.get("status") or {}).get("latestRun") or {}
        waits = [item.get("waitsFor") == "Approval" for item in latest.get("stages") or ()]
        if any(waits) and "deletionTimestamp" not in body["metadata"]:
            note = f"{world.loop.time():.0f}"
            await user_actions.approve(world, body["metadata"]["name"], choice=1, note=note)


async def _let_go(world: World) -> None:
    """Let chains wait no more for those that do not become Ready; a wait for others has to end."""
    bodies = {body["metadata"]["name"]: body for body in world.chains()}
    for name, body in bodies.items():
        named = [item["name"] for item in body["spec"].get("dependsOn") or ()]
        others = [bodies.get(other) for other in named]
        if not all(
            other and records.is_idle(other) and records.is_ready(other) for other in others
        ):
            await world.change(name, {"spec": {"dependsOn": None}})


def _let_all_continue(world: World) -> None:
    for run in list(world.parties.account.simulator.account.runs.values()):
        if run.finished:
            continue
        if run.needs_approval:
            world.people.approve(run)
        if run.state is RunState.UNCONFIRMED:
            world.people.confirm(run)
    # A role may have ended on its own, as one does that has lost its Lease; Kubernetes restarts it.
    _start_what_is_missing(world)


def _start_what_is_missing(world: World) -> None:
    for kind in world.kinds():
        if not world.running(kind):
            world.start(kind)


def _unsettled(world: World) -> list[str]:
    left = [
        f"run {run.id} of {run.stack_id} is {run.state}"
        for run in world.parties.account.simulator.account.runs.values()
        if not run.finished
    ]
    left += [f"workflow {item}" for item in _live_workflows(world)]
    left += [text for body in world.chains() if (text := _unsettled_chain(body))]
    return left


def _unsettled_chain(body: Json) -> str | None:
    metadata, status = body["metadata"], body.get("status") or {}
    name, latest = metadata["name"], status.get("latestRun")
    if "deletionTimestamp" in metadata:
        return f"{name} is being deleted"
    ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    if ready is None or ready["observedGeneration"] != metadata["generation"]:
        return f"{name} is not observed"
    if "pendingRun" in status:
        return f"{name} has a pending run: {status['pendingRun']}"
    if latest and latest["phase"] not in ("Succeeded", "Failed", "Canceled", "TimedOut"):
        return f"{name} run {latest['number']} is {latest['phase']}: {ready['message']}"
    handled = status.get("lastHandled") or {}
    for token in ("run", "retry", "bypass", "approve", "cancel"):
        asked = (metadata.get("annotations") or {}).get(f"stackchain.dev/{token}")
        if asked and handled.get(token) != asked:
            return f"{name}: {token} token {asked!r} is not handled"
    return None


def _live_workflows(world: World) -> list[str]:
    return [
        execution.workflow_id
        for execution in world.parties.temporal.executions()
        if execution.is_running
    ]


def _leftovers(world: World) -> list[str]:
    left = [f"workflow {item}" for item in _live_workflows(world)]
    left += [f"StackChain {body['metadata']['name']}" for body in world.chains()]
    left += [f"schedule {name}" for name in world.parties.temporal.schedules.ids()]
    return left
