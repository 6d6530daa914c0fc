"""What users do at kubectl; `target` is the name of a StackChain."""

import dataclasses
from collections.abc import Awaitable, Callable

from tests.simulation.world.plans import Event
from tests.simulation.world.worlds import World


async def _create(world: World, event: Event) -> None:
    (chain,) = (item for item in world.plan.chains if item.name == event.target)
    await world.create(chain)


async def _recreate(world: World, event: Event) -> None:
    """Create it once more; refused while the old one is there."""
    (chain,) = (item for item in world.plan.chains if item.name == event.target)
    spec = {**chain.spec, **(event.value or {})}
    await world.create(dataclasses.replace(chain, spec=spec))


async def _edit(world: World, event: Event) -> None:
    await world.change(event.target, {"spec": event.value})


async def _ask(world: World, event: Event, token: str, text: str) -> None:
    annotation = {f"stackchain.dev/{token}": text}
    await world.change(event.target, {"metadata": {"annotations": annotation}})


async def _run(world: World, event: Event) -> None:
    await _ask(world, event, "run", f"at-{event.at:.1f}")


async def _retry(world: World, event: Event) -> None:
    await _ask(world, event, "retry", _latest_number(world, event))


async def _retry_of_stacks(world: World, event: Event) -> None:
    await _ask_for_stacks(world, event, "retry", ("Failed", "Canceled", "TimedOut"))


async def _bypass(world: World, event: Event) -> None:
    await _ask_for_stacks(world, event, "bypass", ("Failed", "Canceled", "Skipped", "Pending"))


async def _ask_for_stacks(world: World, event: Event, token: str, phases: tuple[str, ...]) -> None:
    """Name stacks as a person does who looks at the status, or any; `value` says which of them.

    By then they may be in another phase, and the token may be one that was there before.
    """
    rows = ((world.get(event.target) or {}).get("status") or {}).get("stacks") or ()
    fitting = [row["id"] for row in rows if row["phase"] in phases]
    known = fitting or [row["id"] for row in rows] or ["nobody"]
    first = known[event.value % len(known)]
    names = [first, *known[:1]] if event.value % 3 == 0 else [first]
    note = "" if event.value % 2 else f" @{event.at:.1f}"
    text = f"{_latest_number(world, event)}: {', '.join(names)}{note}"
    await _ask(world, event, token, text)


async def _approve(world: World, event: Event) -> None:
    """Approve the stage that waits for it, or now and then one that does not."""
    await approve(world, event.target, choice=event.value, note=f"{event.at:.1f}")


async def approve(world: World, name: str, *, choice: int, note: str) -> None:
    """Set the annotation that approves a stage; no one does so without seeing a stage."""
    latest = ((world.get(name) or {}).get("status") or {}).get("latestRun") or {}
    stages = latest.get("stages") or ()
    waiting = [stage["name"] for stage in stages if stage.get("waitsFor") == "Approval"]
    if choice % 4 == 0 or not waiting:
        waiting = [stage["name"] for stage in stages]
    if waiting:
        token = f"{latest['number']}: {waiting[choice % len(waiting)]} @{note}"
        await world.change(name, {"metadata": {"annotations": {"stackchain.dev/approve": token}}})


async def _cancel(world: World, event: Event) -> None:
    await _ask(world, event, "cancel", _latest_number(world, event))


def _latest_number(world: World, event: Event) -> str:
    latest = ((world.get(event.target) or {}).get("status") or {}).get("latestRun") or {}
    return str(latest.get("number", 1))


async def _suspend(world: World, event: Event) -> None:
    await world.change(event.target, {"spec": {"suspend": True}})


async def _resume(world: World, event: Event) -> None:
    await world.change(event.target, {"spec": {"suspend": False}})


async def _delete(world: World, event: Event) -> None:
    await world.delete(event.target)


ACTIONS: dict[str, Callable[[World, Event], Awaitable[None]]] = {
    "create": _create,
    "recreate": _recreate,
    "edit": _edit,
    "ask for a run of": _run,
    "ask for a retry of": _retry,
    "ask for a retry of stacks of": _retry_of_stacks,
    "ask for a bypass in": _bypass,
    "approve a stage of": _approve,
    "cancel": _cancel,
    "suspend": _suspend,
    "resume": _resume,
    "delete": _delete,
}
