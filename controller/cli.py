"""The command line: one command per role, and the only module that knows them all.

It imports a role only to start it. Importing all of them takes 0.7 s of processor time; a worker
would spend 0.1 s of it, and a receiver 0.2 s, on modules that it never uses.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib.metadata
import os
import sys
from collections.abc import Iterator, Sequence

from controller.api import wording
from controller.config import settings
from controller.spacelift.webhooks import setup_options

_COMMANDS = ("operator", "worker", "webhook", "ui", "check")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the process ends with its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    _refuse_unknown_command(words)
    parsed, rest = _parser().parse_known_args(words)
    try:
        _run(parsed, rest)
    except settings.SettingsError as error:
        for problem in error.problems:
            print(f"stackchain: {problem}", file=sys.stderr)
        sys.exit(2)


def _refuse_unknown_command(words: Sequence[str]) -> None:
    """Say in one line what may be meant; no option before the command takes a value."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command is None or command in _COMMANDS:
        return
    print(
        f"stackchain: there is no command {command!r}{wording.did_you_mean(command, _COMMANDS)}; "
        "see `stackchain --help`",
        file=sys.stderr,
    )
    sys.exit(2)


def _run(parsed: argparse.Namespace, rest: list[str]) -> None:
    if rest:
        print(f"stackchain: unknown argument {rest[0]}; see `stackchain --help`", file=sys.stderr)
        sys.exit(2)
    match parsed.command:
        case "operator":
            with _nothing_collected():
                from controller.roles import operator, process

            process.run_role(operator.operate, needs_keys=False)
        case "worker":
            with _nothing_collected():
                from controller.roles import process, worker

            process.run_role(worker.work, needs_keys=True)
        case "webhook" if parsed.webhook_command == "setup":
            from controller.spacelift.webhooks import setup_command

            sys.exit(asyncio.run(setup_command.run(settings.load_settings(), parsed, sys.stdout)))
        case "webhook":
            with _nothing_collected():
                from controller.roles import process, webhook

            process.run_role(webhook.receive, needs_keys=False)
        case "ui":
            with _nothing_collected():
                from controller.plugin import page_role

            page_role.run()
        case _:
            _check(as_json=parsed.json, fixes=parsed.fix)


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """Import modules, which stay: looking for garbage among them takes a sixth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _check(*, as_json: bool, fixes: bool) -> None:
    from controller.temporal import temporal_test

    checking = temporal_test.check(
        settings.load_settings(), sys.stdout, as_json=as_json, fixes=fixes
    )
    code = asyncio.run(checking)
    sys.stdout.flush()
    # See `roles.process.run_role`.
    os._exit(code)


def _version() -> str:
    return importlib.metadata.version("stackchain")


class _RoleParser(argparse.ArgumentParser):
    """Lists the settings of a role below its options, when someone asks for help."""

    def format_help(self) -> str:
        """Return the help, with each environment variable, its default and its meaning."""
        rows = settings.describe_settings(self.prog.split()[-1])
        listed = "\n".join(
            f"  {row.variable}" + (f" (default: {row.default})" if row.default else "") + "\n"
            f"      {' '.join(row.meaning.split())}"
            for row in rows
        )
        return f"{super().format_help()}\nsettings, as environment variables:\n{listed}\n"


def _add_role(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    *,
    help: str,  # noqa: A002 (argparse's name)
) -> argparse.ArgumentParser:
    parser = _RoleParser(prog=f"stackchain {name}", description=f"{help[0].upper()}{help[1:]}.")
    commands.add_parser(name, help=help)
    commands.choices[name] = parser
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackchain",
        description="Runs Spacelift stacks in the order of their dependencies. Settings are "
        "environment variables: see docs/configuration.md.",
    )
    parser.add_argument("--version", action="version", version=f"stackchain {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_role(commands, "operator", help="watch StackChains and write their status")
    _add_role(commands, "worker", help="run chains: workflows and Spacelift activities")
    receive = _add_role(commands, "webhook", help="receive Spacelift's webhook deliveries")
    webhook_commands = receive.add_subparsers(
        dest="webhook_command", metavar="COMMAND", parser_class=argparse.ArgumentParser
    )
    setup = webhook_commands.add_parser("setup", help="register the webhook in Spacelift")
    setup_options.add_arguments(setup)
    _add_role(commands, "ui", help="serve the page, for viewers with their own tokens")
    check = commands.add_parser("check", help="check the connections, and say what is wrong")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument(
        "--fix",
        action="store_true",
        help="add the search attributes that the Temporal namespace lacks",
    )
    return parser
