"""What the demo shows: a chain that waits for a person, fails, is fixed and succeeds.

It sees what any user sees, the status in the API server. It compares each end with the expected
one: a demo that went wrong must not look like one that went well.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import httpx

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, Status
from controller.config import settings
from controller.display import chain_printer
from controller.kube import client, errors, stackchains
from devenv import dev_command, environment
from devenv.demo import kubectl

_First = TypeVar("_First")
_Second = TypeVar("_Second")

CHAIN = "platform"
EXAMPLE = "examples/platform.yaml"
CONFIRMED = "database"
FAILING = "monitoring"

_NAMESPACE = "default"
_LOOK_SECONDS = 0.25
# Long enough to read what the chain says, to open its link, and to press the button.
_CONFIRM_SECONDS = 30.0
# No one is there to press it.
_UNWATCHED_SECONDS = 4.0
_LIMIT_SECONDS = 90.0

_GOOD = ("backend", "backups", "cluster", "database", "dns", "frontend", "ingress", "network")
_UNCHANGED = f"{Phase.SKIPPED} ({reasons.StackReason.OUTPUT_UNCHANGED})"
_KEPT = f"{Phase.SUCCEEDED} ({reasons.StackReason.KEPT})"
_BLOCKED = f"{Phase.SKIPPED} because of {FAILING}"
FIRST_RUN = {
    **dict.fromkeys(_GOOD, Phase.SUCCEEDED.value),
    "certificates": _UNCHANGED,
    FAILING: Phase.FAILED.value,
    "alerts": _BLOCKED,
    "dashboards": _BLOCKED,
}
AGAIN = (FAILING, "alerts", "dashboards")
SECOND_RUN = {
    **dict.fromkeys((*_GOOD, "certificates"), _KEPT),
    **dict.fromkeys(AGAIN, Phase.SUCCEEDED.value),
}


class DemoFailed(Exception):
    """The chain did not behave as it should; the message says what was expected, and what came."""


def differences(status: Status, expected: Mapping[str, str]) -> list[str]:
    """Say in which stacks a status differs from what was expected."""
    seen = {stack.id: _outcome(stack) for stack in status.stacks}
    return [
        f"'{name}' is {seen.get(name, 'not there')} and should be {expected.get(name, 'not there')}"
        for name in sorted(expected.keys() | seen.keys())
        if seen.get(name) != expected.get(name)
    ]


def _outcome(stack: v1alpha1.StackStatus) -> str:
    if stack.blocked_by:
        return f"{stack.phase} because of {stack.blocked_by}"
    was_not_run = stack.reason in (
        reasons.StackReason.OUTPUT_UNCHANGED,
        reasons.StackReason.KEPT,
    )
    return f"{stack.phase} ({stack.reason})" if was_not_run else stack.phase


class Walkthrough:
    """One pass of it on a running environment."""

    def __init__(
        self, local: environment.LocalEnvironment, screen: chain_printer.ChainPrinter
    ) -> None:
        self._local = local
        self._screen = screen
        self._kubectl = kubectl.Kubectl(local.kubeconfig, local.logs)
        self._kube = client.KubeClient(settings.KubernetesSettings(kubeconfig=local.kubeconfig))
        self._chains = stackchains.StackChains(self._kube)

    async def run(self) -> Status:
        """Go from the first command to the last, and return how the chain ended.

        Raises:
            DemoFailed: The chain did not behave as expected.
            DevError: A command failed.
        """
        try:
            await self._apply()
            await self._fail()
            return await self._fix()
        finally:
            self._screen.close()
            await self._kube.close()

    async def _apply(self) -> None:
        screen = self._screen
        screen.heading("1. Apply a chain: the stack `network`, and all that depends on it")
        for line in dev_command.shell_lines(self._local):
            screen.command(line)
        await self._command("apply", "-f", EXAMPLE)
        screen.begin()
        status = await self._until(_awaits_confirmation, run=1, what="waiting for confirmation")
        link = _stack(status, CONFIRMED).run_url
        seconds = _CONFIRM_SECONDS if screen.terminal.is_live else _UNWATCHED_SECONDS
        screen.hint(
            "What to do: open the link and press Confirm. "
            f"If nobody does, the demo does it for you in {seconds:.0f} seconds."
        )
        until = time.monotonic() + seconds
        await self._until(
            lambda status: time.monotonic() >= until or not _awaits_confirmation(status),
            run=1,
            what="waiting for a person",
        )
        await self._press_confirm(f"{link}/confirm")
        screen.hint(f"The run of `{CONFIRMED}` has been confirmed.")

    async def _fail(self) -> None:
        status = await self._until(_is_over(1), run=1, what="the end of the run")
        self._screen.end(CHAIN, status)
        self._check(status, FIRST_RUN, ready=("False", reasons.ChainReason.STACK_FAILED))
        self._screen.heading(f"2. `{FAILING}` failed: what kubectl says")
        await self._command("get", "schain")
        await self._plugin("explain", CHAIN)

    async def _fix(self) -> Status:
        screen = self._screen
        screen.heading(f"3. Fix `{FAILING}`, and retry only what failed")
        screen.say("What to do: fix the cause, then retry.")
        screen.say(f"The demo fixes the stack `{FAILING}` now, as the person who owns it.")
        screen.say(f"Nine stacks have succeeded and are kept; {len(AGAIN)} run.")
        await self._script(FAILING, "changes")
        await self._plugin("retry", CHAIN)
        wait = ("wait", "--for=condition=Ready", f"schain/{CHAIN}", "--timeout=60s")
        screen.command(f"kubectl {' '.join(wait)}")
        screen.begin()
        status, said = await _both(
            self._until(_is_over(2), run=2, what="the end of the run"), self._kubectl.run(*wait)
        )
        screen.end(CHAIN, status)
        self._check(status, SECOND_RUN, ready=("True", reasons.ChainReason.RUN_SUCCEEDED))
        screen.say()
        screen.output(said)
        await self._command("get", "schain")
        await self._command("events", "--for", f"schain/{CHAIN}", "--types=Warning")
        await self._plugin("tree", CHAIN)
        return status

    async def _plugin(self, *arguments: str) -> None:
        self._screen.command(f"kubectl stackchain {' '.join(arguments)}")
        await self._kubectl.show("stackchain", *arguments)

    async def _command(self, *arguments: str) -> None:
        self._screen.command(f"kubectl {' '.join(arguments)}")
        self._screen.output(await self._kubectl.run(*arguments))

    async def _until(self, condition: Callable[[Status], bool], *, run: int, what: str) -> Status:
        """Show the status until a condition holds; give up when the run ends or time is up."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while True:
            status = await self._status()
            if _has_begun(status, run):
                self._screen.show(CHAIN, status)
            if condition(status):
                return status
            if _is_over(run)(status) or time.monotonic() > deadline:
                raise DemoFailed(f"{what} was expected, but the chain says: {_says(status)}")
            for ended in self._ended_parts():
                raise DemoFailed(f"{ended} ended unexpectedly")
            await asyncio.sleep(_LOOK_SECONDS)

    def _ended_parts(self) -> list[str]:
        roles = self._local.roles.items()
        return [*self._local.ended_parts(), *(name for name, one in roles if not one.is_running)]

    async def _status(self) -> Status:
        try:
            body = await self._chains.get(_NAMESPACE, CHAIN)
        except errors.KubeError as error:
            raise DemoFailed(f"the API server does not answer: {error}") from error
        if body is None:
            raise DemoFailed(f"somebody has deleted the StackChain {CHAIN}")
        return v1alpha1.parse(body).status

    def _check(
        self, status: Status, expected: Mapping[str, str], *, ready: tuple[str, str]
    ) -> None:
        problems = differences(status, expected)
        condition = status.condition("Ready")
        seen = (condition.status, condition.reason) if condition else ("Unknown", "")
        if seen != ready:
            problems.insert(0, f"Ready is {' '.join(seen)} and should be {' '.join(ready)}")
        if problems:
            raise DemoFailed("; ".join(problems))

    async def _press_confirm(self, url: str) -> None:
        # Whoever watches may have followed the link and pressed a button: not an error as such.
        if _awaits_confirmation(await self._status()):
            await self._post(url, None)

    async def _script(self, stack_id: str, outcome: str) -> None:
        url = f"{self._local.simulator.admin_url}/stacks/{stack_id}/outcomes"
        answer = await self._post(url, {"outcomes": [outcome]})
        if answer.is_error:
            raise DemoFailed(f"the simulator refused an outcome of '{stack_id}': {answer.text}")

    async def _post(self, url: str, body: dict[str, Any] | None) -> httpx.Response:
        # Without the proxy of the shell: everything is on loopback.
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                return await http.post(url, json=body)
            except httpx.HTTPError as error:
                raise DemoFailed(f"the simulator does not answer: {error!r}") from error


async def _both(
    watching: Coroutine[Any, Any, _First], waiting: Coroutine[Any, Any, _Second]
) -> tuple[_First, _Second]:
    """Run both at once; the first failure cancels the other and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as tasks:
            watched, waited = tasks.create_task(watching), tasks.create_task(waiting)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return watched.result(), waited.result()


def _awaits_confirmation(status: Status) -> bool:
    condition = status.condition("AwaitingConfirmation")
    return condition is not None and condition.status == "True"


def _is_over(run: int) -> Callable[[Status], bool]:
    def is_over(status: Status) -> bool:
        latest = status.latest_run
        return latest is not None and latest.number >= run and Phase(latest.phase).is_over

    return is_over


def _has_begun(status: Status, run: int) -> bool:
    """Whether the status is about that run, and no longer about the one before."""
    latest = status.latest_run
    return run == 1 or (latest is not None and latest.number >= run)


def _stack(status: Status, stack_id: str) -> v1alpha1.StackStatus:
    for stack in status.stacks:
        if stack.id == stack_id:
            return stack
    raise DemoFailed(f"'{stack_id}' is not in the chain")


def _says(status: Status) -> str:
    ready = status.condition("Ready")
    return f"{ready.reason}: {ready.message}" if ready else "nothing yet"
