"""Runs one command of the plugin: access, output, Ctrl-C, and one line when it fails."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from controller import outside_text
from controller.config import shell_settings
from controller.display import streams, terminal
from controller.plugin import arguments, cluster, commands, completion
from controller.plugin.exit_codes import PROGRAM, CommandError, ExitCode


def run(words: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    streams.prepare()
    # Libraries log what the command's one line already says.
    logging.basicConfig(level=logging.CRITICAL)
    try:
        return _run(arguments.parse(words))
    except CommandError as failure:
        streams.complain(f"{PROGRAM}: {outside_text.visible(str(failure))}\n")
        return failure.code
    except shell_settings.SettingsError as error:
        for problem in error.problems:
            streams.complain(f"{PROGRAM}: {problem}\n")
        return ExitCode.USAGE
    except streams.OutputClosed:
        return ExitCode.OUTPUT_CLOSED
    except streams.OutputFailed as failure:
        streams.complain(f"{PROGRAM}: the output cannot be written: {failure}.\n")
        return ExitCode.OUTPUT_FAILED


def _run(wanted: argparse.Namespace) -> int:
    if wanted.command == "completion":
        streams.send(sys.stdout, completion.script(wanted.shell))
        return ExitCode.DONE
    if wanted.command == "version":
        streams.send(sys.stdout, f"{PROGRAM} {_version()}\n")
        return ExitCode.DONE
    if wanted.command == "plan":
        from controller.plugin import preview

        wanted.source = preview.read_source(wanted.file, wanted.filename)
    return asyncio.run(_until_signal(_serve(wanted)))


def _version() -> str:
    # Loaded for this command only: it takes a tenth of the time that others have.
    from importlib import metadata

    # The package of the plugin alone, or the one of all of StackChain.
    for name in ("kubectl-stackchain", "stackchain"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "of an unknown version"


async def _serve(wanted: argparse.Namespace) -> int:
    target, shell = cluster.choose(wanted)
    if wanted.command == "ui":
        # Loaded for this command only: a server takes longer to load than the others take to run.
        from controller.plugin import page_command

        out = terminal.detect(sys.stdout, shell.terminal)
        return await page_command.serve(target, wanted, out, opens=shell.has_display)
    async with cluster.open_chains(target) as chains:
        out = terminal.detect(sys.stdout, shell.terminal)
        context = commands.CommandContext(
            chains=chains,
            target=target,
            terminal=out,
            output=wanted.output,
            opens=shell.has_display,
        )
        return await _command(wanted.command)(context, wanted)


def _command(name: str) -> Callable[[commands.CommandContext, argparse.Namespace], Awaitable[int]]:
    if name in commands.COMMANDS:
        return commands.COMMANDS[name]
    # Loaded for these commands only.
    from controller.plugin import request_commands

    return request_commands.COMMANDS[name]


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, or to a signal: what a command has to clean up is cleaned up then."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # People press it twice; the second time must not interrupt the cleaning.
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED
