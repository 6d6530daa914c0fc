"""`python -m tests.ui.pictures FOLDER`: the documentation's pictures of the page.

They are of the demo's account and chains, which the operator runs on a real API server and Temporal
while the pictures are taken. The packages of `ui/` have to be installed.
"""

import asyncio
import sys
from pathlib import Path

from devenv import settings
from tests.ui import tour

ROOT = Path(__file__).parents[2]
_STAGED = """
apiVersion: stackchain.dev/v1alpha1
kind: StackChain
metadata: {name: shop, namespace: default}
spec:
  roots: {stackIds: [shop-dev, shop-prod]}
  stages:
    - {name: dev, labels: ["env:dev"]}
    - {name: prod, labels: ["env:prod"], approval: Required}
"""
_LIVE = ("drift", "preview", "after-platform")
_WIDE = {"width": 1440, "height": 900}
_PHONE = {"width": 390, "height": 844}


async def take(page: tour.Tour, folder: Path) -> None:
    """Have the chains of the demo run, and take a picture of each view on the way."""
    await page.kubectl("apply", "-f", "examples/platform.yaml")
    await page.sees("Waits for a person", at=tour.part(tour.CHAIN))
    await page.confirm("database")
    await page.sees("9/12", at=tour.part(tour.CHAIN))
    await page.sees("1 of 12 stacks failed")
    await _of_failed(page, folder)
    await page.heal("monitoring")
    await page.kubectl("stackchain", "retry", tour.CHAIN)
    await page.sees("RunSucceeded", at=tour.part(tour.CHAIN, "&view=runs"))
    await _shot(page, folder, "runs")
    await page.kubectl("annotate", "schain", tour.CHAIN, "stackchain.dev/run=again")
    await page.sees("Waits for a person", at=tour.part(tour.CHAIN))
    await _shot(page, folder, "graph")
    staged = folder / "staged.yaml"
    staged.write_text(_STAGED, encoding="utf-8")
    try:
        await page.kubectl("apply", "-f", str(staged))
    finally:
        staged.unlink()
    for name in _LIVE:
        await page.kubectl("apply", "-f", f"examples/{name}.yaml")
    await page.sees("holds up", at=tour.part("shop"))
    await _shot(page, folder, "staged")
    for text in ("AwaitingApproval", "Scheduled", "Suspended", "Waits for chain"):
        await page.sees(text, at="?")
    await _shot(page, folder, "list")


async def _of_failed(page: tour.Tour, folder: Path) -> None:
    await page.sees("What to do", at=tour.part(tour.CHAIN, "&stack=monitoring"))
    await _shot(page, folder, "drawer")
    await _shot(page, folder, "drawer", scheme="dark")
    await _shot(page, folder, "phone", at=tour.part(tour.CHAIN), size=_PHONE)
    await _shot(page, folder, "table", at=tour.part(tour.CHAIN, "&view=table"))
    await _shot(page, folder, "timeline", at=tour.part(tour.CHAIN, "&view=timeline"))
    await page.sees("StackFailed", at=tour.part(tour.CHAIN, "&view=events"))
    await _shot(page, folder, "events")


async def _shot(
    page: tour.Tour,
    folder: Path,
    name: str,
    *,
    at: str | None = None,
    size: dict[str, int] = _WIDE,
    scheme: str = "light",
) -> None:
    file = folder / f"{name}-{size['width']}-{scheme}.png"
    where = {} if at is None else {"open": at}
    problems = await page.do(shot=str(file), scheme=scheme, **size, **where)
    assert problems == [], "\n".join(problems)
    print(file.name, flush=True)


async def main(folder: Path) -> None:
    """Take all pictures."""
    async with tour.touring(settings.load_dev_settings(), ROOT / "ui") as page:
        await take(page, folder)


if __name__ == "__main__":
    where = Path(sys.argv[1]).absolute()
    where.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(where))
