"""`python -m tests.pictures FOLDER`: takes and draws all pictures of the documentation.

The packages of `ui/` have to be installed, and Chromium and Prometheus.
"""

import asyncio
import sys
from pathlib import Path

from tests.pictures import demo, drawn
from tests.ui import pictures as page


async def main(folder: Path) -> None:
    """Draw what is drawn, and take pictures of two environments, one after the other."""
    drawn.write(folder)
    await demo.take(folder)
    await page.main(folder)


if __name__ == "__main__":
    where = Path(sys.argv[1]).absolute()
    where.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(where))
