"""A new chain's first run while another account, with many chains, refuses or hangs."""

import contextlib
import dataclasses
import pathlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import yaml

from devenv import simulator_process
from tests.benchmarks import figures, graphs, machine, rig, simulated_account, tables, waiting

POLL_SECONDS = 1.0
FIRST_RUN_SECONDS = 2.0
_RUN_SECONDS = 0.1

# Each request is refused, or answered later than the worker's other work can wait.
TROUBLES: Mapping[str, Mapping[str, Any]] = {
    "refuses": {"action": "status", "status": 429},
    "hangs": {"action": "latency", "seconds": 20},
}
# How many chains may be under way in slots while all others show that they wait: the share of one
# connection in the slots for calls. What is refused takes none.
_MOST_IN_SLOTS = {"refuses": 0, "hangs": 50}
_SAYS = {"refuses": "answers 429 to everything", "hangs": "answers everything 20 s late"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    seconds: Sequence[float]
    usage: machine.Usage


async def run(*, quick: bool) -> figures.Report:
    chains, new = (20, 3) if quick else (130, 10)
    async with _accounts() as accounts, _connected(accounts) as file:
        settings = {"SPACELIFT_CONNECTIONS_FILE": str(file)}
        async with (
            rig.running(poll_seconds=POLL_SECONDS, role_environment=settings) as parts,
            rig.watching(parts) as watch,
        ):
            await waiting.first_run(parts, watch, "warm-up")
            alone = [await waiting.first_run(parts, watch, f"alone-{n:02d}") for n in range(new)]
            found = {
                name: await _next_to(parts, watch, name, process, chains=chains, new=new)
                for name, process in accounts.items()
            }
    rows = [
        figures.Figure(
            what="apply -> first run, p50, alone", measured=tables.median(alone), unit="s"
        )
    ]
    notes = [
        f"the new chains, of one stack each, are applied one after the other, from the moment that "
        f"{chains} chains of the other account show that they wait, or have a slot",
        "one worker with default settings; "
        f"SPACELIFT_POLL_SECONDS={POLL_SECONDS:g} (the product's default is 10)",
    ]
    for name, one in found.items():
        rows += [
            figures.Figure(
                what=f"the other account {name}: the slowest of {new}",
                measured=max(one.seconds),
                unit="s",
                at_most=FIRST_RUN_SECONDS,
            ),
            figures.Figure(
                what=f"the other account {name}: p50", measured=tables.median(one.seconds), unit="s"
            ),
        ]
        notes.append(
            f"{name}: it {_SAYS[name]}; meanwhile {one.usage.cpu_text()} of processor time"
        )
    return figures.Report(
        title=f"A new chain while another account with {chains} chains refuses or hangs",
        figures=rows,
        notes=notes,
    )


async def _next_to(
    parts: rig.Rig,
    watch: rig.Watch,
    name: str,
    process: simulator_process.SimulatorProcess,
    *,
    chains: int,
    new: int,
) -> _Found:
    """Return how long first runs take while chains of an account wait for it; then heal it."""
    names = [f"{name}-{number:03d}" for number in range(chains)]
    stacks: graphs.Upstreams = dict.fromkeys((f"{name}-first", *names), ())
    async with contextlib.aclosing(simulated_account.SimulatedAccount(process.admin_url)) as other:
        await other.seed(graphs.scenario(stacks, is_native=False, durations=_RUN_SECONDS))
        # The worker has a token of the account, so that each request hangs, and not one for all.
        await parts.apply(f"{name}-first", root=f"{name}-first", connection=name)
        await watch.succeeded(f"{name}-first")
        await other.break_all(**TROUBLES[name])
        for one in names:
            await parts.apply(one, root=one, connection=name)
        # What many chains cost that start together is another benchmark's figure.
        await rig.until(
            lambda: (
                sum(watch.shows(one) == "RateLimited" for one in names)
                >= chains - _MOST_IN_SLOTS[name]
            ),
            what=f"the chains of the account that {name} show that they wait for it",
        )
        async with machine.watched(parts.pids()) as usage:
            found = [
                await waiting.first_run(parts, watch, f"next-to-{name}-{n:02d}") for n in range(new)
            ]
        await other.heal()
        await watch.succeeded(*names)
        runs = await other.count_runs()
    if runs != chains + 1:
        raise rig.Failed(f"{runs} runs in the account that {name}, not {chains + 1}")
    return _Found(seconds=found, usage=usage)


@contextlib.asynccontextmanager
async def _accounts() -> AsyncIterator[dict[str, simulator_process.SimulatorProcess]]:
    """Give an account for each trouble, next to the one of the rig."""
    async with contextlib.AsyncExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield {
            name: await stack.enter_async_context(simulator_process.SimulatorProcess(folder / name))
            for name in TROUBLES
        }


@contextlib.asynccontextmanager
async def _connected(
    accounts: Mapping[str, simulator_process.SimulatorProcess],
) -> AsyncIterator[pathlib.Path]:
    """Give a connections file with the accounts."""
    key = simulator_process.API_KEY
    with tempfile.TemporaryDirectory() as folder:
        key_id, secret = pathlib.Path(folder) / "id", pathlib.Path(folder) / "secret"
        key_id.write_text(key.id, encoding="utf-8")
        secret.write_text(key.secret, encoding="utf-8")
        entries = {
            name: {
                "endpoint": account.url,
                "allowedNamespaces": ["*"],
                "apiKeyIdFile": str(key_id),
                "apiKeySecretFile": str(secret),
            }
            for name, account in accounts.items()
        }
        file = pathlib.Path(folder) / "connections.yaml"
        file.write_text(yaml.safe_dump({"connections": entries}), encoding="utf-8")
        yield file
