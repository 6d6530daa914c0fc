"""The sources of the page: their types, and the tests of what they decide without a browser."""

import json
import re
from pathlib import Path

from tests.ui.conftest import UI, output_of


async def test_types_and_pure_code_of_the_page_hold(page_sources: Path) -> None:
    await output_of("npm", "run", "--silent", "check", cwd=page_sources)

    printed = await output_of("npm", "run", "--silent", "test", cwd=page_sources)

    ran = re.search(r"tests (\d+)", printed)
    assert ran is not None, printed
    assert int(ran.group(1)) >= 50


def test_packages_are_locked_by_hash_and_by_no_address() -> None:
    locked = json.loads((UI / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    packages = {name: entry for name, entry in locked.items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    wanted = locked[""]["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"[\d.]+", version)] == []
