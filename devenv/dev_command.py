"""`python -m devenv`: keeps a local environment up until a person ends it."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator

from devenv import environment, example_account, tools

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCH_SECONDS = 0.5
# One chain, since those of all examples wait for each other's stacks.
_APPLIED = "examples/platform.yaml"


async def run_dev(options: environment.DevOptions) -> int:
    """Run a local environment until SIGINT or SIGTERM and return the exit code."""
    local = environment.LocalEnvironment(options)
    try:
        async with until_signal() as is_over:
            if not await _start(local, is_over):
                return 0
            try:
                options.say(_summary(local))
                return await watch(local, is_over)
            finally:
                with tools.timed(options.say, "Stopped"):
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


async def watch(local: environment.LocalEnvironment, is_over: asyncio.Event) -> int:
    """Start ended roles again, as a cluster does with pods; end when another part has ended."""
    say = local.options.say
    while not is_over.is_set():
        for ended in local.ended_parts():
            say(f"stackchain: {ended} ended unexpectedly; its log is in {local.logs}")
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
async def until_signal() -> AsyncIterator[asyncio.Event]:
    """Give an event that the first signal sets.

    Further ones do nothing: to stop takes seconds at most, and an impatient second Ctrl-C would
    leave processes and files behind.
    """
    loop = asyncio.get_running_loop()
    is_over = asyncio.Event()
    # Under nohup the program must not end with the terminal.
    heeded = [number for number in _SIGNALS if not _is_ignored_hangup(number)]
    for number in heeded:
        loop.add_signal_handler(number, is_over.set)
    try:
        yield is_over
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)


def _is_ignored_hangup(number: signal.Signals) -> bool:
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def shell_lines(local: environment.LocalEnvironment) -> list[str]:
    """Return the commands that let a shell use the environment."""
    lines = [f"export KUBECONFIG={local.shell_kubeconfig}"]
    if any(shutil.which(program) is None for program in ("kubectl", "kubectl-stackchain")):
        plugin = tools.find_program("kubectl-stackchain", install="install this package")
        lines.append(f'export PATH="$PATH:{plugin.parent}"')
    return lines


def _summary(local: environment.LocalEnvironment) -> str:
    shell = "\n".join(f"  {line}" for line in shell_lines(local))
    receiver = ""
    if local.has_webhook:
        receiver = f"\n  Webhook receiver     {local.endpoints.webhook_url}"
    page = f"\n  The page, once       {local.page.address}" if local.options.has_page else ""
    return f"""{page}
  Temporal's web UI    {local.temporal.ui_url}
  Simulated Spacelift  {local.simulator.url}
  Its admin API        {local.simulator.admin_url}{receiver}
  Logs                 {local.logs}

In another terminal:

{shell}
  kubectl apply -f {_APPLIED if _has_own_account(local) else "FILE"}
  kubectl stackchain {"tree platform --watch" if _has_own_account(local) else "list"}
{_stacks_to_handle(local)}
Ctrl-C stops all of it."""


def _stacks_to_handle(local: environment.LocalEnvironment) -> str:
    """Say what a person has to do in the account that comes with this package."""
    if not _has_own_account(local):
        return ""
    simulator = local.simulator
    return f"""
The chain `platform` waits for you at `database`: open the link in its message and press Confirm.
Then it fails at `monitoring`, until someone fixes that and retries what failed:

  curl -d '{{"outcomes": ["changes"]}}' {simulator.admin_url}/stacks/monitoring/outcomes
  kubectl stackchain retry platform
"""


def _has_own_account(local: environment.LocalEnvironment) -> bool:
    return local.options.scenario == example_account.FILE
