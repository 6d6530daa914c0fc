"""`python -m tests.benchmarks [NAME...] [--quick]`: prints tables, asserts nothing about time."""

import argparse
import asyncio
import compileall
import contextlib
import pathlib
import sys
import time
from collections.abc import Awaitable, Mapping
from typing import Protocol

import httpx

import controller
from controller.dev import tools
from tests.benchmarks import (
    first_run,
    history,
    machine,
    makespan,
    memory,
    requests,
    rig,
    starts,
    status,
    tables,
)


class Benchmark(Protocol):
    def __call__(self, *, quick: bool) -> Awaitable[list[tables.Table]]: ...


BENCHMARKS: Mapping[str, tuple[str, Benchmark]] = {
    "makespan": ("makespan of 200 stacks against the shortest possible", makespan.run),
    "first-run": ("apply of a chain -> its first run, at 1 and 5 chains/s", first_run.run),
    "requests": ("Spacelift requests per stack and per tick", requests.run),
    "history": ("history events of a 500-stack chain", history.run),
    "memory": ("memory of operator and worker; a restart over 1,000 resources", memory.run),
    "status": ("state change -> status; status writes per second", status.run),
    "starts": ("chains started per minute", starts.run),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; default: all")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, for a first look")
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    arguments = parser.parse_args()
    if arguments.list:
        for name, (text, _) in BENCHMARKS.items():
            print(f"{name:12} {text}")
        return 0
    if unknown := set(arguments.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; --list names them")
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_run(arguments.names or list(BENCHMARKS), quick=arguments.quick))
    return 130


async def _run(names: list[str], *, quick: bool) -> int:
    # As in an image: the workflow sandbox loads modules again and again.
    compileall.compile_dir(pathlib.Path(controller.__file__).parent, quiet=2)
    print(machine.line())
    shown: list[tables.Table] = []
    failed = []
    for name in names:
        started = time.monotonic()
        print(f"\n== {name} ({machine.load()})", flush=True)
        try:
            found = await BENCHMARKS[name][1](quick=quick)
        except (rig.Failed, tools.DevError, httpx.HTTPError) as error:
            print(f"FAILED {name}: {error}", flush=True)
            failed.append(name)
            continue
        for table in found:
            print(f"\n{table.text()}", flush=True)
        print(f"\n({time.monotonic() - started:.0f} s)", flush=True)
        shown += found
    _print_markdown(shown, quick=quick)
    if failed:
        print(f"\nFAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _print_markdown(shown: list[tables.Table], *, quick: bool) -> None:
    print("\n== Markdown\n")
    sizes = "Sizes of `--quick`. " if quick else ""
    print(f"{sizes}Machine: {machine.line()}.")
    for table in shown:
        print(f"\n{table.markdown()}")


if __name__ == "__main__":
    sys.exit(main())
