"""`stackchain dev`: keeps a local environment up until a person ends it."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from controller.dev import environment, tools

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WATCH_SECONDS = 0.5


async def run_dev(options: environment.DevOptions) -> int:
    """Run a local environment until SIGINT or SIGTERM and return the exit code."""
    local = environment.LocalEnvironment(options)
    try:
        async with _until_signal() as is_over:
            if not await _start(local, is_over):
                return 0
            try:
                options.say(_summary(local))
                return await _watch(local, is_over)
            finally:
                with tools.step(options.say, "Stopped"):
                    await local.stop()
    except tools.DevError as error:
        options.say(f"stackchain: {error}")
        return 1


async def _start(local: environment.LocalEnvironment, is_over: asyncio.Event) -> bool:
    """Start the environment; false if a signal came first, with nothing left running."""
    starting = asyncio.create_task(local.start())
    over = asyncio.create_task(is_over.wait())
    await asyncio.wait((starting, over), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return False
    over.cancel()
    await starting
    return True


async def _watch(local: environment.LocalEnvironment, is_over: asyncio.Event) -> int:
    """Start ended roles again, as a cluster does with pods; end when another part has ended."""
    say = local.options.say
    while not is_over.is_set():
        for ended in local.ended_parts():
            say(f"stackchain: {ended} ended by itself; its log is in {local.logs}")
            return 1
        for role in local.roles.values():
            if not role.is_running:
                code = role.process.returncode
                say(f"{role.options.name} ended with code {code}; it is started again")
                role.start_without_waiting()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), _WATCH_SECONDS)
    return 0


@contextlib.asynccontextmanager
async def _until_signal() -> AsyncIterator[asyncio.Event]:
    """Give an event that the first signal sets; a second one ends the program at once."""
    loop = asyncio.get_running_loop()
    is_over = asyncio.Event()

    def end() -> None:
        is_over.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        yield is_over
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _summary(local: environment.LocalEnvironment) -> str:
    return f"""
  Temporal UI          {local.temporal.ui_url}
  Simulated Spacelift  {local.simulator.url}
  Logs                 {local.logs}

In another terminal:

  export KUBECONFIG={local.kubeconfig}
  kubectl apply -f examples/
  kubectl get stackchains --watch

Ctrl-C stops all of it."""
