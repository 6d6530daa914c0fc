"""Starts the plugin from its zipapp: unpacks it once, so that Python keeps what it compiles.

From a zip file each start would compile all modules again, which takes longer than most commands.
"""

import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

# As in pyproject.toml. An older Python reads this file as well, so it has nothing newer than 3.6.
_OLDEST = (3, 11)
_USAGE = 2
_ARCHIVE = Path(__file__).parent
_MARK = "digest"


def unpack(archive: Path, folder: Path) -> Path:
    """Return the folder of what the archive holds, unpacked by this call or an earlier one.

    Raises:
        OSError: it cannot be unpacked there.
    """
    with zipfile.ZipFile(archive) as packed:
        target = folder / packed.read(_MARK).decode()
        if _is_whole(target, packed):
            return target
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder))
        try:
            packed.extractall(fresh)
            # Whole or not at all: another start may be unpacking, too.
            if not _is_whole(target, packed):
                shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not _is_whole(target, packed):
                raise
    for other in folder.iterdir():
        if other != target:
            # From an earlier version; a process that still runs has loaded what it needs.
            shutil.rmtree(other, ignore_errors=True)
    return target


def _is_whole(folder: Path, packed: zipfile.ZipFile) -> bool:
    """Return whether all is there: programs that clean caches remove single files."""
    try:
        return all(
            (folder / info.filename).stat().st_size == info.file_size for info in packed.infolist()
        )
    except OSError:
        return False


def cache_folder() -> Path:
    """Return the folder of all that the plugin keeps, as its settings name it.

    Raises:
        RuntimeError: there is no home.
    """
    # The settings are still packed.
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))  # noqa: TID251
    return (named if named.is_absolute() else Path.home() / ".cache") / "kubectl-stackchain"


def refuse_old_python() -> None:
    """End with one line where Python is too old for the plugin."""
    if sys.version_info < _OLDEST:
        needed, found = (".".join(map(str, one[:2])) for one in (_OLDEST, sys.version_info))
        print(
            f"kubectl stackchain: it needs Python {needed} or newer, and python3 is {found} "
            f"({sys.executable}); put a newer python3 before it on the PATH.",
            file=sys.stderr,
        )
        sys.exit(_USAGE)


def main() -> None:
    """Run the plugin; if nothing can be kept, it runs straight from the archive."""
    refuse_old_python()
    try:
        target = unpack(_ARCHIVE, cache_folder() / "unpacked")
        # Never run what others could have put there.
        if target.stat().st_uid == os.getuid():
            sys.path[0] = str(target)
    except (OSError, RuntimeError):
        pass  # No home, or one that cannot be written to.
    from controller.plugin import cli

    cli.main()


if __name__ == "__main__":
    main()
