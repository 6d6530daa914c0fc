"""Where a control plane comes from: configured, cached, downloaded or built, in this order."""

import asyncio
import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from devenv import tools
from devenv.control_plane import build, envtest
from devenv.control_plane.binaries import VERSION, Binaries

_FOLDER = "control-plane"
_LOCK_POLL_SECONDS = 0.5


async def obtain(*, kubebuilder_assets: Path | None, cache_dir: Path, say: tools.Say) -> Binaries:
    """Return programs of a control plane; make them first where there are none.

    Raises:
        DevError: No source had them; the message says what to install.
    """
    ready = find(kubebuilder_assets=kubebuilder_assets, cache_dir=cache_dir)
    if ready is not None:
        return ready
    folder = _make_folder(cache_dir)
    async with _lock(folder / "lock", say):
        # Another process may have made them during the wait.
        return cached(folder) or await _make(folder, say)


def _make_folder(cache_dir: Path) -> Path:
    folder = cache_dir.absolute() / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find(*, kubebuilder_assets: Path | None, cache_dir: Path) -> Binaries | None:
    """Return programs that are there already, or none; nothing is downloaded or built.

    Raises:
        DevError: KUBEBUILDER_ASSETS lacks them.
    """
    if kubebuilder_assets is not None:
        return configured(kubebuilder_assets.absolute())
    return cached(cache_dir.absolute() / _FOLDER)


def configured(folder: Path) -> Binaries:
    """Take the programs that KUBEBUILDER_ASSETS names.

    Raises:
        DevError: They are not there.
    """
    binaries = Binaries.in_folder(folder, source=f"KUBEBUILDER_ASSETS ({folder})")
    if binaries is None:
        raise tools.DevError(
            f"KUBEBUILDER_ASSETS is {folder}, which lacks etcd or kube-apiserver: "
            "correct it, or unset it to have them downloaded or built"
        )
    return binaries


def cached(folder: Path) -> Binaries | None:
    """Return what an earlier run made; the built one first, since it has a controller manager."""
    program = built_folder(folder) / build.PROGRAM
    if program.is_file():
        return Binaries.in_one_file(program, source=f"built from Go modules ({program})")
    downloaded = downloaded_folder(folder)
    return Binaries.in_folder(downloaded, source=f"envtest archive ({downloaded})")


def built_folder(folder: Path) -> Path:
    """Return where the build for the bundled module is kept."""
    return folder / f"v{VERSION}-{build.key()}"


def downloaded_folder(folder: Path) -> Path:
    """Return where the official download is kept."""
    return folder / f"envtest-v{VERSION.rpartition('.')[0]}"


async def _make(folder: Path, say: tools.Say) -> Binaries:
    say("  trying the official envtest archive")

    async def download(target: Path) -> bool:
        return await envtest.download(target, say)

    async def compile_modules(target: Path) -> bool:
        await build.build(target, say)
        return True

    made = await _fill(downloaded_folder(folder), download)
    if not made:
        await _fill(built_folder(folder), compile_modules)
    binaries = cached(folder)
    if binaries is None:
        raise tools.DevError(f"no control plane was made in {folder}: {build.INSTALL_GO}")
    return binaries


async def _fill(target: Path, fill: Callable[[Path], Awaitable[bool]]) -> bool:
    """Fill a folder next to the target and rename it, so that no one ever sees half of it."""
    temporary = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        if not await fill(temporary):
            return False
        _replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _replace(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    source.rename(target)


@contextlib.asynccontextmanager
async def _lock(path: Path, say: tools.Say) -> AsyncIterator[None]:
    """Let one process at a time make the programs; the system frees the lock of a dead one."""
    with path.open("w") as file:
        waited = False
        while not _try_lock(file.fileno()):
            if not waited:
                say("  another process is making the control plane; waiting for it")
            waited = True
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
