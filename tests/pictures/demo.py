"""The pictures of one environment: the tree as it runs, Temporal's timeline, and the dashboard."""

import time
from pathlib import Path

from devenv import settings
from tests.pictures import dashboard_answers, dashboard_svg, terminal_svg, tree
from tests.support.prometheus import PROGRAM, Prometheus
from tests.support.waiting import eventually
from tests.ui import tour

_UI = Path(__file__).parents[2] / "ui"
# Filters and order of Temporal's timeline: the stacks alone, in the order in which they started.
_STACKS_ALONE = (
    ("button", "Filter"),
    ("menuitem", "None"),
    ("menuitem", "Child Workflow"),
    ("button", "Filter"),
    ("button", "Descending"),
)
_TIMELINE = 'h2:has-text("Timeline") >> xpath=../../..'
_PANELS = (
    (
        "Leader",
        "StackChains",
        "Running",
        "Waiting for a person",
        "Failed",
        "Temporal reachable",
        "Pollers",
        "Versions",
    ),
    ("StackChains that need someone",),
    ("StackChains by reason of Ready", "Longest waits and runs by StackChain"),
    (
        "Stacks of live runs by phase",
        "Stacks that are held up",
        "Spacelift runs triggered and adopted",
    ),
)
_EXAMPLES = ("drift", "preview", "after-platform")


async def take(folder: Path) -> None:
    """Run the demo's chain once, and take all pictures of it."""
    assert PROGRAM is not None, "needs Prometheus: install Debian's package prometheus"
    async with tour.touring(settings.load_dev_settings(), _UI) as page:
        directory = page.local.directory / "prometheus"
        async with Prometheus(directory, list(page.local.roles.values())) as prometheus:
            since = time.time()
            await _tree(page, folder / "tree.svg")
            await _timeline(page, folder / "temporal-timeline.png")
            await _dashboard(page, prometheus, since, folder / "dashboard.svg")


async def _tree(page: tour.Tour, file: Path) -> None:
    frames = await tree.record(page)
    animated = terminal_svg.animate(
        frames,
        command=" ".join(tree.COMMAND),
        columns=tree.SIZE.columns,
        title="kubectl stackchain tree --watch: a chain from its start to Ready",
    )
    _write(file, animated)


async def _timeline(page: tour.Tour, file: Path) -> None:
    link = await page.kubectl(
        "get", "schain", tour.CHAIN, "-o", "jsonpath={.status.latestRun.workflowUrl}"
    )
    problems = await page.do(
        visit=link, press=_STACKS_ALONE, shot=str(file), part=_TIMELINE, width=1200
    )
    assert problems == [], "\n".join(problems)
    print(file.name, flush=True)


async def _dashboard(page: tour.Tour, prometheus: Prometheus, since: float, file: Path) -> None:
    """Have some chains wait and one fail, and draw what Prometheus says of them."""
    await page.fail("monitoring")
    await page.kubectl("annotate", "schain", tour.CHAIN, "stackchain.dev/run=again")
    for name in _EXAMPLES:
        await page.kubectl("apply", "-f", f"examples/{name}.yaml")

    async def is_seen() -> bool:
        waits = await prometheus.query('stackchain_chains{reason="AwaitingConfirmation"} > 0')
        failed = await prometheus.query("stackchain_chain_failed_stacks > 0")
        return bool(waits and failed)

    await eventually(is_seen, what="a chain that waits, and a stack that failed")
    until = time.time()
    rows = [
        [
            await dashboard_answers.ask(prometheus, title, since=since, until=until)
            for title in titles
        ]
        for titles in _PANELS
    ]
    title = "The Grafana dashboard's panels, with the metrics of the demo's chains"
    _write(file, dashboard_svg.draw(rows, title=title, period=(since, until)))


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    print(file.name, flush=True)
