"""What breaks: processes, ways between them, whole parties; each for a number of seconds."""

from collections.abc import Awaitable, Callable

from tests.simulation.world.plans import Event
from tests.simulation.world.worlds import World


def _later(world: World, seconds: float, act: Callable[[], object]) -> None:
    world.loop.call_later(seconds, act, context=world.loop.world.context)


async def _kill(world: World, event: Event) -> None:
    """Kill the oldest process of a role, and start another one after `value` seconds."""
    running = world.running(event.target)
    if running:
        running[0].kill()
    _later(world, event.value, lambda: world.start(event.target))


async def _kill_at_step(world: World, event: Event) -> None:
    """Kill a process within its next `value` steps, and start another one five seconds later."""
    running = world.running(event.target)
    if not running:
        return
    process = running[0].process
    process.dies_at_step = process.steps + event.value
    process.on_kill.append(lambda: _later(world, 5.0, lambda: world.start(event.target)))


async def _stop(world: World, event: Event) -> None:
    """Ask a process to end, as a roll-out does, once its successor runs."""
    running = world.running(event.target)
    world.start(event.target)
    if running:
        running[0].stop()


async def _add(world: World, event: Event) -> None:
    world.start(event.target)


async def _freeze(world: World, event: Event) -> None:
    """Let a process hang."""
    for role in world.running(event.target)[:1]:
        role.process.freeze()
        _later(world, event.value, role.process.thaw)


async def _temporal_down(world: World, event: Event) -> None:
    world.parties.temporal.go_down()
    _later(world, event.value, world.parties.temporal.come_up)


async def _cut_from_temporal(world: World, event: Event) -> None:
    for role in world.running(event.target)[:1]:
        for connection in role.temporal:
            connection.cut()
            _later(world, event.value, connection.restore)


async def _api_server_away(world: World, event: Event) -> None:
    for role in world.record.roles:
        if role.kube is not None:
            role.kube.cut()
            _later(world, event.value, role.kube.restore)


async def _break_watches(world: World, _: Event) -> None:
    """Break all watches, and forget what they have missed."""
    world.parties.api.store.compact()
    for role in world.record.roles:
        if role.kube is not None:
            role.kube.break_watches()


async def _spacelift_away(world: World, event: Event) -> None:
    ways = [way for role in world.record.roles for way in role.spacelift]
    for way in ways:
        way.is_cut = True

    def restore() -> None:
        for way in ways:
            way.is_cut = False

    _later(world, event.value, restore)


async def _lag(world: World, event: Event) -> None:
    """Let the account's lists and blockers lag behind."""
    behavior = world.parties.account.simulator.account.behavior
    behavior.runs_lag = behavior.blocker_lag = event.value

    def catch_up() -> None:
        behavior.runs_lag = behavior.blocker_lag = 0.0

    _later(world, 20.0, catch_up)


async def _set_clock(world: World, event: Event) -> None:
    for role in world.running(event.target):
        role.process.clock.skew_seconds = event.value


ACTIONS: dict[str, Callable[[World, Event], Awaitable[None]]] = {
    "kill": _kill,
    "kill within steps": _kill_at_step,
    "replace": _stop,
    "add": _add,
    "freeze": _freeze,
    "Temporal is down": _temporal_down,
    "cut from Temporal": _cut_from_temporal,
    "API server is away": _api_server_away,
    "watches break": _break_watches,
    "Spacelift is away": _spacelift_away,
    "Spacelift lags": _lag,
    "set the clock of": _set_clock,
}
