"""`python -m devenv`: the local environment, the demo, and the simulator on its own."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from devenv import dev_command, environment, example_account, settings
from devenv.demo import program
from devenv.simulator import cli as simulator_cli

_USAGE_ERROR = 2
_COMMANDS = """commands, each with a --help of its own:
  demo                show a chain live, from `kubectl apply` to its end, and stop
  simulator           run the Spacelift simulator on its own
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command of the local environment and return its exit code."""
    # Kubeconfigs, tokens, keys, databases and logs: no other user of this machine may read them.
    os.umask(0o077)
    try:
        match list(arguments):
            case ["simulator", *rest]:
                return simulator_cli.main(rest)
            case ["demo", *rest]:
                return _demo(_demo_parser().parse_args(rest))
        return _dev(_dev_parser().parse_args(arguments))
    except settings.SettingsError as error:
        for problem in error.problems:
            print(f"stackchain: {problem}", file=sys.stderr)
        return _USAGE_ERROR


def _demo(parsed: argparse.Namespace) -> int:
    options = program.DemoOptions(
        dev=settings.load_dev_settings(),
        terminal=settings.load_terminal_settings(),
        is_plain=parsed.plain,
        keeps_environment=parsed.keep,
    )
    return asyncio.run(program.run_demo(options))


def _dev(parsed: argparse.Namespace) -> int:
    options = environment.DevOptions(
        dev=settings.load_dev_settings(),
        say=_say,
        state_dir=parsed.state_dir,
        published_kubeconfig=None if parsed.state_dir else environment.SHELL_KUBECONFIG,
        context=parsed.context,
        kubeconfig=parsed.kubeconfig,
        scenario=parsed.scenario,
        poll_seconds=parsed.poll_seconds,
        has_page=True,
    )
    return asyncio.run(dev_command.run_dev(options))


def _say(line: str) -> None:
    print(line, flush=True)


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE_ERROR, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def _dev_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m devenv",
        usage="python -m devenv [OPTIONS]\n       python -m devenv demo|simulator [OPTIONS]",
        description="Start a Kubernetes API server, Temporal with its web UI, a Spacelift "
        "simulator that sends webhooks, the operator, a worker and the webhook receiver on this "
        "machine, until Ctrl-C.",
        epilog=_COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--scenario",
        type=_existing_file,
        default=example_account.FILE,
        metavar="FILE",
        help="stacks of the simulated account, in YAML (default: those of examples/)",
    )
    parser.add_argument(
        "--context", metavar="NAME", help="use the cluster of this kubeconfig context"
    )
    parser.add_argument(
        "--kubeconfig", type=_existing_file, metavar="FILE", help="kubeconfig of that cluster"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="FOLDER",
        help="keep the state here, and go on with it at the next start (default: keep nothing)",
    )
    parser.add_argument(
        "--poll-seconds",
        type=_seconds,
        default=1.0,
        metavar="N",
        help="how often the worker reads the runs (default: 1)",
    )
    return parser


def _demo_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m devenv demo",
        description="Start a local environment, apply examples/platform.yaml, show the chain as "
        "it runs, fails, is fixed and succeeds, and stop. It takes less than a minute.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the environment up afterwards, until Ctrl-C"
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="print a line for each change in place of a live tree, as without a terminal",
    )
    return parser


def _existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return seconds
