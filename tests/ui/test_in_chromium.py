"""The page in a real browser: all that `make test-ui` looks at, and the demo's chain live."""

import asyncio
import sys
from pathlib import Path

import pytest

from devenv import settings
from devenv.control_plane import binaries
from tests.ui import tour
from tests.ui.conftest import ROOT

pytestmark = pytest.mark.skipif(
    tour.find_chromium() is None,
    reason="needs Chromium: install Debian's chromium, or set CHROMIUM=PATH",
)
_SECONDS = 1500
# Budgets of time are for an idle machine: `make test-ui` has them.
_SLOWNESS = "1000"


@pytest.mark.timeout(_SECONDS + 60)
async def test_the_page_does_in_a_browser_what_it_should(page_sources: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("node", "--test", "--test-reporter=tap", "--test-concurrency=1"),
        *("browser/page.test.mjs", "browser/embed.test.mjs"),
        cwd=page_sources,
        env={
            **settings.variables_of_shell(),
            "CHROMIUM": tour.find_chromium() or "",
            "PROJECT": str(ROOT),
            "PYTHON": sys.executable,
            "SLOWNESS": _SLOWNESS,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    text = output.decode(errors="replace")
    print(text)
    failed = [line for line in text.splitlines() if line.startswith("not ok")]

    assert failed == []
    assert process.returncode == 0
    assert "# fail 0" in text


async def test_the_chain_of_the_demo_is_followed_live_over_a_restart_of_the_api_server(
    page_sources: Path,
    dev_settings: settings.DevSettings,
    control_plane_binaries: binaries.Binaries,
) -> None:
    async with tour.touring(dev_settings, page_sources) as page:
        control_plane = page.local.control_plane
        assert control_plane is not None
        await page.sees("No StackChain", at="?")
        await page.kubectl("apply", "-f", "examples/platform.yaml")
        await page.sees("Waits for a person", at=tour.part(tour.CHAIN))
        await control_plane.stop_api_server()
        await page.sees("does not answer")
        await page.sees("Not up to date")
        await control_plane.start_api_server()
        await page.sees("Live")
        await page.confirm("database")
        await page.sees("1 of 12 stacks failed")
        await page.heal("monitoring")
        await page.kubectl("stackchain", "retry", tour.CHAIN)
        await page.sees("RunSucceeded")
        await page.sees("12/12")
