"""The command: options in, a simulator that runs until someone stops it.

`python -m devenv.simulator` and `python -m devenv simulator` both end up in `main`.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from devenv.simulator import scenario
from devenv.simulator.simulator import Simulator
from devenv.simulator.web.server import Server, serve

_USAGE_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulator; return the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=arguments.log_level.upper(), format="%(levelname)s %(message)s")
    try:
        document = scenario.load(arguments.scenario) if arguments.scenario else scenario.parse({})
        simulator = Simulator(document, state_file=arguments.state_file)
    except scenario.ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE_ERROR
    try:
        asyncio.run(_serve(simulator, arguments))
    except OSError as error:
        sys.stderr.write(f"cannot listen: {error}; choose another port\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devenv simulator",
        description="A Spacelift account on loopback; see docs/simulator.md.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="HTTP port; 0 takes a free one")
    parser.add_argument("--tls-port", type=int, help="also listen with TLS; 0 takes a free port")
    parser.add_argument("--ca-file", type=Path, help="where to write the CA of the TLS port")
    parser.add_argument("--scenario", type=Path, help="YAML file that describes the account")
    parser.add_argument("--state-file", type=Path, help="keep the account here over restarts")
    parser.add_argument("--ready-file", type=Path, help="JSON with the URLs, written when ready")
    parser.add_argument(
        "--log-level",
        default="info",
        choices=("debug", "info", "warning", "error"),
        help="what to log to standard error",
    )
    return parser


async def _serve(simulator: Simulator, arguments: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with serve(
        simulator,
        host=arguments.host,
        port=arguments.port,
        tls_port=arguments.tls_port,
        ca_file=arguments.ca_file,
    ) as server:
        sys.stdout.write(f"Spacelift simulator: {server.url} (admin {server.admin_url})\n")
        sys.stdout.flush()
        if arguments.ready_file is not None:
            _write_ready_file(arguments.ready_file, server)
        await stopping.wait()


def _write_ready_file(path: Path, server: Server) -> None:
    """Write the file in one step: whoever waits for it never reads half of it."""
    document = {
        "url": server.url,
        "admin_url": server.admin_url,
        "tls_url": server.tls_url,
        "ca_file": str(server.ca_file) if server.ca_file else None,
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document) + "\n", encoding="utf-8")
    draft.replace(path)
