"""`python -m devenv demo`: starts an environment, walks through a chain, and leaves nothing."""

import asyncio
import dataclasses
import sys

from controller.api import v1alpha1
from controller.display import chain_printer, streams, terminal
from controller.display.styled_text import Style
from devenv import dev_command, environment, example_account, settings, tools
from devenv.demo import walkthrough

INTERRUPTED = 130
_POLL_SECONDS = 0.5
_LOG_LINES = 15


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DemoOptions:
    """How the demo is shown."""

    dev: settings.DevSettings
    terminal: settings.TerminalSettings
    is_plain: bool = False
    keeps_environment: bool = False
    """Whether the environment stays up afterwards, until Ctrl-C."""


async def run_demo(options: DemoOptions) -> int:
    """Run the demo and return its exit code; a signal ends it at any time."""
    async with dev_command.until_signal() as is_over:
        demo = Demo(options)
        showing = asyncio.create_task(demo.show(is_over))
        over = asyncio.create_task(is_over.wait())
        await asyncio.wait((showing, over), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        # What should stay up ends with a signal, as intended.
        if not showing.done() and not demo.is_complete:
            showing.cancel()
        try:
            code = await showing
        except asyncio.CancelledError:
            code = INTERRUPTED
        except streams.OutputClosed:
            code = 1
        await demo.stop()
        return code


class Demo:
    """One showing of the demo."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._screen = chain_printer.make_printer(
            terminal.detect(sys.stdout, options.terminal), is_plain=options.is_plain
        )
        self._local = environment.LocalEnvironment(
            environment.DevOptions(
                dev=options.dev,
                say=lambda line: self._screen.quote(f"  {line}", Style.FAINT),
                published_kubeconfig=environment.SHELL_KUBECONFIG,
                scenario=example_account.FILE,
                poll_seconds=_POLL_SECONDS,
                has_page=True,
            )
        )
        self.is_complete = False

    async def show(self, is_over: asyncio.Event) -> int:
        """Start everything, walk through, and return the exit code."""
        screen = self._screen
        screen.say(
            "StackChain on a real Kubernetes API server and Temporal, with a simulated Spacelift. "
            "Ctrl-C ends it at any time and leaves nothing behind."
        )
        screen.heading("Starting")
        try:
            await self._local.start()
            self._say_links()
            status = await walkthrough.Walkthrough(self._local, screen).run()
        except (tools.DevError, walkthrough.DemoFailed) as error:
            self._complain(error)
            return 1
        self.is_complete = True
        self._say_how_to_go_on(status)
        if self._options.keeps_environment:
            return await dev_command.watch(self._local, is_over)
        return 0

    async def stop(self) -> None:
        """Stop everything; none of it is kept, so nothing needs to end in order."""
        self._screen.close()
        self._screen.say()
        with tools.timed(lambda line: self._screen.say(line, Style.FAINT), "Stopped"):
            await asyncio.gather(*(role.kill() for role in self._local.roles.values()))
            await self._local.stop()

    def _complain(self, error: BaseException) -> None:
        self._screen.close()
        self._screen.say()
        for role in self._local.roles.values():
            self._screen.say(f"The end of the log of {role.options.name}:", Style.FAINT)
            self._screen.quote(role.log(_LOG_LINES), Style.FAINT)
        self._screen.quote(f"stackchain: the demo did not go as it should: {error}", Style.BAD)

    def _say_links(self) -> None:
        self._screen.say()
        self._screen.say("  Open the page in your browser and watch the chain there, too:")
        self._screen.say(f"  {self._local.page.address}")
        self._screen.say(f"  Temporal's web UI    {self._local.temporal.ui_url}")
        self._screen.say(f"  Simulated Spacelift  {self._local.simulator.url}")

    def _say_how_to_go_on(self, status: v1alpha1.Status) -> None:
        screen, is_kept = self._screen, self._options.keeps_environment
        screen.heading("That was all. How to continue")
        if not is_kept:
            screen.say("The same once more, and everything stays up until Ctrl-C:")
            screen.quote("  make demo ARGS=--keep")
            return
        screen.say("Everything stays up until Ctrl-C. In another terminal:")
        for line in dev_command.shell_lines(self._local):
            screen.quote(f"  {line}")
        screen.quote(f"  kubectl stackchain tree {walkthrough.CHAIN}")
        screen.quote("  kubectl stackchain ui")
        screen.say("The run of the chain in Temporal's web UI:")
        screen.quote(f"  {status.latest_run.workflow_url if status.latest_run else ''}")
