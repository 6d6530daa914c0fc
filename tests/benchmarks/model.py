"""What `devenv/scale.py` computes, against loads whose counts it was not made from."""

import asyncio
import dataclasses

from devenv import scale
from tests.benchmarks import figures, graphs, rig

# The product's default: a run is followed for long enough that it decides what this costs.
POLL_SECONDS = 10.0
# Of the short runs, so that one is read as often as a run of ten minutes is by default.
QUICK_POLL_SECONDS = 0.2
_MOST = 1.25
_SHORT_SECONDS = 1.0
_SETTLE_SECONDS = 5.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Point:
    """Chains that start together, each of one root and stacks that depend on it."""

    name: str
    chains: int
    stacks: int
    run_seconds: float
    poll_seconds: float = QUICK_POLL_SECONDS

    @property
    def load(self) -> scale.Load:
        """As the model sees it: a root, and then all others at once."""
        return scale.Load(
            chain_runs=self.chains,
            stacks=self.stacks,
            run_hours=self.run_seconds / 3600,
            busy_hours=2 * self.run_seconds / 3600,
            poll_seconds=self.poll_seconds,
        )

    @property
    def text(self) -> str:
        chains = "one chain" if self.chains == 1 else f"{self.chains} chains"
        return f"{chains} of {self.stacks} stacks, runs of {self.run_seconds:g} s"


async def run(*, quick: bool) -> figures.Report:
    points = [
        _Point(name="wide", chains=1, stacks=12 if quick else 40, run_seconds=_SHORT_SECONDS),
        _Point(name="many", chains=5 if quick else 20, stacks=3, run_seconds=_SHORT_SECONDS),
        _Point(
            name="long",
            chains=2,
            stacks=5 if quick else 15,
            run_seconds=30.0 if quick else 180.0,
            poll_seconds=POLL_SECONDS,
        ),
    ]
    found: list[figures.Figure] = []
    for point in points:
        found += await _compare(point)
    return figures.Report(
        title="The sizing model against measured loads",
        figures=found,
        notes=[
            "measured / computed by `make size`; its coefficients come from chains of other shapes",
            f"SPACELIFT_POLL_SECONDS={QUICK_POLL_SECONDS:g}, for the long runs {POLL_SECONDS:g}; "
            "no webhooks",
        ],
    )


async def _compare(point: _Point) -> list[figures.Figure]:
    async with (
        rig.running(poll_seconds=point.poll_seconds) as parts,
        rig.watching(parts) as watch,
    ):
        chains = {
            name: graphs.fan(name, stacks=point.stacks)
            for name in (f"{point.name}-{number}" for number in range(point.chains))
        }
        for graph in chains.values():
            await parts.seed(graphs.scenario(graph, is_native=False, durations=point.run_seconds))
        await asyncio.sleep(_SETTLE_SECONDS)
        before = await parts.counts()
        for name, graph in chains.items():
            await parts.apply(name, root=graphs.root_of(graph), parallelism=point.stacks)
        await watch.succeeded(*chains)
        # Temporal's metrics are a second late.
        await asyncio.sleep(_SETTLE_SECONDS)
        counted = await parts.counts() - before
    measured, computed = sum(counted.actions.values()), scale.size_of(point.load).actions
    return [
        figures.Figure(what=f"{point.text}: Temporal actions", measured=measured),
        figures.Figure(
            what=f"{point.text}: measured / computed", measured=measured / computed, at_most=_MOST
        ),
    ]
