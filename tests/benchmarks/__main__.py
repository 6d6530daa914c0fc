"""`python -m tests.benchmarks [NAME...] [--quick]`: prints tables, asserts nothing about time."""

import argparse
import asyncio
import compileall
import contextlib
import pathlib
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

import httpx

import controller
from devenv import tools
from tests.benchmarks import (
    cost,
    deliveries,
    fairness,
    figures,
    first_run,
    history,
    machine,
    makespan,
    many,
    memory,
    model,
    native_runs,
    page,
    requests,
    rig,
    scale_at_rest,
    starts,
    status,
    temporal_servers,
    waiting,
    webhook_hops,
    workers_killed,
)

# Quick sizes measure nothing, so benchmarks may then disturb each other.
_AT_ONCE_IF_QUICK = 2
_FULL = "measured one after the other; each part of the system is a process on this machine"
_QUICK = "sizes of `--quick`, two benchmarks at a time: they show that all of it runs, and no more"


class Benchmark(Protocol):
    def __call__(self, *, quick: bool) -> Awaitable[figures.Report]: ...


BENCHMARKS: Mapping[str, tuple[str, Benchmark]] = {
    "makespan": ("makespan of 200 stacks against the shortest possible", makespan.run),
    "first-run": ("apply of a chain -> its first run, at 1 and 5 chains/s", first_run.run),
    "requests": ("Spacelift requests per stack and per tick", requests.run),
    "cost": ("what a stack and an hour of waiting cost, in counts", cost.run),
    "model": ("what `make size` computes, against chains of other sizes", model.run),
    "history": ("history events of a 500-stack chain", history.run),
    "memory": ("memory of operator and worker; a restart over 1,000 resources", memory.run),
    "scale": ("10,000 resources at rest: restart, memory, idle cost", scale_at_rest.run),
    "page": ("memory of the page's server with 20 viewers of 500 stacks", page.run),
    "status": ("state change -> status; status writes per second", status.run),
    "starts": ("chains started per minute", starts.run),
    "waiting": ("a new chain beside 600 runs that wait for a person", waiting.run),
    "many": ("new chains and killed workers with 600 runs waiting and a large chain", many.run),
    "fairness": ("a new chain while another account refuses or hangs", fairness.run),
    "deliveries": ("webhook deliveries per second; memory under malformed ones", deliveries.run),
    "hops": ("upstream ended -> dependent triggered, by webhook alone", webhook_hops.run),
    "native-runs": ("what nativeRuns Adopt and Strict buy and cost, simulated", native_runs.run),
    "workers-killed": ("all workers killed in the middle of 300 stacks", workers_killed.run),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes: does all of it run?")
    parser.add_argument("--details", action="store_true", help="tables that explain the figures")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write tables there")
    parser.add_argument(
        "--temporal",
        choices=[kind.value for kind in temporal_servers.Kind],
        default=temporal_servers.Kind.DEV_SERVER.value,
        help="the server to run on; `postgres` compiles it once, which takes ten minutes",
    )
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    arguments = parser.parse_args()
    if arguments.list:
        for name, (text, _) in BENCHMARKS.items():
            print(f"{name:15} {text}")
        return 0
    if unknown := set(arguments.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; --list names them")
    try:
        temporal_servers.choose(temporal_servers.Kind(arguments.temporal))
    except tools.DevError as error:
        print(f"stackchain: {error}", file=sys.stderr)
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_run(arguments))
    return 130


async def _run(arguments: argparse.Namespace) -> int:
    # As in an image: the workflow sandbox loads modules again and again.
    compileall.compile_dir(pathlib.Path(controller.__file__).parent, quiet=2)
    print(f"{machine.line()}; {temporal_servers.chosen().text}")
    names = arguments.names or list(BENCHMARKS)
    slots = asyncio.Semaphore(_AT_ONCE_IF_QUICK if arguments.quick else 1)
    began = time.monotonic()

    async def one(name: str) -> figures.Report | None:
        async with slots:
            return await _measure(name, quick=arguments.quick, details=arguments.details)

    reports = await asyncio.gather(*(one(name) for name in names))
    done = [report for report in reports if report is not None]
    summary = figures.summary(done, note=_QUICK if arguments.quick else _FULL)
    print(f"\n{summary.text()}\n\n({time.monotonic() - began:.0f} s)", flush=True)
    if arguments.markdown is not None:
        arguments.markdown.write_text(_markdown(done, summary.markdown()), encoding="utf-8")
    failed = [name for name, report in zip(names, reports, strict=True) if report is None]
    if failed:
        print(f"\nFAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


async def _measure(name: str, *, quick: bool, details: bool) -> figures.Report | None:
    """Run one benchmark and print what it found; None if it failed."""
    started, load = time.monotonic(), machine.load()
    try:
        report = await BENCHMARKS[name][1](quick=quick)
    except (rig.Failed, tools.DevError, httpx.HTTPError) as error:
        print(f"\n== {name} ({load})\n\nFAILED {name}: {error!r}", flush=True)
        return None
    shown = [report.table(), *(report.details if details else ())]
    text = "\n\n".join(table.text() for table in shown)
    seconds = time.monotonic() - started
    print(f"\n== {name} ({load} at its start)\n\n{text}\n\n({seconds:.0f} s)", flush=True)
    return report


def _markdown(reports: Sequence[figures.Report], summary: str) -> str:
    shown = [report.table().markdown() for report in reports]
    return "\n\n".join([f"Machine: {machine.line()}.", summary, *shown]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
