"""`stackchain dev`: the local environment, the demo, and the simulator on its own."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from controller import settings
from controller.dev import environment, serving
from controller.dev.simulator import cli as simulator_cli


def main(arguments: Sequence[str]) -> int:
    """Run a command of the local environment and return its exit code."""
    if arguments and arguments[0] == "simulator":
        return simulator_cli.main(list(arguments[1:]))
    parsed = _parser().parse_args(arguments)
    options = environment.DevOptions(
        dev=settings.load_settings().dev,
        say=_say,
        state_dir=parsed.state_dir,
        context=parsed.context,
        kubeconfig=parsed.kubeconfig,
        scenario=parsed.scenario,
        poll_seconds=parsed.poll_seconds,
    )
    return asyncio.run(serving.run_dev(options))


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackchain dev",
        description="Start a Kubernetes API server, Temporal, a Spacelift simulator, the operator "
        "and a worker on this machine, until Ctrl-C. `stackchain dev simulator --help` is about "
        "the simulator alone.",
    )
    parser.add_argument("--scenario", type=Path, help="the simulated account's stacks (YAML)")
    parser.add_argument("--context", help="use the cluster of this kubeconfig context")
    parser.add_argument("--kubeconfig", type=Path, help="kubeconfig of the cluster to use")
    parser.add_argument("--state-dir", type=Path, help="keep the state here for the next start")
    parser.add_argument(
        "--poll-seconds", type=float, default=1.0, help="how often runs are read (default: 1)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
