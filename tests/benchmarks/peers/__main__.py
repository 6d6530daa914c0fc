"""`make peers`: the same stacks of the same account, rolled by what users would take instead.

Each is measured undisturbed, and then killed (SIGKILL) once half of the runs were created and
started again five seconds later, as Kubernetes or a person would.
"""

import argparse
import asyncio
import dataclasses
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from devenv import processes, simulator_process, tools
from tests.benchmarks import graphs, machine, rig, simulated_account, tables
from tests.benchmarks.peers import account

RUN_SECONDS = 3.0
POLL_SECONDS = 0.5
_AWAY_SECONDS = 5.0
_ROOT = Path(__file__).parents[3]
_NAME = "dag"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """What each of them has to roll."""

    stacks: int
    levels: int
    parallelism: int

    @property
    def graph(self) -> graphs.Upstreams:
        return graphs.layered("s", stacks=self.stacks, levels=self.levels)

    async def seed(self, parts: simulated_account.SimulatedAccount) -> None:
        # By labels alone: with native dependencies, Spacelift itself would run most of it.
        await parts.seed(graphs.scenario(self.graph, is_native=False, durations=RUN_SECONDS))
        await parts.forget_requests()

    async def half(self, parts: simulated_account.SimulatedAccount) -> None:
        """Wait until half of the runs were created."""

        async def is_midway() -> bool:
            return await parts.count_runs() >= self.stacks // 2

        await rig.until(is_midway, what="half of the runs were created")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    makespan: float
    """Seconds from the first run's creation to the last one's end."""
    requests: int
    """To Spacelift."""
    memory: float
    """MiB, the most that all of its processes had together."""
    again: int
    """Stacks that had more than one run."""


_Measure = Callable[[_Work, bool], Awaitable[_Found]]


async def _stackchain(work: _Work, is_killed: bool) -> _Found:
    """Operator and worker are killed; the API server and Temporal stay, as in a cluster."""
    async with (
        rig.running(poll_seconds=POLL_SECONDS) as parts,
        rig.watching(parts) as watch,
        machine.watched_together() as memory,
    ):
        await work.seed(parts)
        ours = [parts.role("operator"), parts.role("worker")]
        memory.pids = lambda: [role.process.pid for role in ours]
        await parts.apply(_NAME, root=graphs.root_of(work.graph), parallelism=work.parallelism)
        if is_killed:
            await work.half(parts)
            await asyncio.gather(*(role.kill() for role in ours))
            await asyncio.sleep(_AWAY_SECONDS)
            await asyncio.gather(*(role.start() for role in ours))
        await watch.succeeded(_NAME)
        return await _found(parts, memory)


def _program(module: str, python: str) -> _Measure:
    """Return how to measure a program of this folder, which `python` runs."""

    async def measure(work: _Work, is_killed: bool) -> _Found:
        with tempfile.TemporaryDirectory() as folder:
            simulator = simulator_process.SimulatorProcess(Path(folder) / "simulator")
            async with simulator, machine.watched_together() as memory:
                parts = simulated_account.SimulatedAccount(simulator.admin_url)
                try:
                    await work.seed(parts)
                    command = _command(module, python, Path(folder), simulator, work)
                    await _follow(command, memory, work.half(parts) if is_killed else None)
                    return await _found(parts, memory)
                finally:
                    await parts.aclose()

    return measure


def _command(
    module: str,
    python: str,
    folder: Path,
    simulator: simulator_process.SimulatorProcess,
    work: _Work,
) -> processes.Command:
    file = folder / "rollout.json"
    account.Rollout(
        url=simulator.url,
        key_id=simulator.api_key.id,
        secret=simulator.api_key.secret,
        upstreams=work.graph,
        parallelism=work.parallelism,
        poll_seconds=POLL_SECONDS,
    ).write(file)
    return processes.Command(
        name=module,
        argv=(python, "-m", f"tests.benchmarks.peers.{module}", str(file)),
        log_file=folder / "log",
        directory=_ROOT,
        environment={
            "HOME": str(folder),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        },
    )


async def _follow(
    command: processes.Command, memory: machine.Together, to_be_killed_after: Awaitable[None] | None
) -> None:
    process = processes.Process.start(command)
    try:
        memory.pids = lambda: machine.of_session(process.pid)
        if to_be_killed_after is not None:
            await to_be_killed_after
            await process.kill()
            await asyncio.sleep(_AWAY_SECONDS)
            process = processes.Process.start(command)
        await rig.until(lambda: not process.is_running, what=f"{command.name} has ended")
        code = process.returncode
    finally:
        await process.kill()
    if code != 0:
        raise simulated_account.Failed(
            f"{command.name} ended with code {code}:\n{process.log_tail()}"
        )


async def _found(parts: simulated_account.SimulatedAccount, memory: machine.Together) -> _Found:
    requests, _ = await parts.requests()
    runs = await parts.runs()
    made = Counter(run["stackId"] for run in runs)
    return _Found(
        makespan=max(map(rig.ended_at, runs)) - min(float(run["createdAt"]) for run in runs),
        requests=requests,
        memory=memory.peak,
        again=sum(count > 1 for count in made.values()),
    )


async def _run(prefect: str, *, quick: bool) -> tables.Table:
    work = _Work(stacks=15, levels=3, parallelism=8)
    if not quick:
        work = _Work(stacks=60, levels=6, parallelism=20)
    least = graphs.limit(
        work.graph, seconds=RUN_SECONDS, parallelism=work.parallelism, is_native=False
    )
    peers: dict[str, _Measure] = {
        "StackChain": _stackchain,
        "Prefect": _program("prefect_flow", prefect),
        "script": _program("script", sys.executable),
    }
    table = tables.Table(
        title=f"{work.stacks} stacks in {work.levels} levels, runs of {RUN_SECONDS:g} s",
        columns=["", "makespan", "of the least", "requests", "memory", "stacks that ran twice"],
        notes=[
            f"parallelism {work.parallelism}; the least makespan is {least:g} s; states are read "
            f"every {POLL_SECONDS:g} s; no webhooks; makespan: first run created -> last run ended",
            "killed: SIGKILL once half of the runs were created, started again after "
            f"{_AWAY_SECONDS:g} s; Kubernetes starts StackChain again, someone has to start the "
            "others",
            "memory: the most of all processes; StackChain's are operator and worker, not Temporal",
        ],
    )
    for name, measure in peers.items():
        for is_killed in (False, True):
            found = await measure(work, is_killed)
            table.add(
                f"{name}{', killed' if is_killed else ''}",
                f"{found.makespan:.1f} s",
                f"{found.makespan / least:.2f}",
                found.requests,
                f"{found.memory:.0f} MiB",
                found.again,
            )
    return table


def _absolute(path: str) -> str:
    # Not resolved: an environment's Python is a link, and knows the environment by its place.
    return str(Path(path).absolute())


def main() -> int:
    parser = argparse.ArgumentParser(prog="make peers", description=__doc__)
    parser.add_argument(
        "--prefect",
        type=_absolute,
        required=True,
        help="the Python of an environment with Prefect",
    )
    parser.add_argument("--quick", action="store_true", help="few stacks: does all of it run?")
    given = parser.parse_args()
    print(machine.line(), flush=True)
    try:
        table = asyncio.run(_run(given.prefect, quick=given.quick))
    except (simulated_account.Failed, tools.DevError, httpx.HTTPError) as error:
        print(f"make peers: {error}", file=sys.stderr)
        return 1
    print(f"\n{table.text()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
