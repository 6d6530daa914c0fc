"""What tests of the page share: its sources with the packages that they are built with."""

import asyncio
import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest

from devenv import settings

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"
# What npm makes is not a source.
_MADE = shutil.ignore_patterns("node_modules", "dist")


@pytest.fixture(scope="session")
async def node_modules(dev_settings: settings.DevSettings) -> Path:
    """The locked packages, installed once per machine."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail(
            "tests of the page need Node.js: install node 20 or newer with npm", pytrace=False
        )
    files = ("package.json", "package-lock.json", ".npmrc")
    digest = hashlib.sha256(b"".join((UI / name).read_bytes() for name in files)).hexdigest()[:16]
    folder = dev_settings.cache_dir.absolute() / f"ui-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            made = Path(draft) / "ui"
            made.mkdir()
            for name in files:
                shutil.copy(UI / name, made / name)
            await output_of("npm", "ci", "--ignore-scripts", "--loglevel=error", cwd=made)
            # In one step: another test run may be at the same.
            try:
                made.rename(folder)
            except OSError:
                assert folder.exists()
    return folder / "node_modules"


@pytest.fixture(scope="session")
def page_sources(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources in which npm's commands can be run."""
    folder = tmp_path_factory.mktemp("page") / "ui"
    shutil.copytree(UI, folder, ignore=_MADE)
    (folder / "node_modules").mkdir()
    # Not the folder itself: what a command leaves there must not reach other test runs.
    for entry in node_modules.iterdir():
        (folder / "node_modules" / entry.name).symlink_to(entry)
    return folder


async def output_of(*command: str, cwd: Path) -> str:
    """Return what a command prints; a test fails with that if the command does."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        pytest.fail(f"{' '.join(command)} failed:\n{text}", pytrace=False)
    return text
