"""The sources of the page: their types, and the tests of what they decide without a browser."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.ui.conftest import ROOT, UI, output_of

BUNDLE = ROOT / "controller/ui/bundle"
BROWSER = UI / "browser"


async def test_types_and_pure_code_of_the_page_hold(page_sources: Path) -> None:
    await output_of("npm", "run", "--silent", "check", cwd=page_sources)

    printed = await output_of("npm", "run", "--silent", "test", cwd=page_sources)

    ran = re.search(r"tests (\d+)", printed)
    assert ran is not None, printed
    assert int(ran.group(1)) >= 50


async def test_pictures_are_made_smaller_without_a_change_of_a_pixel() -> None:
    printed = await output_of("node", "--test", "--test-reporter=tap", "png.test.mjs", cwd=BROWSER)

    assert "# pass 3" in printed


def test_packages_are_locked_by_hash_and_by_no_address() -> None:
    locked = json.loads((UI / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    packages = {name: entry for name, entry in locked.items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    wanted = locked[""]["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"[\d.]+", version)] == []


async def test_bundle_of_the_package_is_built_from_the_sources(
    page_sources: Path, tmp_path: Path
) -> None:
    """`make ui` builds it: no user needs Node.js."""
    built = tmp_path / "bundle"
    await output_of(
        *("npm", "run", "--silent", "build", "--", "--outDir", str(built), "--emptyOutDir"),
        cwd=page_sources,
    )

    assert files_of(built) == files_of(BUNDLE)


@pytest.mark.parametrize("name", ["headlamp", "argocd"])
async def test_packages_for_other_pages_are_built_from_the_sources(
    name: str, page_sources: Path, tmp_path: Path
) -> None:
    """`make ui` builds them, too."""
    built = tmp_path / name
    await output_of(
        *("npm", "run", "--silent", f"build:{name}", "--", "--outDir", str(built)),
        "--emptyOutDir",
        cwd=page_sources,
    )

    assert files_of(built) == files_of(UI / "packages" / name)


@pytest.mark.parametrize("name", ["headlamp", "argocd"])
def test_packages_for_other_pages_are_within_their_budget(name: str) -> None:
    (script,) = (UI / "packages" / name).glob("*.js")

    assert len(gzip.compress(script.read_bytes())) <= 40_000


def test_script_of_the_page_is_within_its_budget() -> None:
    scripts = [gzip.compress(file.read_bytes()) for file in BUNDLE.rglob("*.js")]

    assert 0 < sum(map(len, scripts)) <= 80_000


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
